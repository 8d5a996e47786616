/** Is a question put for as long as it may be, and no longer? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { askPatiently } from "../../client/askPatiently.ts"
import type { Question } from "../../client/Session.ts"
import { jsonAnswer, refusal } from "./answers.ts"
import * as BrokenLink from "./brokenLink.ts"

const answered = jsonAnswer({ status: "ok" })

const question: Question = { subject: "seamless.v1.read", body: {}, accept: "application/json", budgetMs: 3000 }

const forked = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

const budgets = (sent: ReadonlyArray<{ readonly headers: ReadonlyMap<string, string> }>) =>
  sent.map(({ headers }) => headers.get("Seamless-Budget-Ms"))

it.effect("askPatiently() waits for the connection, and gives the host what is left", () =>
  Effect.gen(function* () {
    const { back, lose, sent, session } = yield* BrokenLink.start(() => answered)
    lose()
    const asking = yield* forked(askPatiently(session, question))
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(sent, [])
    back()
    yield* Fiber.join(asking)
    assert.deepStrictEqual(budgets(sent), ["2000"])
  })
)

it.effect("askPatiently() gives up where the connection is not back within the budget", () =>
  Effect.gen(function* () {
    const { lose, sent, session } = yield* BrokenLink.start(() => answered)
    lose()
    const asking = yield* forked(Effect.flip(askPatiently(session, question)))
    yield* TestClock.adjust("3 seconds")
    const error = yield* Fiber.join(asking)
    assert.deepInclude(error, { tag: "MeshUnavailable", code: 503 })
    assert.include(error.message, "no connection for 3000 ms")
    assert.deepStrictEqual(sent, [])
  })
)

it.effect("askPatiently() asks again when the connection was lost in mid-air, with what is left", () =>
  Effect.gen(function* () {
    let asked = 0
    const { back, lose, sent, session } = yield* BrokenLink.start(() => (++asked === 1 ? "silence" : answered))
    const asking = yield* forked(askPatiently(session, question))
    lose()
    yield* TestClock.adjust("500 millis")
    back()
    yield* Fiber.join(asking)
    assert.deepStrictEqual(budgets(sent), ["3000", "2500"])
  })
)

it.effect("askPatiently() fails at once where nobody has ever answered", () =>
  Effect.gen(function* () {
    const { sent, session } = yield* BrokenLink.start(() => "nobody")
    assert.strictEqual((yield* Effect.flip(askPatiently(session, question))).tag, "NoHostAnswers")
    assert.strictEqual(sent.length, 1)
  })
)

it.effect("askPatiently() asks again while hosts change, for as long as its budget lasts", () =>
  Effect.gen(function* () {
    let isAway = false
    const { sent, session } = yield* BrokenLink.start(() => (isAway ? "nobody" : answered))
    yield* askPatiently(session, question)
    isAway = true
    const asking = yield* forked(askPatiently(session, question))
    yield* TestClock.adjust("1 second")
    isAway = false
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(asking)
    isAway = true
    const before = sent.length
    const late = yield* forked(Effect.flip(askPatiently(session, question)))
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual((yield* Fiber.join(late)).tag, "NoHostAnswers")
    assert.isAtMost(sent.length - before, 8)
  })
)

it.effect("askPatiently() fails at once where the client is closed", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { lose, session } = yield* Scope.provide(
      BrokenLink.start(() => answered),
      scope
    )
    lose()
    const waiting = yield* forked(Effect.flip(askPatiently(session, question)))
    yield* Scope.close(scope, yield* Effect.exit(Effect.void))
    assert.include((yield* Fiber.join(waiting)).message, "the client is closed")
    assert.strictEqual((yield* Effect.flip(askPatiently(session, question))).tag, "MeshUnavailable")
  })
)

it.effect("askPatiently() tells the hosts that its answer is no longer wanted, by the name of the call", () =>
  Effect.gen(function* () {
    const { published, sent, session } = yield* BrokenLink.start(() => "silence")
    const asking = yield* forked(askPatiently(session, { ...question, isCancellable: true }))
    yield* Fiber.interrupt(asking)
    const call = sent[0]?.headers.get("Seamless-Call")
    assert.match(String(call), /^[0-9a-z]{24}$/)
    assert.deepStrictEqual(published, [{ subject: `seamless.v1.cancel.${call}`, text: "" }])
  })
)

it.effect("askPatiently() names no call that nobody can call off", () =>
  Effect.gen(function* () {
    const { published, sent, session } = yield* BrokenLink.start(() => "silence")
    yield* Fiber.interrupt(yield* forked(askPatiently(session, question)))
    assert.isFalse(sent[0]?.headers.has("Seamless-Call"))
    assert.deepStrictEqual(published, [])
  })
)

const busy = refusal(429, { error: { tag: "TooManyRequests", message: "too many", retryAfterMs: 400 } })

it.effect("askPatiently() asks a host that is busy again when that said, with what is left", () =>
  Effect.gen(function* () {
    let asked = 0
    const { sent, session } = yield* BrokenLink.start(() => (++asked < 3 ? busy : answered))
    const asking = yield* forked(askPatiently(session, question))
    yield* TestClock.adjust("800 millis")
    yield* Fiber.join(asking)
    assert.deepStrictEqual(budgets(sent), ["3000", "2600", "2200"])
  })
)

it.effect("askPatiently() tells that a host is busy where the budget does not last until it is not", () =>
  Effect.gen(function* () {
    const { sent, session } = yield* BrokenLink.start(() => busy)
    const error = yield* Effect.flip(askPatiently(session, { ...question, budgetMs: 300 }))
    assert.deepInclude(error, { tag: "TooManyRequests", code: 429 })
    assert.deepStrictEqual(budgets(sent), ["300"])
  })
)

const patient: Question = { ...question, budgetMs: 30_000, againMs: 6000 }

describe("an answer that does not come", () => {
  it.effect("is asked for again when a host would long have given it, with what is left", () =>
    Effect.gen(function* () {
      let asked = 0
      const { sent, session } = yield* BrokenLink.start(() => (++asked === 1 ? "silence" : answered))
      const asking = yield* forked(askPatiently(session, patient))
      yield* TestClock.adjust("5999 millis")
      assert.strictEqual(sent.length, 1)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(asking)
      assert.deepStrictEqual(budgets(sent), ["30000", "24000"])
    })
  )

  it.effect("is not asked for again where the caller's deadline is all that a host has", () =>
    Effect.gen(function* () {
      const { sent, session } = yield* BrokenLink.start(() => "silence")
      const asking = yield* forked(Effect.flip(askPatiently(session, question)))
      yield* TestClock.adjust("4 seconds")
      assert.deepInclude(yield* Fiber.join(asking), { tag: "DeadlineExceeded", code: 504 })
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("is taken from who is slow, too, and who was asked beside it is told", () =>
    Effect.gen(function* () {
      let asked = 0
      const { published, sent, session } = yield* BrokenLink.start(() =>
        ++asked === 1 ? Effect.delay(Effect.succeed(answered), "8 seconds") : "silence"
      )
      const asking = yield* forked(askPatiently(session, patient))
      yield* TestClock.adjust("8 seconds")
      yield* Fiber.join(asking)
      assert.deepStrictEqual(
        published.map(({ subject }) => subject),
        [`seamless.v1.cancel.${sent[1]?.headers.get("Seamless-Call")}`]
      )
    })
  )

  it.effect("is waited for where nobody is there to be asked again, or has too much to do", () =>
    Effect.gen(function* () {
      let asked = 0
      const { sent, session } = yield* BrokenLink.start(() => {
        asked += 1
        if (asked === 1) return Effect.delay(Effect.succeed(answered), "20 seconds")
        return asked === 2 ? "nobody" : busy
      })
      const asking = yield* forked(askPatiently(session, patient))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(asking)
      assert.isAtLeast(sent.length, 4)
      assert.isAtMost(sent.length, 40)
    })
  )

  it.effect("is given up at the end of the patience, after a few tries", () =>
    Effect.gen(function* () {
      const { sent, session } = yield* BrokenLink.start(() => "silence")
      const asking = yield* forked(Effect.flip(askPatiently(session, patient)))
      yield* TestClock.adjust("31 seconds")
      assert.deepInclude(yield* Fiber.join(asking), { tag: "DeadlineExceeded", code: 504 })
      assert.strictEqual(sent.length, 3)
    })
  )

  it.effect("is asked for once where it was lost with its connection, however often it had been asked for", () =>
    Effect.gen(function* () {
      let asked = 0
      const { back, lose, sent, session } = yield* BrokenLink.start(() => (++asked < 3 ? "silence" : answered))
      const asking = yield* forked(askPatiently(session, patient))
      yield* TestClock.adjust("7 seconds")
      lose()
      back()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(asking)
      assert.strictEqual(sent.length, 3)
    })
  )
})
