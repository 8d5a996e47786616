/** Is it seen when storage or the runtime itself breaks what must always hold of actors? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { define } from "../../protocol/wire/ActorMessage.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { type Activation, type Behavior, type Incoming } from "../../runtime/Actor.ts"
import { handler, on } from "../../runtime/handler.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import { Invariants, noting } from "../../runtime/Invariants.ts"
import { compareAndSet } from "../../runtime/compareAndSet.ts"
import { defineActor } from "../../runtime/defineActor.ts"
import { makeTimers, Timers } from "../../runtime/DurableTimer.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape, RevisionConflict } from "../../runtime/Mesh.ts"
import { Outbox } from "../../runtime/Outbox.ts"
import * as Resident from "../../runtime/Resident.ts"
import type { Work } from "../../runtime/Work.ts"
import { makeActors, oneByOne, settle } from "../support/residentPorts.ts"
import { violatedBy, violationsOf } from "../support/violations.ts"

const key = "t.k"
const subject = keySubject(Stream.actors, key)

const options: ActorState.OpenOptions<number> = {
  bucket: Stream.actors,
  key,
  slotEpoch: 1,
  owner: "me",
  form: Schema.Int,
  initial: 0
}

const recordOf = (changes: Partial<StateRecord>): StateRecord => ({
  format: 1,
  slotEpoch: 1,
  epoch: 1,
  owner: "other",
  nonce: "other",
  state: 1,
  ...changes
})

/** What a save violates that finds such a record in the place of its own. */
const savedUpon = (standing: Partial<StateRecord>) =>
  Effect.gen(function* () {
    const mesh = yield* Mesh
    for (let epoch = 1; epoch < 3; epoch++) yield* ActorState.open(options)
    const state = yield* ActorState.open(options)
    assert.strictEqual(state.epoch, 3)
    yield* mesh.write(subject, Codec.toJson(recordOf(standing)))
    assert.strictEqual((yield* Effect.flip(state.save(7)))._tag, "Fenced")
  }).pipe(violatedBy, Effect.provide(MemoryMesh.layer))

describe("save()", () => {
  it.effect.each([
    { title: "a later epoch: nothing", standing: { epoch: 4 }, violated: [] },
    { title: "its own epoch by another", standing: { epoch: 3 }, violated: ["oneWriter"] },
    { title: "an earlier epoch", standing: { epoch: 2 }, violated: ["epochGrows"] }
  ])("save() that is fenced by $title", ({ standing, violated }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* savedUpon(standing), violated)
    })
  )
})

describe("open()", () => {
  it.effect("open() between whose looks the epoch went back", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      yield* mesh.write(subject, Codec.toJson(recordOf({ epoch: 5 })))
      let isFirst = true
      const meddled = Mesh.of({
        ...mesh,
        write: Effect.fnUntraced(function* (...given) {
          if (isFirst) yield* mesh.write(subject, Codec.toJson(recordOf({ epoch: 4 })))
          isFirst = false
          return yield* mesh.write(...given)
        })
      })
      const opened = Effect.provideService(ActorState.open(options), Mesh, meddled)
      assert.deepStrictEqual(yield* violatedBy(opened), ["epochGrows"])
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})

/** A port whose storage has lost everything behind revision 2, or that gives such an answer so many times. */
const forgetful = (mesh: MeshShape, times = Infinity): MeshShape => {
  let left = times
  const isLost = () => left-- > 0
  return Mesh.of({
    ...mesh,
    write: (...given) => (isLost() ? Effect.fail(new RevisionConflict({ subject })) : mesh.write(...given)),
    read: () => Effect.succeed(Option.some({ subject, revision: 2, value: Option.some(new Uint8Array(0)) }))
  })
}

const changed = (mesh: MeshShape, expect: number) =>
  Effect.gen(function* () {
    const change = { stream: Stream.actors.name, subject, data: new Uint8Array(0), expect, isOurs: () => false }
    const changing = yield* Effect.forkChild(Effect.exit(compareAndSet(mesh, change)))
    yield* TestClock.adjust("1 minute")
    assert.isDefined(changing.pollUnsafe())
  })

describe("compareAndSet()", () => {
  it.effect("compareAndSet() of which less stands than was acknowledged, again and again, is told once", () =>
    Effect.gen(function* () {
      const seen = yield* violationsOf(changed(forgetful(yield* Mesh), 7))
      const details = { alarm: "StorageRolledBack", subject, acknowledged: 7, found: 2 }
      assert.deepStrictEqual(seen, [{ invariant: "storageKept", count: 1, details }])
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.effect("compareAndSet() that one old answer delays says nothing", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const written = Effect.fnUntraced(function* () {
        const revision = yield* mesh.write(subject, new Uint8Array(0))
        yield* changed(forgetful(mesh, 2), revision)
      })
      assert.deepStrictEqual(yield* violatedBy(written()), [])
    }).pipe(Effect.provide(MemoryMesh.layer))
  )

  it.effect("compareAndSet() whose revision is no later than what it replaced", () =>
    Effect.gen(function* () {
      const mesh = Mesh.of({ ...(yield* Mesh), write: () => Effect.succeed(7) })
      assert.deepStrictEqual(yield* violatedBy(changed(mesh, 7)), ["revisionGrows"])
    }).pipe(Effect.provide(MemoryMesh.layer))
  )
})

const Ringing = defineActor({
  type: "ringing",
  state: Schema.Int,
  initial: 0,
  messages: { ring: { payload: Schema.Null } },
  step: { ring: (count) => ({ state: count + 1 }) }
})

const activation: Activation = { address: { type: "ringing", key: "a" }, owner: "me", slot: "1", slotEpoch: 1 }

const incoming = (changes: Partial<Incoming>): Incoming => ({
  id: "1",
  message: "ring",
  payload: null,
  cause: "",
  traceParent: "",
  ageMs: 0,
  deadlineMs: 1000,
  budgetMs: 1000,
  ...changes
})

/** What one message violates, which an activation finds behind such a record. */
const rung = (changes: Partial<Incoming>, record: Partial<StateRecord> = {}) =>
  Effect.gen(function* () {
    const mesh = yield* Mesh
    const stored = keySubject(Stream.actors, ActorSubject.actorKey(activation.address))
    yield* mesh.write(stored, Codec.toJson(recordOf({ schemaVersion: 1, ...record })))
    const behavior: Behavior = yield* Ringing.activate(activation)
    yield* behavior.handle([incoming(changes)])
  }).pipe(
    Effect.provideServiceEffect(Timers, makeTimers),
    Effect.provideService(Outbox, { post: () => true }),
    Effect.scoped,
    violatedBy,
    Effect.provide(MemoryMesh.layer)
  )

const timer = { name: "bell", id: "bell-1", at: 0, message: "ring", payload: null }
const done = { id: timer.id, at: 0, answer: { body: null } }

describe("an activation", () => {
  it.effect("an activation that is given what is in time, and a timer that is due, violates nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* rung({}), [])
      assert.deepStrictEqual(yield* rung({ id: timer.id, own: true }, { timers: [timer] }), [])
      // cancelled, or done, while its message waited
      assert.deepStrictEqual(yield* rung({ id: timer.id, own: true }, { operations: [done] }), [])
    })
  )

  it.effect("an activation that is given a message whose time is over", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* rung({ budgetMs: 0 }), ["startedInTime"])
    })
  )

  it.effect("an activation of effects that is given a message whose time is over", () =>
    Effect.gen(function* () {
      const ring = define({
        actor: "ringing",
        name: "ring",
        payload: Schema.Null,
        success: Schema.Null,
        failure: Schema.Never
      })
      const { handle } = handler(activation.address, [on(ring, () => Effect.succeed(null))])
      assert.deepStrictEqual(yield* violatedBy(handle([incoming({})])), [])
      assert.deepStrictEqual(yield* violatedBy(handle([incoming({ budgetMs: 0 })])), ["startedInTime"])
    })
  )

  it.effect("an activation that finds a timer which took effect before", () =>
    Effect.gen(function* () {
      const record = { timers: [timer], operations: [done] }
      assert.deepStrictEqual(yield* rung({ id: timer.id, own: true }, record), ["firedOnce"])
    })
  )
})

describe("finish()", () => {
  it.effect("finish() of a message that has ended", () =>
    Effect.gen(function* () {
      const work: Work = {
        envelope: { format: 1, to: activation.address, id: "1", cause: "", budgetMs: 1, body: null },
        incoming: incoming({}),
        arrivedMs: 0,
        responders: [],
        tellers: new Set()
      }
      const resident = { name: "ringing/a", underWay: new Map([["1", work]]) }
      const seen = yield* violatedBy(
        Effect.gen(function* () {
          const around = { ended: () => undefined, note: yield* noting }
          Resident.finish(resident, around, { work, reply: { body: null } })
          assert.strictEqual(resident.underWay.size, 0)
          Resident.finish(resident, around, { work, reply: { body: null } })
        })
      )
      assert.deepStrictEqual(seen, ["endedOnce"])
    })
  )
})

const counted = Effect.map(Invariants, (violations) => violations.counts()["withinLimits"] ?? 0)

describe("residents", () => {
  it.effect("residents of whom too many are busy for long are told of once, and again the next time", () =>
    Effect.gen(function* () {
      const stuck = oneByOne("stuck", ({ message }) =>
        message === "echo" ? Effect.succeed({ body: 1 }) : Effect.never
      )
      const tooMany = Effect.gen(function* () {
        const { release, send } = yield* makeActors(stuck, { residentsMax: 1 })
        send({ id: "1", key: "a", message: "hang", budgetMs: 600_000 })
        send({ id: "2", key: "b", message: "hang", budgetMs: 600_000 })
        yield* settle
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual(yield* counted, 0)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* counted, 1)
        const releasing = yield* Effect.forkChild(release({ type: "stuck", key: "a" }, 1))
        yield* TestClock.adjust("2 seconds")
        assert.isDefined(releasing.pollUnsafe())
        send({ id: "3", key: "c", message: "hang", budgetMs: 600_000 })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* counted, 2)
      })
      const seen = yield* violationsOf(Effect.scoped(tooMany))
      assert.deepInclude(seen[0]?.details, { residents: 2, residentsMax: 1 })
    })
  )
})
