/** Does the hash of a history tell runs apart, and is what storage has lost left out of it? */
import { assert, describe, it } from "vitest"
import type { StoredEntry } from "../../runtime/simulated/SimulatedServer.ts"
import { History } from "./History.ts"

const digestOf = (...notes: ReadonlyArray<readonly [atMs: number, who: string, what: string]>): string => {
  let nowMs = 0
  const history = new History(() => nowMs, false)
  for (const [atMs, who, what] of notes) {
    nowMs = atMs
    history.note(who, what, () => "")
  }
  return history.digest()
}

const entry = (stream: string, atMs: number): StoredEntry => ({
  stream,
  subject: "s",
  revision: 1,
  previous: 0,
  form: "value",
  data: new Uint8Array(0),
  atMs,
  by: undefined
})

describe("History", () => {
  it("digest() is the same for the same notes, and another where a time, a name, a word or the order differs", () => {
    const digests = [
      digestOf(),
      digestOf([1, "a", "x"]),
      digestOf([1, "a", "x"], [2, "b", "y"]),
      digestOf([2, "b", "y"], [1, "a", "x"]),
      digestOf([1, "a", "x"], [2.5, "b", "y"]),
      digestOf([1, "a", "x"], [2, "c", "y"]),
      digestOf([1, "a", "x"], [2, "b", "z"])
    ]
    assert.strictEqual(new Set(digests).size, digests.length)
    for (const digest of digests) assert.match(digest, /^[0-9a-f]{8}$/)
    assert.strictEqual(digestOf([1, "a", "x"]), digests[1])
  })

  it("note() writes lines only where it is traced, with the same digest", () => {
    const [traced, silent] = [new History(() => 7, true), new History(() => 7, false)]
    for (const history of [traced, silent]) history.note("a", "crash", () => "of b")
    assert.deepStrictEqual(traced.lines, [{ atMs: 7, who: "a", text: "crash of b" }])
    assert.deepStrictEqual(silent.lines, [])
    assert.strictEqual(traced.digest(), silent.digest())
  })

  it("forgetStored() leaves out what these streams had accepted after the moment", () => {
    const history = new History(() => 0, false)
    history.stored.push(entry("lost", 10), entry("lost", 11), entry("kept", 11))
    history.forgetStored(["lost"], 10)
    assert.deepStrictEqual(history.stored, [entry("lost", 10), entry("kept", 11)])
    assert.deepStrictEqual(history.lost, [entry("lost", 11)])
  })
})
