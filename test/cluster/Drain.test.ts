/** Does a host that drains hold nothing in the end, also where NATS does not answer? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { makeDrain } from "../../cluster/Drain.ts"
import { hold } from "../../cluster/HeldSlot.ts"
import * as SlotBook from "../../cluster/SlotBook.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { settle } from "../support/residentPorts.ts"
import { violationsOf } from "../support/violations.ts"
import { sessionThat, sessionOf } from "./slots.ts"

/** A host that holds so many slots, on a mesh where no write is ever answered. */
const makeHost = Effect.fnUntraced(function* (slots: number, silentMs: number, residents = 0) {
  const seen = { draining: 0, told: 0, lost: 0 }
  const session = sessionThat({
    silentMs: () => silentMs,
    // as long as nobody answers, nobody is told
    setDraining: Effect.andThen(
      Effect.sync(() => void (seen.draining += 1)),
      Effect.andThen(
        Effect.never,
        Effect.sync(() => void (seen.told += 1))
      )
    )
  })
  const mesh = Mesh.of({ ...(yield* Mesh), write: () => Effect.never })
  const unused = Effect.die("no slot is claimed here")
  const book = SlotBook.empty({
    mesh,
    session,
    handler: {
      onClaimed: () => unused,
      onMessage: () => undefined,
      onHandOver: () => unused,
      onLost: () => Effect.sync(() => void (seen.lost += 1)),
      residents: () => residents
    },
    onOutbid: () => undefined
  })
  for (let number = 0; number < slots; number++) {
    const record = { slot: String(number), owner: sessionOf("me").incarnation, slotEpoch: 1, revision: 1 }
    const subscription = yield* Scope.make()
    book.held.set(record.slot, hold({ record, session, stretch: 1, subscription, onOutbid: () => undefined }))
  }
  return { book, seen, tenures: Array.from(book.held.values(), ({ tenure }) => tenure) }
})

describe("drain", () => {
  it.effect("drain says that the host drains while renewals are silent, and waits for nobody to hear it", () =>
    Effect.gen(function* () {
      const { book, seen } = yield* makeHost(0, 10_000)
      const { drain, isDrained } = makeDrain(book, Effect.die("nothing is checked while NATS is away"))
      const draining = yield* Effect.forkChild(drain)
      yield* settle
      assert.isTrue(Exit.isSuccess(draining.pollUnsafe() ?? Exit.fail("it still waits")))
      assert.deepStrictEqual(seen, { draining: 1, told: 0, lost: 0 })
      assert.isTrue(isDrained())
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.effect("drain ends every tenure and stops all actors, however few slots can be given back in time", () =>
    Effect.gen(function* () {
      const { book, seen, tenures } = yield* makeHost(256, 10_000)
      const draining = yield* Effect.forkChild(makeDrain(book, Effect.succeed(false)).drain)
      yield* settle
      assert.strictEqual(book.held.size, 0)
      assert.lengthOf(
        tenures.filter((tenure) => !tenure.hasEnded()),
        0
      )
      assert.strictEqual(seen.lost, 256)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* Fiber.join(draining), { handovers: 0 })
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.effect("drain stops the actors of a slot, too, whose work can't be finished before the time is over", () =>
    Effect.gen(function* () {
      const { book, seen, tenures } = yield* makeHost(2, 10_000)
      const unfinished = book.held.get("1")!
      book.held.delete("1")
      book.busy.add("1")
      book.retiring.set("1", unfinished)
      const draining = yield* Effect.forkChild(makeDrain(book, Effect.succeed(false)).drain)
      yield* settle
      assert.deepStrictEqual([seen.lost, ...tenures.map((tenure) => tenure.hasEnded())], [2, true, true])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(draining)
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.effect("drain that leaves an actor behind, or a slot, violates an invariant, and one that does not none", () =>
    Effect.gen(function* () {
      const drained = Effect.fnUntraced(function* (residents: number, straggler = false) {
        const { book } = yield* makeHost(1, 10_000, residents)
        const late = book.held.get("0")!
        const draining = yield* Effect.forkChild(makeDrain(book, Effect.succeed(false)).drain)
        yield* settle
        // a claim that was under way when all was dropped
        if (straggler) book.held.set("9", late)
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(draining)
      })
      assert.deepStrictEqual(yield* violationsOf(drained(0)), [])
      const behind = (details: object) => [
        { invariant: "drainLosesNothing" as const, count: 1, details: { incarnation: "me", ...details } }
      ]
      assert.deepStrictEqual(yield* violationsOf(drained(2)), behind({ slots: [], residents: 2 }))
      assert.deepStrictEqual(yield* violationsOf(drained(0, true)), behind({ slots: ["9"], residents: 0 }))
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})
