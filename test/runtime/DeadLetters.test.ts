/** Is a message upon which an actor failed kept, whatever its id, and found and removed again? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { envelopeFormat } from "../../protocol/wire/Envelope.ts"
import { deadLetters } from "../../protocol/wire/DeadLetter.ts"
import * as DeadLetters from "../../runtime/DeadLetters.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { Work } from "../../runtime/Work.ts"

const workOf = (id: string, payload: unknown): Work => {
  const common = { id, cause: "", budgetMs: 1000 }
  const to = { type: "t", key: "k" }
  return {
    envelope: { ...common, format: envelopeFormat, to, body: { message: "m", payload } },
    incoming: { ...common, message: "m", payload, traceParent: "", ageMs: 0, deadlineMs: 1000 },
    arrivedMs: 0,
    responders: [],
    tellers: new Set()
  }
}

const failing = { reason: "fire", trace: Array.from({ length: 90 }, () => "at").join("\n"), epoch: 1, label: "" }

const bury = (id: string, payload: unknown) =>
  Effect.flatMap(Mesh, (mesh) => DeadLetters.bury(mesh, workOf(id, payload), { ...failing, hostId: "h" }))

describe("bury()", () => {
  it.effect("bury() keeps a letter once, under one token, whatever is in its id", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      for (const id of ["plain-1", "an order", "a.b.*.>"]) {
        yield* bury(id, 1)
        yield* bury(id, 2)
        const letters = yield* DeadLetters.list(mesh, "t")
        assert.deepStrictEqual(
          letters.map(({ payload, ...letter }) => [letter.id, payload]),
          [[id, 1]]
        )
        assert.lengthOf(letters[0]!.trace.split("\n"), 30)
        const [stored] = yield* mesh.readMany(deadLetters.name, ["seamless.v1.dead.t.k.*"])
        assert.notMatch(stored!.subject, /[\s*>]/)
        yield* DeadLetters.remove(mesh, letters[0]!)
        assert.lengthOf(yield* DeadLetters.list(mesh, undefined), 0)
      }
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})
