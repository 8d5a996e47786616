/** Is a message upon which an actor failed kept, whatever its id, and found and removed again? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { envelopeFormat } from "../../protocol/wire/Envelope.ts"
import { deadLetters } from "../../protocol/wire/DeadLetter.ts"
import * as DeadLetters from "../../runtime/DeadLetters.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { Work } from "../../runtime/Work.ts"

const workOf = (id: string, payload: unknown, key: string): Work => {
  const common = { id, cause: "", budgetMs: 1000 }
  const to = { type: "t", key }
  return {
    envelope: { ...common, format: envelopeFormat, to, body: { message: "m", payload } },
    incoming: { ...common, message: "m", payload, traceParent: "", ageMs: 0, deadlineMs: 1000 },
    arrivedMs: 0,
    responders: [],
    tellers: new Set()
  }
}

const failing = { reason: "fire", trace: Array.from({ length: 90 }, () => "at").join("\n"), epoch: 1, label: "" }

const bury = (id: string, payload: unknown, key = "k") =>
  Effect.flatMap(Mesh, (mesh) => DeadLetters.bury(mesh, workOf(id, payload, key), { ...failing, hostId: "h" }))

describe("bury()", () => {
  it.effect("bury() keeps a letter once, under one token, whatever is in its id", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      for (const id of ["plain-1", "an order", "a.b.*.>"]) {
        yield* bury(id, 1)
        yield* bury(id, 2)
        const { letters } = yield* DeadLetters.list(mesh, "t")
        assert.deepStrictEqual(
          letters.map(({ payload, ...letter }) => [letter.id, payload]),
          [[id, 1]]
        )
        assert.lengthOf(letters[0]!.trace.split("\n"), 30)
        const [stored] = yield* mesh.readMany(deadLetters.name, ["seamless.v1.dead.t.k.*"])
        assert.notMatch(stored!.subject, /[\s*>]/)
        yield* DeadLetters.remove(mesh, letters[0]!)
        assert.deepStrictEqual(yield* DeadLetters.list(mesh, undefined), { letters: [], total: 0 })
      }
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})

describe("list()", () => {
  it.effect("list() gives the newest thousand, the newest last, tells how many there are, and lets others work", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      for (let count = 0; count < 1005; count++) yield* bury(`m${count}`, count)
      let turns = 0
      const turning = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => void turns++),
            Effect.yieldNow
          )
        )
      )
      const { letters, total } = yield* DeadLetters.list(mesh, undefined)
      yield* Fiber.interrupt(turning)
      assert.strictEqual(total, 1005)
      assert.deepStrictEqual([letters.length, letters[0]!.id, letters.at(-1)!.id], [1000, "m5", "m1004"])
      assert.isAtLeast(turns, 20)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})

describe("withId()", () => {
  it.effect("withId() finds the letters of one id, of whichever actors, and reads no others", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      for (const id of ["an order", "other"]) yield* bury(id, 1)
      yield* bury("an order", 2, "k.2")
      let read = 0
      const counting = Mesh.of({
        ...mesh,
        readMany: (...args) => Effect.tap(mesh.readMany(...args), (found) => Effect.sync(() => (read += found.length)))
      })
      const found = yield* DeadLetters.withId(counting, "an order")
      assert.sameMembers(
        found.map(({ to }) => to.key),
        ["k", "k.2"]
      )
      assert.strictEqual(read, 2)
      assert.lengthOf(yield* DeadLetters.withId(mesh, "none"), 0)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})
