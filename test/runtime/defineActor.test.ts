/** Does an actor that is defined by steps keep its promises: saved before answered, done once, woken in time? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Option, Schema } from "effect"
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
import type { Action } from "../../runtime/StepContext.ts"

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

const Hoard = defineActor({
  type: "hoard",
  label: "vaults",
  state: Schema.Struct({ held: Schema.String }),
  initial: { held: "" },
  messages: {
    show: { payload: Schema.Struct({ size: Schema.Int }), reply: Schema.String },
    hold: { payload: Schema.Struct({ size: Schema.Int }), reply: Schema.Int },
    weigh: { payload: Schema.Null, reply: Schema.Int, readOnly: true }
  },
  step: {
    show: ({ held }, { size }) => ({ state: { held }, reply: "x".repeat(size) }),
    hold: (_, { size }) => ({ state: { held: "x".repeat(size) }, reply: size }),
    weigh: ({ held }) => ({ reply: held.length })
  }
})

const hoard = Hoard.ref("h")

/** A system whose server takes so much at once. */
const narrow = (payloadBytesMax: number) => {
  const mesh = Layer.effect(
    Mesh,
    Effect.map(Effect.service(Mesh), (each) => Mesh.of({ ...each, payloadBytesMax: () => payloadBytesMax }))
  )
  return Layer.provideMerge(layerLocal([Hoard]), Layer.provide(mesh, MemoryMesh.layer))
}

const hoardBytes = Effect.gen(function* () {
  const mesh = yield* Mesh
  const subject = keySubject(Stream.actors, ActorSubject.actorKey(hoard.address))
  return Option.getOrThrow(Option.getOrThrow(yield* mesh.read(Stream.actors.name, subject)).value).length
})

describe("the size of a record", () => {
  it.effect("an actor with replies of 100 KB goes on, and its record holds few of them", () =>
    Effect.gen(function* () {
      const size = 100 * 1024
      for (let round = 0; round < 200; round++) {
        assert.lengthOf(yield* hoard.ask("show", { size }), size)
        assert.isBelow(yield* hoardBytes, 64 * 1024 + size + 1024)
      }
    }).pipe(Effect.provide(narrow(1024 * 1024)))
  )

  it.effect("an actor with small replies remembers as many as fit, and its record stays as small", () =>
    Effect.gen(function* () {
      const size = 10 * 1024
      for (let round = 0; round < 200; round++) yield* hoard.ask("show", { size }, { operationId: `op-${round}` })
      assert.isBelow(yield* hoardBytes, 64 * 1024 + 1024)
      const [remembered] = yield* Effect.all([hoard.ask("show", { size: 0 }, { operationId: "op-195" })])
      assert.lengthOf(remembered, size)
    }).pipe(Effect.provide(narrow(1024 * 1024)))
  )

  it.effect(
    "a state that no server takes makes its message a dead letter at once, and the actor goes on as before",
    () =>
      Effect.gen(function* () {
        yield* hoard.ask("hold", { size: 100 })
        const begunMs = yield* Clock.currentTimeMillis
        const failure = yield* Effect.flip(hoard.ask("hold", { size: 50_000 }))
        assert.strictEqual(yield* Clock.currentTimeMillis, begunMs)
        assert.strictEqual(failure._tag, "MessageDeadLettered")
        const [, bytes, bytesMax] = (/have (\d+) bytes, and the server takes (\d+)/.exec(failure.message) ?? []).map(
          Number
        )
        assert.isAbove(bytes!, 50_000)
        assert.strictEqual(bytesMax, 20_000 - 4096)
        assert.strictEqual(yield* hoard.ask("weigh", null), 100)
        assert.strictEqual(yield* hoard.ask("hold", { size: 200 }), 200)
        assert.strictEqual(yield* hoard.ask("weigh", null), 200)
      }).pipe(Effect.provide(narrow(20_000)))
  )
})

describe("defineActor()", () => {
  it("defineActor() without a label has the type's name for one", () => {
    const labelIn = (action: Action) => ("label" in action ? action.label : undefined)
    assert.strictEqual(Counter.label, "counter")
    assert.strictEqual(labelIn(a.send("add", { by: 1 })), "counter")
    assert.strictEqual(Hoard.label, "vaults")
    assert.strictEqual(labelIn(hoard.send("hold", { size: 1 })), "vaults")
  })

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
