/** Does an actor that is defined by steps keep its promises: saved before answered, done once, woken in time? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { deadLetters } from "../../protocol/wire/DeadLetter.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { ActorSystem, layerLocal } from "../../runtime/ActorSystem.ts"
import { defineActor } from "../../runtime/defineActor.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"

/** The amount is too much. */
class TooMuch extends Schema.TaggedError<TooMuch>()("TooMuch", { amount: Schema.Int }) {}

const Counter = defineActor({
  type: "counter",
  state: Schema.Struct({ count: Schema.Int }),
  initial: { count: 0 },
  messages: {
    add: { payload: Schema.Struct({ by: Schema.Int }), reply: Schema.Int, failure: TooMuch },
    get: { payload: Schema.Null, reply: Schema.Struct({ count: Schema.Int, epoch: Schema.Int }), readOnly: true },
    burn: { payload: Schema.Null },
    addLater: { payload: Schema.Struct({ by: Schema.Int, afterMs: Schema.Int }) }
  },
  step: {
    add: ({ count }, { by }) =>
      by > 100 ? { failure: new TooMuch({ amount: by }) } : { state: { count: count + by }, reply: count + by },
    get: ({ count }, _, { epoch }) => ({ reply: { count, epoch } }),
    burn: () => {
      throw new Error("on fire")
    },
    addLater: (_, { afterMs, by }, context) => ({
      actions: [context.setTimer("later", { afterMs, message: "add", payload: { by } })]
    })
  }
})

const Gate = defineActor({
  type: "gate",
  state: Schema.Struct({ passed: Schema.Int }),
  initial: { passed: 0 },
  messages: { pass: { payload: Schema.Struct({ to: Schema.String }) } },
  step: {
    pass: ({ passed }, { to }) => ({
      state: { passed: passed + 1 },
      actions: [Counter.ref(to).send("add", { by: 1 })]
    })
  }
})

const a = Counter.ref("a")

const system = Layer.provideMerge(layerLocal([Counter, Gate]), MemoryMesh.layer)

const countOf = (key: string) => Effect.map(Counter.ref(key).ask("get", null), ({ count }) => count)

const recordOf = (key: string) =>
  Effect.gen(function* () {
    const mesh = yield* Mesh
    const subject = keySubject(Stream.actors, ActorSubject.actorKey({ type: "counter", key }))
    const stored = Option.getOrThrow(yield* mesh.read(Stream.actors.name, subject))
    return Option.getOrThrow(Codec.fromJson(Option.getOrThrow(stored.value))) as Record<string, unknown>
  })

describe("defineActor()", () => {
  it.effect("ask() answers when the state is saved", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* a.ask("add", { by: 2 }), 2)
      assert.strictEqual(yield* a.ask("add", { by: 3 }), 5)
      const record = yield* recordOf("a")
      assert.deepStrictEqual(record["state"], { count: 5 })
      assert.strictEqual(record["epoch"], 1)
    }).pipe(Effect.provide(system))
  )

  it.effect("a declared failure is the asker's, and changes nothing", () =>
    Effect.gen(function* () {
      yield* a.ask("add", { by: 2 })
      const failure = yield* Effect.flip(a.ask("add", { by: 101 }))
      assert.deepStrictEqual(failure, new TooMuch({ amount: 101 }))
      assert.strictEqual(yield* countOf("a"), 2)
    }).pipe(Effect.provide(system))
  )

  it.effect("the same operation takes effect once, and is answered the same", () =>
    Effect.gen(function* () {
      const options = { operationId: "order-1" }
      assert.strictEqual(yield* a.ask("add", { by: 2 }, options), 2)
      yield* a.ask("add", { by: 5 })
      assert.strictEqual(yield* a.ask("add", { by: 2 }, options), 2)
      assert.strictEqual(yield* countOf("a"), 7)
    }).pipe(Effect.provide(system))
  )

  it.effect("a message upon which the step breaks is a dead letter, and the actor goes on", () =>
    Effect.gen(function* () {
      yield* a.ask("add", { by: 2 })
      const failure = yield* Effect.flip(a.ask("burn", null, { operationId: "op" }))
      assert.strictEqual(failure._tag, "MessageDeadLettered")
      assert.include(failure.message, "on fire")
      assert.strictEqual(yield* countOf("a"), 2)
      const mesh = yield* Mesh
      const [letter] = yield* mesh.readMany(deadLetters.name, [ActorSubject.deadLettersOf("counter")])
      assert.include(new TextDecoder().decode(Option.getOrThrow(letter!.value)), "on fire")
      const { tally } = yield* ActorSystem
      assert.deepInclude(tally(), { sent: 3, replied: 2, deadLettered: 1, pending: 0 })
    }).pipe(Effect.provide(system))
  )

  it.effect("a timer fires once, in time", () =>
    Effect.gen(function* () {
      yield* a.ask("addLater", { by: 4, afterMs: 10_000 })
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* countOf("a"), 0)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* countOf("a"), 4)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* countOf("a"), 4)
    }).pipe(Effect.provide(system))
  )

  it.effect("what a step sends reaches the other actor", () =>
    Effect.gen(function* () {
      yield* Gate.ref("g").tell("pass", { to: "b" })
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      assert.strictEqual(yield* countOf("b"), 1)
      const { tally } = yield* ActorSystem
      assert.deepInclude(tally(), { sent: 3, replied: 3, pending: 0 })
    }).pipe(Effect.provide(system))
  )
})
