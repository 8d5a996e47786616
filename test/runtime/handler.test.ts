/** Are messages that may be handled together handled in lots, and does each still get its own answer? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result, Schema } from "effect"
import { define } from "../../protocol/wire/ActorMessage.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { ActorType, Incoming, Result as Outcome } from "../../runtime/Actor.ts"
import { type ActorSystem, ask, layerLocal } from "../../runtime/ActorSystem.ts"
import { remainingMs } from "../../runtime/Deadline.ts"
import { handler, on, onAll } from "../../runtime/handler.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"

/** So much can't be put on the pile. */
class TooHeavy extends Schema.TaggedError<TooHeavy>()("TooHeavy", { asked: Schema.Finite }) {}

const put = define({
  actor: "pile",
  name: "put",
  payload: Schema.Struct({ weight: Schema.Finite }),
  success: Schema.Struct({ total: Schema.Finite, lot: Schema.Finite }),
  failure: TooHeavy
})
const look = define({
  actor: "pile",
  name: "look",
  payload: Schema.Null,
  success: Schema.Struct({ total: Schema.Finite }),
  failure: Schema.Never
})
const hang = define({ actor: "pile", name: "hang", payload: Schema.Null, success: Schema.Null, failure: Schema.Never })

const tooHeavy = 100
const address = { type: "pile", key: "a" }

/** What a pile holds and was told, lot by lot. */
const makePile = Effect.gen(function* () {
  const open = yield* Deferred.make<void>()
  const seen = { lots: [] as Array<ReadonlyArray<number | string>>, budgetMs: 0, hangs: 0, total: 0, isLost: false }
  const behavior = handler(address, [
    onAll(put, (payloads) =>
      Effect.gen(function* () {
        seen.lots.push(payloads.map(({ weight }) => weight))
        seen.budgetMs = yield* remainingMs
        if (seen.isLost) return yield* new MeshUnavailable({ operation: "put", reason: "away" })
        return payloads.map(({ weight }) => {
          if (weight >= tooHeavy) return Result.fail(new TooHeavy({ asked: weight }))
          seen.total += weight
          return Result.succeed({ total: seen.total, lot: seen.lots.length })
        })
      })
    ),
    on(look, () =>
      Effect.sync(() => {
        seen.lots.push(["look"])
        return { total: seen.total }
      })
    ),
    on(hang, () => {
      seen.hangs += 1
      return Effect.as(Deferred.await(open), null)
    })
  ])
  const type: ActorType = { name: "pile", activate: () => Effect.succeed(behavior) }
  return { behavior, open, seen, type }
})

type Pile = Effect.Success<typeof makePile>

const incoming = (message: string, payload: unknown, budgetMs = 1000): Incoming => ({
  id: `${message} of ${JSON.stringify(payload)}`,
  message,
  payload,
  cause: "",
  traceParent: "",
  ageMs: 0,
  deadlineMs: budgetMs,
  budgetMs
})

const puts = (weights: ReadonlyArray<unknown>) => weights.map((weight) => incoming("put", { weight }))

/** Why a message was not delivered, up to the details; undefined where it was. */
const problemOf = (result: Outcome): string | undefined =>
  "undelivered" in result ? result.undelivered.message.split(":")[0] : undefined

describe("handler()", () => {
  it.effect("handler() gives each of a lot its own answer, in their order", () =>
    Effect.gen(function* () {
      const { behavior, seen } = yield* makePile
      const results = yield* behavior.handle(puts([1, 2, tooHeavy, 3]))
      assert.deepStrictEqual(seen.lots, [[1, 2, tooHeavy, 3]])
      assert.deepStrictEqual(results, [
        { body: { total: 1, lot: 1 } },
        { body: { total: 3, lot: 1 } },
        { error: { _tag: "TooHeavy", asked: tooHeavy } },
        { body: { total: 6, lot: 1 } }
      ])
    })
  )

  it.effect("handler() tells of a message that can't be read, and handles the others without it", () =>
    Effect.gen(function* () {
      const { behavior, seen } = yield* makePile
      const results = yield* behavior.handle(puts(["much", 1, null, 2]))
      assert.deepStrictEqual(seen.lots, [[1, 2]])
      assert.deepStrictEqual(results.map(problemOf), [
        "message pile.put can't be read",
        undefined,
        "message pile.put can't be read",
        undefined
      ])
      assert.deepStrictEqual([results[1], results[3]], [{ body: { total: 1, lot: 1 } }, { body: { total: 3, lot: 1 } }])
    })
  )

  it.effect("handler() of a lot of which none can be read tells each so", () =>
    Effect.gen(function* () {
      const { behavior, seen } = yield* makePile
      const results = yield* behavior.handle(puts(["much", "more"]))
      assert.strictEqual(results.filter((each) => "undelivered" in each).length, 2)
      assert.deepStrictEqual(seen.lots, [[]])
    })
  )

  it.effect("handler() gives a lot the time of the one that waits longest", () =>
    Effect.gen(function* () {
      const { behavior, seen } = yield* makePile
      const waiting = [100, 5000, 700].map((budgetMs) => incoming("put", { weight: 1 }, budgetMs))
      yield* behavior.handle(waiting)
      assert.strictEqual(seen.budgetMs, 5000)
    })
  )

  it("handler() takes only messages of one name together, and only those that may be", () => {
    const { behavior } = Effect.runSync(makePile)
    const isTakenWith = (first: string, next: string) =>
      behavior.isTakenWith?.({ message: first }, { message: next }) ?? true
    assert.isTrue(isTakenWith("put", "put"))
    for (const [first, next] of [
      ["put", "look"],
      ["look", "put"],
      ["look", "look"],
      ["unheard", "unheard"]
    ] as const) {
      assert.isFalse(isTakenWith(first, next), `${first} and ${next}`)
    }
  })
})

const withPile = <A, E>(body: (pile: Pile) => Effect.Effect<A, E, ActorSystem>) =>
  Effect.flatMap(makePile, (pile) =>
    Effect.provide(body(pile), Layer.provide(layerLocal([pile.type]), MemoryMesh.layer))
  )

const started = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

/** Asks all of it while the pile is busy; gives what each heard. */
const askedAtOnce = <A, E>(pile: Pile, asks: ReadonlyArray<Effect.Effect<A, E, ActorSystem>>) =>
  Effect.gen(function* () {
    const busy = yield* started(ask(hang)("a", null))
    while (pile.seen.hangs === 0) yield* Effect.yieldNow
    const waiting = yield* Effect.forEach(asks, (each) => started(Effect.result(each)))
    yield* Deferred.succeed(pile.open, undefined)
    yield* Fiber.join(busy)
    return yield* Effect.forEach(waiting, (fiber) => Fiber.join(fiber))
  })

const putOn = (weight: number) => ask(put)("a", { weight })
const lookAt = ask(look)("a", null)

describe("an actor that handles messages together", () => {
  it.effect("takes what waits as one lot, and answers each", () =>
    withPile((pile) =>
      Effect.gen(function* () {
        const heard = yield* askedAtOnce(pile, [1, 2, tooHeavy, 3].map(putOn))
        assert.deepStrictEqual(pile.seen.lots, [[1, 2, tooHeavy, 3]])
        assert.deepStrictEqual(heard, [
          Result.succeed({ total: 1, lot: 1 }),
          Result.succeed({ total: 3, lot: 1 }),
          Result.fail(new TooHeavy({ asked: tooHeavy })),
          Result.succeed({ total: 6, lot: 1 })
        ])
      })
    )
  )

  it.effect("keeps the order of messages: one of another name between them splits the lot", () =>
    withPile((pile) =>
      Effect.gen(function* () {
        const asks = [putOn(1), putOn(2), lookAt, lookAt, putOn(3), putOn(4)]
        const heard = yield* askedAtOnce<{ readonly total: number }, unknown>(pile, asks)
        assert.deepStrictEqual(pile.seen.lots, [[1, 2], ["look"], ["look"], [3, 4]])
        assert.deepStrictEqual(
          heard.map((each) => Result.getOrThrow(each).total),
          [1, 3, 3, 3, 6, 10]
        )
      })
    )
  )

  it.effect("goes on after one that can't be read, which alone is told so", () =>
    withPile((pile) =>
      Effect.gen(function* () {
        const wrong = ask({ ...put, payload: Schema.Struct({ weight: Schema.String }) })("a", { weight: "much" })
        const heard = yield* askedAtOnce(pile, [putOn(1), wrong, putOn(2)])
        assert.deepStrictEqual(pile.seen.lots, [[1, 2]])
        assert.deepStrictEqual(heard.map(Result.isSuccess), [true, false, true])
        const [, malformed] = heard
        assert.include(Result.isFailure(malformed!) ? malformed.failure.message : "", "pile.put can't be read")
      })
    )
  )

  it.effect("takes no more together than it may, and leaves none out", () =>
    withPile((pile) =>
      Effect.gen(function* () {
        const heard = yield* askedAtOnce(
          pile,
          Array.from({ length: 150 }, () => putOn(1))
        )
        assert.deepStrictEqual(
          pile.seen.lots.map(({ length }) => length),
          [64, 64, 22]
        )
        assert.deepStrictEqual(
          heard.map((each) => Result.getOrThrow(each).total),
          Array.from({ length: 150 }, (_, index) => index + 1)
        )
      })
    )
  )

  it.effect("tells all of a lot when it can't go on", () =>
    withPile((pile) =>
      Effect.gen(function* () {
        pile.seen.isLost = true
        const heard = yield* askedAtOnce(pile, [1, 2, 3].map(putOn))
        assert.deepStrictEqual(pile.seen.lots, [[1, 2, 3]])
        const tags = heard.map((each) => (Result.isFailure(each) ? each.failure._tag : "answered"))
        assert.deepStrictEqual(tags, ["ActorUnavailable", "ActorUnavailable", "ActorUnavailable"])
      })
    )
  )
})
