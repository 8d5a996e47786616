/** Does a file bring its actors, and is it told what is wrong with one that does not? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { actorTypesOf, loadActors } from "../../bin/loadActors.ts"
import { Counter, others } from "../support/actors/counter.ts"

const counters = fileURLToPath(new URL("../support/actors/counter.ts", import.meta.url))

const write = (text: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-actors-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    ),
    (folder) => {
      const file = join(folder, "actors.mjs")
      writeFileSync(file, text)
      return file
    }
  )

describe("loadActors", () => {
  it.effect("loadActors() finds types alone and in lists", () =>
    Effect.gen(function* () {
      const types = yield* loadActors([counters])
      assert.sameMembers(
        types.map(({ name }) => name),
        ["counter", "echo"]
      )
    })
  )

  it.effect("loadActors() of no files is none", () =>
    Effect.map(loadActors([]), (types) => assert.deepStrictEqual(types, []))
  )

  it.effect("loadActors() refuses a second type of a name", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(loadActors([counters, counters]))
      assert.match(message, /of the name counter comes from .*counter\.ts already/)
    })
  )

  it.effect.each([
    ["exports nothing", "", /exports no type of actors, as defineActor makes them: it exports nothing/],
    ["exports something else", "export const a = 1, b = {}", /it exports a, b/],
    ["is not there to import from", 'import "./none.mjs"', /can't be imported: /],
    [
      "has a name that is taken",
      'export const C = { name: "coverage", label: "", activate: () => {} }',
      /of the name coverage comes from Seamless itself already/
    ]
  ] as const)("loadActors() says of a file that %s what is wrong", ([, text, expected]) =>
    Effect.gen(function* () {
      const file = yield* write(text)
      const error = yield* Effect.flip(loadActors([file]))
      assert.strictEqual(error._tag, "InvalidActors")
      assert.include(error.message, file)
      assert.match(error.message, expected)
    }).pipe(Effect.scoped)
  )

  it("actorTypesOf() counts a type once that is exported twice", () => {
    assert.deepStrictEqual(actorTypesOf({ Counter, others: [Counter, ...others], label: "x" }), [Counter, ...others])
  })
})
