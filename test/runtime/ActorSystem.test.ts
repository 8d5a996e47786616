/** Does an actor do one thing at a time, and does everyone who asks learn what became of it? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { define } from "../../protocol/wire/ActorMessage.ts"
import { MalformedMessage } from "../../protocol/wire/Errors.ts"
import type { ActorType } from "../../runtime/Actor.ts"
import { handler, on } from "../../runtime/handler.ts"
import { type ActorSystem, ask, layerLocal } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"

/** The till is shut for so much. */
class TillShut extends Schema.TaggedError<TillShut>()("TillShut", { asked: Schema.Finite }) {}

const add = define({
  actor: "till",
  name: "add",
  payload: Schema.Struct({ amount: Schema.Finite }),
  success: Schema.Struct({ total: Schema.Finite, life: Schema.Finite }),
  failure: TillShut
})
const hang = define({ actor: "till", name: "hang", payload: Schema.Null, success: Schema.Null, failure: Schema.Never })
const burn = define({ actor: "till", name: "burn", payload: Schema.Null, success: Schema.Null, failure: Schema.Never })
const unheard = define({
  actor: "till",
  name: "unheard",
  payload: Schema.Null,
  success: Schema.Null,
  failure: Schema.Never
})

const addTo = ask(add)
const burnTill = ask(burn)
const hangTill = ask(hang)

/** A type of tills, and what was seen of their lives. */
const makeTills = Effect.gen(function* () {
  const open = yield* Deferred.make<void>()
  const seen = { lives: 0, busy: 0, busyMost: 0, started: 0, closed: 0 }
  const oneAtATime = <A, E>(self: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      seen.started += 1
      seen.busy += 1
      seen.busyMost = Math.max(seen.busyMost, seen.busy)
      return Effect.ensuring(
        self,
        Effect.sync(() => void (seen.busy -= 1))
      )
    })
  const type: ActorType = {
    name: "till",
    activate: Effect.fnUntraced(function* ({ address }) {
      yield* Effect.yieldNow
      if (address.key === "bricked") return yield* new MalformedMessage({ what: "key", problem: "names no till" })
      yield* Effect.addFinalizer(() => Effect.sync(() => void (seen.closed += 1)))
      const life = ++seen.lives
      let total = 0
      return handler(address, [
        on(add, ({ amount }) =>
          oneAtATime(
            Effect.gen(function* () {
              if (amount < 0) return yield* new TillShut({ asked: amount })
              const before = total
              yield* Effect.yieldNow
              total = before + amount
              return { total, life }
            })
          )
        ),
        on(hang, () => oneAtATime(Effect.as(Deferred.await(open), null))),
        on(burn, () => oneAtATime(Effect.die(new Error("fire"))))
      ])
    })
  }
  return { open, seen, type }
})

const local = (types: ReadonlyArray<ActorType>) => Layer.provide(layerLocal(types), MemoryMesh.layer)

type Tills = Effect.Success<typeof makeTills>

const withTills = <A, E>(body: (tills: Tills) => Effect.Effect<A, E, ActorSystem>) =>
  Effect.flatMap(makeTills, (tills) => body(tills).pipe(Effect.provide(local([tills.type]))))

const started = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

describe("ask()", () => {
  it.effect("ask() of many at once is handled one by one", () =>
    withTills(({ seen }) =>
      Effect.gen(function* () {
        const asks = Array.from({ length: 50 }, () => addTo("a", { amount: 1 }))
        const answers = yield* Effect.all(asks, { concurrency: "unbounded" })
        assert.deepStrictEqual(
          answers.map(({ total }) => total),
          Array.from(answers.keys(), (index) => index + 1)
        )
        assert.strictEqual(seen.busyMost, 1)
      })
    )
  )

  it.effect("ask() of two at once, both the first, starts one activation", () =>
    withTills(({ seen }) =>
      Effect.gen(function* () {
        yield* Effect.all([addTo("a", { amount: 1 }), addTo("a", { amount: 1 })], { concurrency: 2 })
        assert.strictEqual(seen.lives, 1)
        yield* addTo("b", { amount: 1 })
        assert.strictEqual(seen.lives, 2)
      })
    )
  )

  it.effect("ask() gives a declared failure as it is, and the actor goes on", () =>
    withTills(({ seen }) =>
      Effect.gen(function* () {
        yield* addTo("a", { amount: 2 })
        const failure = yield* Effect.flip(addTo("a", { amount: -3 }))
        assert.deepStrictEqual(failure, new TillShut({ asked: -3 }))
        assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 3, life: 1 })
        assert.strictEqual(seen.lives, 1)
      })
    )
  )

  it.effect("ask() with a message that breaks the actor is told so, and the next message starts a new one", () =>
    withTills(({ seen }) =>
      Effect.gen(function* () {
        yield* addTo("a", { amount: 2 })
        const failure = yield* Effect.flip(burnTill("a", null))
        assert.strictEqual(failure._tag, "MessageDeadLettered")
        assert.include(failure.message, "fire")
        assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 1, life: 2 })
        assert.strictEqual(seen.closed, 1)
      })
    )
  )

  it.effect("ask() behind a message that breaks the actor is answered by the next activation", () =>
    withTills(() =>
      Effect.gen(function* () {
        const burnt = yield* started(Effect.flip(burnTill("a", null)))
        const behind = yield* started(addTo("a", { amount: 1 }))
        assert.strictEqual((yield* Fiber.join(burnt))._tag, "MessageDeadLettered")
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(yield* Fiber.join(behind), { total: 1, life: 2 })
      })
    )
  )

  it.effect(
    "ask() of an actor that breaks again and again is told that it has stopped, until it is left alone no more",
    () =>
      withTills(({ seen }) =>
        Effect.gen(function* () {
          const burnt = yield* Effect.forEach(Array.from({ length: 7 }), () =>
            started(Effect.flip(burnTill("a", null)))
          )
          yield* TestClock.adjust("10 seconds")
          const tags = yield* Effect.forEach(burnt, (fiber) => Effect.map(Fiber.join(fiber), ({ _tag }) => _tag))
          assert.deepStrictEqual(tags, [...Array.from({ length: 6 }, () => "MessageDeadLettered"), "ActorStopped"])
          const lives = seen.lives
          const failure = yield* Effect.flip(addTo("a", { amount: 1 }))
          assert.strictEqual(failure._tag, "ActorStopped")
          assert.include(failure.message, "fire")
          assert.strictEqual(seen.lives, lives)
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 1, life: lives + 1 })
        })
      )
  )

  it.effect("ask() of an actor that cannot start is told why", () =>
    withTills(() =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(addTo("bricked", { amount: 1 }))
        assert.strictEqual(failure._tag, "ActorStopped")
        assert.include(failure.message, "names no till")
      })
    )
  )

  it.effect("ask() with a message that the actor does not know is told so, and the actor goes on", () =>
    withTills(() =>
      Effect.gen(function* () {
        yield* addTo("a", { amount: 2 })
        const failure = yield* Effect.flip(ask(unheard)("a", null))
        assert.include(failure.message, "unheard is not known")
        assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 3, life: 1 })
      })
    )
  )

  it.effect("ask() of a type that nobody has is told so", () =>
    withTills(() =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(ask({ ...add, actor: "safe" })("a", { amount: 1 }))
        assert.strictEqual(failure._tag, "ActorUnavailable")
      })
    )
  )

  it.effect("ask() with a payload of another form is told so, and the actor goes on", () =>
    withTills(() =>
      Effect.gen(function* () {
        yield* addTo("a", { amount: 2 })
        const wrong = ask({ ...add, payload: Schema.Struct({ price: Schema.String }) })
        assert.include((yield* Effect.flip(wrong("a", { price: "1" }))).message, "till.add can't be read")
        assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 3, life: 1 })
      })
    )
  )
})

describe("a mailbox", () => {
  it.effect("a full mailbox answers MailboxFull, with a time to ask again", () =>
    withTills(({ open, seen }) =>
      Effect.gen(function* () {
        const first = yield* started(hangTill("a", null))
        while (seen.started === 0) yield* Effect.yieldNow
        const waiting = yield* Effect.forEach(Array.from({ length: 1024 }), () => started(addTo("a", { amount: 1 })))
        const failure = yield* Effect.flip(addTo("a", { amount: 1 }))
        assert.strictEqual(failure._tag, "MailboxFull")
        assert.match(failure.message, /ask again after [1-9]\d* ms/)
        yield* Deferred.succeed(open, undefined)
        yield* Fiber.join(first)
        const answers = yield* Effect.forEach(waiting, (fiber) => Fiber.join(fiber))
        assert.strictEqual(answers.at(-1)!.total, 1024)
      })
    )
  )
})

describe("a deadline", () => {
  it.effect("an asker whose deadline passes is told so, and the actor goes on with the work", () =>
    withTills(({ open, seen }) =>
      Effect.gen(function* () {
        const late = yield* started(Effect.flip(withBudget(100)(hangTill("a", null))))
        yield* TestClock.adjust(100)
        const failure = yield* Fiber.join(late)
        assert.strictEqual(failure._tag, "DeadlineExceeded")
        assert.include(failure.message, "till/a")
        assert.strictEqual(seen.busy, 1)
        yield* Deferred.succeed(open, undefined)
        assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 1, life: 1 })
      })
    )
  )

  it.effect("a message whose asker's time is over is not begun", () =>
    withTills(({ open, seen }) =>
      Effect.gen(function* () {
        const first = yield* started(hangTill("a", null))
        while (seen.started === 0) yield* Effect.yieldNow
        const late = yield* started(Effect.exit(withBudget(100)(addTo("a", { amount: 5 }))))
        yield* TestClock.adjust(100)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(late)))
        yield* Deferred.succeed(open, undefined)
        yield* Fiber.join(first)
        assert.deepStrictEqual(yield* addTo("a", { amount: 1 }), { total: 1, life: 1 })
      })
    )
  )

  it.effect("ask() without any time left sends nothing", () =>
    withTills(({ seen }) =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(withBudget(0)(addTo("a", { amount: 1 })))
        assert.strictEqual(failure._tag, "DeadlineExceeded")
        assert.strictEqual(seen.lives, 0)
      })
    )
  )
})

describe("layerLocal()", () => {
  it.effect("layerLocal() releases what its actors hold when it ends", () =>
    Effect.gen(function* () {
      const tills = yield* makeTills
      yield* addTo("a", { amount: 1 }).pipe(Effect.provide(local([tills.type])))
      assert.strictEqual(tills.seen.closed, 1)
    })
  )
})
