/** Does an actor of steps say nothing, and do nothing, that is not saved; and each thing once, whatever gets lost? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { ActorSystem, layerLocal } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { defineActor } from "../../runtime/defineActor.ts"
import { publish } from "../../runtime/StepContext.ts"
import { makeDefinedActors } from "../support/definedActors.ts"
import { makeFaultyMesh } from "../support/faultyMesh.ts"
import { settle, wordOf } from "../support/residentPorts.ts"

const Amount = Schema.Struct({ by: Schema.Int })

/** Messages whose step was begun, over all lives. */
const begun: Array<string> = []

const Counter = defineActor({
  type: "counter",
  state: Schema.Struct({ count: Schema.Int }),
  initial: { count: 0 },
  messages: {
    add: { payload: Amount, reply: Schema.Int },
    shout: { payload: Amount, reply: Schema.Int },
    get: { payload: Schema.Null, reply: Schema.Int, readOnly: true },
    peekAndChange: { payload: Schema.Null, reply: Schema.Int, readOnly: true },
    misreply: { payload: Schema.Null, reply: Schema.Int },
    repeat: { payload: Amount },
    stop: { payload: Schema.Null },
    announce: { payload: Schema.Null, reply: Schema.Int }
  },
  step: {
    add: ({ count }, { by }, { messageId }) => {
      begun.push(messageId)
      return { state: { count: count + by }, reply: count + by }
    },
    shout: ({ count }, { by }) => ({
      state: { count: count + by },
      reply: count + by,
      actions: [publish("shouts", new TextEncoder().encode(String(count + by)))]
    }),
    get: ({ count }) => ({ reply: count }),
    peekAndChange: ({ count }) => ({ state: { count: count + 1 }, reply: count }),
    misreply: () => ({ state: { count: 99 }, reply: "many" as never }),
    repeat: ({ count }, { by }, { setTimer }) => ({
      state: { count: count + by },
      actions: [setTimer("again", { afterMs: 10_000, message: "repeat", payload: { by } })]
    }),
    stop: (_, __, { cancelTimer }) => ({ actions: [cancelTimer("again")] }),
    announce: ({ count }) => ({
      state: { count: count + 1 },
      reply: count + 1,
      actions: [
        publish("shouts", new TextEncoder().encode(String(count + 1))),
        {
          action: "tell",
          to: { type: "listener", key: "l" },
          label: "",
          body: { message: "heard", payload: count + 1 }
        }
      ]
    })
  }
})

const Fleeting = defineActor({
  type: "fleeting",
  durable: false,
  state: Schema.Struct({ count: Schema.Int }),
  initial: { count: 0 },
  messages: {
    add: { payload: Amount, reply: Schema.Int },
    later: { payload: Schema.Null }
  },
  step: {
    add: ({ count }, { by }) => ({ state: { count: count + by }, reply: count + by }),
    later: (_, __, { setTimer }) => ({
      actions: [setTimer("later", { afterMs: 1, message: "add", payload: { by: 1 } })]
    })
  }
})

const a = Counter.ref("a")

const subject = keySubject(Stream.actors, ActorSubject.actorKey(a.address))

/** Systems on one mesh, whose writes of the actor's record can be held back. */
const makeWorld = Effect.gen(function* () {
  const { faults, layer, mesh } = yield* makeFaultyMesh
  const heard: Array<string> = []
  yield* mesh.subscribe("shouts", ({ data }) => void heard.push(new TextDecoder().decode(data)))
  let release = Effect.succeed(true)
  const hold = Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const open = Deferred.succeed(gate, undefined)
    release = open
    faults.before = (written) => (written === subject ? Deferred.await(gate) : Effect.void)
    return { open }
  })
  const system = Layer.provide(layerLocal([Counter, Fleeting]), layer)
  const record = Effect.map(
    mesh.read(Stream.actors.name, subject),
    (stored) => Option.getOrThrow(Codec.fromJson(Option.getOrThrow(Option.getOrThrow(stored).value))) as StateRecord
  )
  const countOfSaves = () => faults.written.filter((written) => written === subject).length
  return { faults, layer, mesh, heard, hold, release: Effect.suspend(() => release), system, record, countOfSaves }
})

const started = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

const add = (by: number, operationId?: string) => a.ask("add", { by }, operationId === undefined ? {} : { operationId })

describe("a lot of messages", () => {
  it.effect("those that wait while one is saved are made true by one save", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        yield* world.hold
        const before = world.countOfSaves()
        const asks = yield* Effect.forEach(Array.from({ length: 11 }), () => started(add(1)))
        yield* settle
        yield* world.release
        const answers = yield* Effect.forEach(asks, (fiber) => Fiber.join(fiber))
        assert.deepStrictEqual(
          answers,
          Array.from(answers.keys(), (at) => at + 2)
        )
        assert.strictEqual(world.countOfSaves() - before, 2)
        assert.deepStrictEqual((yield* world.record).state, { count: 12 })
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a message that only reads is answered while a save is under way, from what was last saved", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        yield* world.hold
        const adding = yield* started(add(1))
        yield* settle
        assert.strictEqual(yield* a.ask("get", null), 1)
        yield* world.release
        assert.strictEqual(yield* Fiber.join(adding), 2)
        assert.strictEqual(yield* a.ask("get", null), 2)
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a message that only reads and changes something is a dead letter, and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        const failure = yield* Effect.flip(a.ask("peekAndChange", null))
        assert.strictEqual(failure._tag, "MessageDeadLettered")
        assert.strictEqual(yield* a.ask("get", null), 1)
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a message whose time is over when its turn comes is never begun", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        yield* world.hold
        const first = yield* started(add(1))
        yield* settle
        const late = yield* started(Effect.flip(withBudget(100)(add(5, "late"))))
        yield* TestClock.adjust(100)
        assert.strictEqual((yield* Fiber.join(late))._tag, "DeadlineExceeded")
        yield* world.release
        yield* Fiber.join(first)
        yield* settle
        assert.notInclude(begun, "late")
        assert.strictEqual(yield* a.ask("get", null), 2)
      }).pipe(Effect.provide(world.system))
    })
  )
})

describe("a save", () => {
  it.effect("what a step asked for is done only when it is saved", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        yield* world.hold
        const shouting = yield* started(a.ask("shout", { by: 1 }))
        yield* settle
        assert.deepStrictEqual(world.heard, [])
        yield* world.release
        assert.strictEqual(yield* Fiber.join(shouting), 2)
        assert.deepStrictEqual(world.heard, ["2"])
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a save that is fenced answers nobody and does nothing, and the next activation begins anew", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        yield* world.hold
        const shouting = yield* started(Effect.flip(a.ask("shout", { by: 1 })))
        yield* settle
        const record = yield* world.record
        yield* world.mesh.write(subject, Codec.toJson({ ...record, epoch: 7, nonce: "other", state: { count: 40 } }))
        yield* world.release
        assert.strictEqual((yield* Fiber.join(shouting))._tag, "ActorUnavailable")
        assert.deepStrictEqual(world.heard, [])
        assert.strictEqual(yield* a.ask("shout", { by: 1 }), 41)
        assert.deepStrictEqual(world.heard, ["41"])
        assert.strictEqual((yield* world.record).epoch, 8)
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a message that is sent again after its reply got lost takes effect once, also after a restart", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        yield* world.hold
        const lost = yield* started(Effect.flip(withBudget(100)(add(2, "order-1"))))
        yield* TestClock.adjust(100)
        assert.strictEqual((yield* Fiber.join(lost))._tag, "DeadlineExceeded")
        yield* world.release
        yield* settle
      }).pipe(Effect.provide(world.system))
      assert.deepStrictEqual((yield* world.record).state, { count: 3 })
      yield* Effect.gen(function* () {
        yield* add(10)
        assert.strictEqual(yield* add(2, "order-1"), 3)
        assert.strictEqual(yield* a.ask("get", null), 13)
      }).pipe(Effect.provide(world.system))
      assert.strictEqual(begun.filter((id) => id === "order-1").length, 1)
    })
  )
})

describe("an actor that is stopped while it saves", () => {
  for (const hung of ["before", "after"] as const) {
    for (const stop of ["drop", "handOver"] as const) {
      it.effect(`${stop}() while a save hangs ${hung} its effect loses neither the save nor what the step sends`, () =>
        Effect.gen(function* () {
          const { faults, heard, layer, record } = yield* makeWorld
          const { residents, send, told } = yield* Effect.provide(makeDefinedActors(Counter), layer)
          const gate = yield* Deferred.make<void>()
          send({ id: "first", message: "announce" })
          yield* settle
          faults[hung] = (written) => (written === subject ? Deferred.await(gate) : Effect.void)
          const asked = send({ id: "second", message: "announce" })
          yield* settle
          const stopping = yield* started(stop === "drop" ? residents.drop("7") : residents.handOver("7", 50))
          yield* TestClock.adjust("1 second")
          // whoever stops it does not hang on it
          yield* Fiber.join(stopping)
          assert.deepStrictEqual(heard, ["1"])
          yield* Deferred.succeed(gate, undefined)
          yield* settle
          assert.deepStrictEqual((yield* record).state, { count: 2 })
          assert.deepStrictEqual(heard, ["1", "2"])
          assert.deepStrictEqual(asked.map(wordOf), ["ActorUnavailable"])
          const again = send({ id: "second", message: "announce", ageMs: 1000 })
          yield* settle
          assert.deepStrictEqual(again.map(wordOf), [2])
          assert.deepStrictEqual(heard, ["1", "2"])
          assert.deepStrictEqual(
            told.map(({ body, cause }) => [cause, body.payload]),
            [
              ["first", 1],
              ["second", 2]
            ]
          )
        })
      )
    }
  }
})

describe("timers", () => {
  it.effect("a timer that is cancelled, or set anew, while its message is still to come has no effect", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* a.ask("repeat", { by: 1 })
        const { open } = yield* world.hold
        const adding = yield* started(add(5))
        // the actor is woken behind what it saves, and hears of its due timer in one lot with what takes it back
        yield* TestClock.adjust("10 seconds")
        const again = yield* started(a.ask("repeat", { by: 1 }))
        yield* open
        yield* Fiber.joinAll([again])
        assert.strictEqual(yield* Fiber.join(adding), 6)
        yield* settle
        assert.deepStrictEqual((yield* world.record).state, { count: 7 })
        assert.lengthOf((yield* world.record).timers ?? [], 1)
        const { open: openAgain } = yield* world.hold
        const more = yield* started(add(5))
        yield* TestClock.adjust("10 seconds")
        const stopping = yield* started(a.ask("stop", null))
        yield* openAgain
        yield* Fiber.join(stopping)
        assert.strictEqual(yield* Fiber.join(more), 12)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual((yield* world.record).state, { count: 12 })
        assert.notProperty(yield* world.record, "timers")
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a timer's message in one lot with what cancels the timer has no effect", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* a.ask("repeat", { by: 1 })
        const { open: first } = yield* world.hold
        const asks = [yield* started(add(5))]
        yield* TestClock.adjust("10 seconds")
        // in one lot with the waking: the timer's message comes when this is saved
        asks.push(yield* started(add(5)))
        const { open: second } = yield* world.hold
        yield* first
        yield* settle
        const stopping = yield* started(a.ask("stop", null))
        const saves = world.countOfSaves()
        yield* second
        yield* Fiber.join(stopping)
        assert.deepStrictEqual(yield* Effect.forEach(asks, (fiber) => Fiber.join(fiber)), [6, 11])
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual((yield* world.record).state, { count: 11 })
        // that of the lot in between, and that of the last: what cancels and what was cancelled
        assert.strictEqual(world.countOfSaves() - saves, 2)
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a timer fires on the next system when the one that set it is gone, and goes on there", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.provide(a.ask("repeat", { by: 1 }), world.system)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* world.record).state, { count: 1 })
      yield* Effect.gen(function* () {
        yield* settle
        assert.deepStrictEqual((yield* world.record).state, { count: 2 })
        for (const count of [3, 4, 5, 6]) {
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual((yield* world.record).state, { count })
        }
        assert.lengthOf((yield* world.record).timers ?? [], 1)
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a note that is too early wakes the actor once, and is put off to its timer", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.provide(a.ask("repeat", { by: 1 }), world.system)
      const noted = keySubject(Stream.timers, `0.${ActorSubject.actorKey(a.address)}`)
      yield* world.mesh.write(noted, Codec.toJson({ to: a.address, at: 1000 }))
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("1 second")
        const note = Option.getOrThrow(yield* world.mesh.read(Stream.timers.name, noted))
        assert.deepInclude(Option.getOrThrow(Codec.fromJson(Option.getOrThrow(note.value))), { at: 10_000 })
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual((yield* world.record).state, { count: 2 })
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("an actor whose state is not saved is told that it has no timers, and keeps its state", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        const fleeting = Fleeting.ref("f")
        yield* fleeting.ask("add", { by: 2 })
        const failure = yield* Effect.flip(fleeting.ask("later", null))
        assert.strictEqual(failure._tag, "MessageDeadLettered")
        assert.include(failure.message, "not saved")
        assert.strictEqual(yield* fleeting.ask("add", { by: 1 }), 3)
      }).pipe(Effect.provide(world.system))
    })
  )
})

describe("forms", () => {
  it.effect("a message that is unknown, or of another form, is refused, and the actor goes on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        const { deliver } = yield* ActorSystem
        yield* add(1)
        const to = { to: a.address, label: Counter.label }
        for (const body of [
          { message: "unheard", payload: null },
          { message: "$wake", payload: null },
          { message: "add", payload: { by: "one" } },
          { message: "get", payload: 5 }
        ]) {
          const failure = yield* Effect.flip(deliver(to, body))
          assert.strictEqual(failure._tag, "MalformedMessage", body.message)
        }
        assert.strictEqual(yield* a.ask("get", null), 1)
      }).pipe(Effect.provide(world.system))
    })
  )

  it.effect("a reply of another form than was declared is a dead letter, and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* Effect.gen(function* () {
        yield* add(1)
        const failure = yield* Effect.flip(a.ask("misreply", null))
        assert.strictEqual(failure._tag, "MessageDeadLettered")
        assert.include(failure.message, "reply of misreply")
        assert.strictEqual(yield* a.ask("get", null), 1)
      }).pipe(Effect.provide(world.system))
    })
  )
})
