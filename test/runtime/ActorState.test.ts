/** Can only one activation write an actor's record, and does each know what became of its writes? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import type { Migrations } from "../../runtime/Migrations.ts"
import { makeFaultyMesh, once } from "../support/faultyMesh.ts"

const key = "t.k"
const subject = keySubject(Stream.actors, key)

const Count = Schema.Struct({ count: Schema.Int })

const twoForms: Migrations = {
  version: 2,
  steps: new Map([[1, (stored: unknown): unknown => ({ count: (stored as { readonly n: number }).n * 10 })]])
}

const makeKept = Effect.gen(function* () {
  const { faults, layer, mesh } = yield* makeFaultyMesh
  const open = (slotEpoch: number, migrations?: Migrations, slot?: string) =>
    ActorState.open({
      bucket: Stream.actors,
      key,
      slotEpoch,
      ...(slot === undefined ? {} : { slot }),
      owner: `host-${slotEpoch}`,
      form: Count,
      initial: { count: 0 },
      ...(migrations === undefined ? {} : { migrations })
    }).pipe(Effect.provide(layer))
  const record = Effect.map(
    mesh.read(Stream.actors.name, subject),
    (stored) => Option.getOrThrow(Codec.fromJson(Option.getOrThrow(Option.getOrThrow(stored).value))) as StateRecord
  )
  const put = (value: object) => mesh.write(subject, Codec.toJson(value))
  return { faults, mesh, open, record, put }
})

const stored = { format: 1, slotEpoch: 1, epoch: 4, owner: "before", nonce: "n" }

describe("open()", () => {
  it.effect("open() stamps a new record, and each after it with the next epoch", () =>
    Effect.gen(function* () {
      const { open, record } = yield* makeKept
      const first = yield* open(1)
      assert.strictEqual(first.epoch, 1)
      assert.deepStrictEqual(first.current(), { count: 0 })
      assert.deepInclude(yield* record, { slotEpoch: 1, epoch: 1, owner: "host-1", state: { count: 0 } })
      yield* first.save({ count: 7 })
      const second = yield* open(2)
      assert.strictEqual(second.epoch, 2)
      assert.deepStrictEqual(second.current(), { count: 7 })
      assert.deepInclude(yield* record, { slotEpoch: 2, epoch: 2, owner: "host-2", state: { count: 7 } })
    })
  )

  it.effect("open() by an earlier owner of the slot is fenced, and leaves the record as it is", () =>
    Effect.gen(function* () {
      const { open, record } = yield* makeKept
      const owner = yield* open(2)
      assert.strictEqual((yield* Effect.flip(open(1)))._tag, "Fenced")
      yield* owner.save({ count: 1 })
      assert.deepInclude(yield* record, { slotEpoch: 2, epoch: 1 })
    })
  )

  it.effect("open() of many at once gives each an epoch of its own, and the last may write", () =>
    Effect.gen(function* () {
      const { open } = yield* makeKept
      const states = yield* Effect.all(
        Array.from({ length: 4 }, () => open(1)),
        { concurrency: "unbounded" }
      )
      const epochs = states.map(({ epoch }) => epoch)
      assert.strictEqual(new Set(epochs).size, 4)
      for (const state of states) {
        const saved = yield* Effect.result(state.save({ count: state.epoch }))
        assert.strictEqual(saved._tag, state.epoch === Math.max(...epochs) ? "Success" : "Failure")
      }
    })
  )

  it.effect("open() whose acknowledgement gets lost has stamped once", () =>
    Effect.gen(function* () {
      const { faults, open, record } = yield* makeKept
      faults.losesAck = once(subject)
      const state = yield* open(1)
      assert.strictEqual(state.epoch, 1)
      yield* state.save({ count: 3 })
      assert.deepInclude(yield* record, { epoch: 1, state: { count: 3 } })
    })
  )
})

describe("slots of a record", () => {
  it.effect(
    "open() by another slot takes the record over, whatever its epoch, and by the same an earlier is fenced",
    () =>
      Effect.gen(function* () {
        const { open, record } = yield* makeKept
        const before = yield* open(5, undefined, "actors.7")
        yield* before.save({ count: 1 })
        const moved = yield* open(2, undefined, "counter.7")
        assert.deepStrictEqual(moved.current(), { count: 1 })
        assert.strictEqual((yield* Effect.flip(before.save({ count: 2 })))._tag, "Fenced")
        yield* moved.save({ count: 3 })
        assert.deepInclude(yield* record, { slot: "counter.7", slotEpoch: 2, epoch: 2, state: { count: 3 } })
        const failure = yield* Effect.flip(open(1, undefined, "counter.7"))
        assert.strictEqual(failure._tag, "Fenced")
        assert.deepInclude(yield* record, { slot: "counter.7", slotEpoch: 2, epoch: 2 })
        assert.strictEqual((yield* open(2, undefined, "counter.7")).epoch, 3)
      })
  )

  it.effect("open() of a record without a slot's name compares epochs, and names the slot", () =>
    Effect.gen(function* () {
      const { open, put, record } = yield* makeKept
      yield* put({ ...stored, slotEpoch: 5, state: { count: 1 } })
      assert.strictEqual((yield* Effect.flip(open(4, undefined, "counter.7")))._tag, "Fenced")
      assert.notProperty(yield* record, "slot")
      assert.strictEqual((yield* open(5, undefined, "counter.7")).epoch, 5)
      assert.deepInclude(yield* record, { slot: "counter.7", slotEpoch: 5 })
    })
  )

  it.effect("open() by a build that knows no slots' names compares epochs, whatever slot the record is of", () =>
    Effect.gen(function* () {
      const { open } = yield* makeKept
      yield* open(5, undefined, "counter.7")
      assert.strictEqual((yield* Effect.flip(open(4)))._tag, "Fenced")
      assert.strictEqual((yield* open(6)).epoch, 2)
    })
  )
})

describe("save()", () => {
  it.effect("save() is fenced when another has stamped, also by the same owner, and changes nothing", () =>
    Effect.gen(function* () {
      const { open } = yield* makeKept
      const stale = yield* open(1)
      const owner = yield* open(1)
      assert.strictEqual((yield* Effect.flip(stale.save({ count: 1 })))._tag, "Fenced")
      assert.deepStrictEqual(stale.current(), { count: 0 })
      yield* owner.save({ count: 2 })
      assert.deepStrictEqual((yield* open(1)).current(), { count: 2 })
    })
  )

  it.effect("save() is fenced when the record was removed", () =>
    Effect.gen(function* () {
      const { mesh, open } = yield* makeKept
      const state = yield* open(1)
      yield* mesh.write(subject, new Uint8Array(0), { remove: true })
      assert.strictEqual((yield* Effect.flip(state.save({ count: 1 })))._tag, "Fenced")
    })
  )

  it.effect("save() whose acknowledgement gets lost is settled by its nonce, and the next one follows", () =>
    Effect.gen(function* () {
      const { faults, open, record } = yield* makeKept
      const state = yield* open(1)
      faults.losesAck = once(subject)
      yield* state.save({ count: 1 })
      yield* state.save({ count: 2 })
      assert.deepStrictEqual((yield* record).state, { count: 2 })
      assert.lengthOf(faults.written, 3)
    })
  )

  it.effect("save() that has no effect is written again until it has, and is of unknown outcome in the end", () =>
    Effect.gen(function* () {
      const { faults, open, record } = yield* makeKept
      const state = yield* open(1)
      faults.losesWrite = once(subject)
      const saving = yield* Effect.forkChild(state.save({ count: 1 }), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(saving)
      assert.deepStrictEqual((yield* record).state, { count: 1 })
      faults.losesWrite = () => true
      const lost = yield* Effect.forkChild(Effect.flip(state.save({ count: 2 })), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(lost))._tag, "MeshUnavailable")
      assert.deepStrictEqual(state.current(), { count: 1 })
    })
  )

  it.effect("save() keeps the book, and drops what is empty", () =>
    Effect.gen(function* () {
      const { open, record } = yield* makeKept
      const state = yield* open(1)
      const book: ActorState.Book = {
        operations: [{ id: "m", at: 1, answer: { body: 1 } }],
        forgottenAt: 5,
        timers: [{ name: "n", id: "i", at: 9, message: "m", payload: null }]
      }
      yield* state.save({ count: 1 }, book)
      yield* state.save({ count: 2 })
      assert.deepStrictEqual((yield* open(1)).book(), book)
      const again = yield* open(1)
      yield* again.save({ count: 2 }, ActorState.emptyBook)
      assert.notProperty(yield* record, "operations")
      assert.notProperty(yield* record, "timers")
      assert.notProperty(yield* record, "forgottenAt")
    })
  )
})

describe("versions of a state", () => {
  it.effect("open() migrates a record that says no version from version 1, and saves the present one", () =>
    Effect.gen(function* () {
      const { open, put, record } = yield* makeKept
      yield* put({ ...stored, state: { n: 4 } })
      const state = yield* open(1, twoForms)
      assert.deepStrictEqual(state.current(), { count: 40 })
      // the stamp alone changes neither the state nor what is said of it: another may come before a save
      assert.deepStrictEqual((yield* record).state, { n: 4 })
      assert.deepStrictEqual((yield* open(1, twoForms)).current(), { count: 40 })
      const last = yield* open(1, twoForms)
      yield* last.save({ count: 41 })
      assert.deepInclude(yield* record, { schemaVersion: 2, state: { count: 41 } })
    })
  )

  it.effect("open() refuses a record of a later version, and keeps its state", () =>
    Effect.gen(function* () {
      const { open, put, record } = yield* makeKept
      yield* put({ ...stored, schemaVersion: 3, state: { text: "of a later build" } })
      const failure = yield* Effect.flip(open(1, twoForms))
      assert.strictEqual(failure._tag, "MalformedMessage")
      assert.include(failure.message, "version 3")
      assert.deepInclude(yield* record, { schemaVersion: 3, state: { text: "of a later build" } })
    })
  )

  it.effect("open() refuses what is no record, and a state of another form", () =>
    Effect.gen(function* () {
      const { open, put } = yield* makeKept
      yield* put({ ...stored, format: 2, state: { count: 1 } })
      assert.strictEqual((yield* Effect.flip(open(1)))._tag, "MalformedMessage")
      yield* put({ ...stored, state: { count: "one" } })
      assert.strictEqual((yield* Effect.flip(open(1)))._tag, "MalformedMessage")
    })
  )
})
