/** Does the cache stay within its bytes, and does it let go of what was not used for longest? */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import * as Cache from "../../../actors/sources/Cache.ts"
import { law } from "../../support/law.ts"

const filled = (...names: ReadonlyArray<string>) => {
  const cache = Cache.make<string>(30)
  for (const name of names) cache.put(name, `value of ${name}`, 10)
  return cache
}

it("get() gives what was put, and nothing for a name that was not", () => {
  expect(filled("a").get("a")).toBe("value of a")
  expect(filled("a").get("b")).toBeUndefined()
})

it("put() lets go of what was not used for longest", () => {
  const cache = filled("a", "b", "c")
  cache.get("a")
  cache.put("d", "new", 10)
  expect(["a", "b", "c", "d"].map((name) => cache.get(name) !== undefined)).toEqual([true, false, true, true])
})

it("put() counts as use", () => {
  const cache = filled("a", "b", "c")
  cache.put("a", "again", 10)
  cache.put("d", "new", 10)
  expect([cache.get("a"), cache.get("b")]).toEqual(["again", undefined])
})

it("put() lets go of as many as a large value needs, and of no more", () => {
  const cache = filled("a", "b", "c")
  cache.put("large", "value", 20)
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([undefined, undefined, "value of c"])
  expect(cache.bytes()).toBe(30)
})

it("put() takes a value that fills the cache, and none that is larger", () => {
  const cache = filled("a")
  cache.put("too large", "value", 31)
  expect([cache.get("too large"), cache.get("a")]).toEqual([undefined, "value of a"])
  cache.put("all", "value", 30)
  expect([cache.get("all"), cache.get("a")]).toEqual(["value", undefined])
})

const use = fc.record({
  kind: fc.constantFrom("get" as const, "put" as const),
  name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  bytes: fc.integer({ min: 0, max: 40 })
})

law(
  "the cache is a list ordered by use, cut to its bytes from the old end",
  [fc.array(use, { maxLength: 30 })],
  (uses) => {
    const cache = Cache.make<number>(30)
    let model: ReadonlyArray<{ readonly name: string; readonly bytes: number }> = []
    for (const { bytes, kind, name } of uses) {
      const before = model.find((kept) => kept.name === name)
      const others = model.filter((kept) => kept.name !== name)
      if (kind === "get") {
        expect(cache.get(name)).toBe(before?.bytes)
        model = before === undefined ? model : [...others, before]
      } else {
        cache.put(name, bytes, bytes)
        if (bytes > 30) continue
        model = [...others, { name, bytes }]
        while (model.reduce((sum, kept) => sum + kept.bytes, 0) > 30) model = model.slice(1)
      }
      expect(cache.bytes()).toBe(model.reduce((sum, kept) => sum + kept.bytes, 0))
      expect(cache.bytes()).toBeLessThanOrEqual(30)
    }
  }
)

it("bytesOf() tells what a value takes, and to look is no use of it", () => {
  const cache = filled("a", "b", "c")
  expect([cache.bytesOf("a"), cache.bytesOf("d")]).toEqual([10, undefined])
  cache.put("d", "new", 10)
  expect(cache.bytesOf("a")).toBeUndefined()
})
