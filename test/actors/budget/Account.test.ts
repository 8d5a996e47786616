/** Does an account give what it has and no more, and each its due? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Account from "../../../actors/budget/Account.ts"
import { JobClass } from "../../../protocol/history/BackfillJob.ts"
import type { Outcome } from "../../../protocol/messages/Upstream.ts"
import { mostAtOnce, mostWithin, run, type Sent, sourceTerms, termsOf, worker } from "../../support/budget/Office.ts"

const minuteMs = 60_000

const requests = (perMinute: number, burst: number) => ({ perMinute, burst })

const workers = fc
  .array(
    fc.record({
      asker: fc.constantFrom("host 1", "host 2", "host 3"),
      jobClass: fc.constantFrom(...JobClass.literals),
      series: fc.constantFrom("a", "b", "c"),
      fromMs: fc.integer({ min: 0, max: 90_000 }),
      wayMs: fc.integer({ min: 0, max: 400 }),
      requestMs: fc.integer({ min: 1, max: 5000 }),
      requests: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1000)),
      diesAtMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 200_000 }))
    }),
    { minLength: 1, maxLength: 12 }
  )
  .map((drawn) => drawn.map((more, index) => worker(`worker ${index}`, more)))

const limits = fc.record({
  perMinute: fc.integer({ min: 2, max: 120 }),
  burstShare: fc.double({ min: 0, max: 1, noNaN: true })
})

const takenOver = fc.array(fc.integer({ min: 0, max: 240_000 }), { maxLength: 6 })

const property = <T extends [unknown, ...Array<unknown>]>(
  title: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  claim: (...values: T) => void
): void =>
  it(title, () =>
    fc.assert(
      fc.property(...arbitraries, (...values: T): void => claim(...values)),
      { numRuns: 150 }
    )
  )

const by = (sent: ReadonlyArray<Sent>, name: string): ReadonlyArray<Sent> => sent.filter((each) => each.worker === name)

describe("an account with a budget", () => {
  property(
    "no minute has more requests than are allowed, whoever dies, and whoever takes the account over",
    [workers, limits, takenOver],
    (given, { burstShare, perMinute }, takenOverAtMs) => {
      const burst = Math.max(1, Math.round(perMinute * burstShare))
      const sent = run(termsOf({ requests: requests(perMinute, burst) }), given, { untilMs: 240_000, takenOverAtMs })
      assert.isAtMost(mostWithin(sent, minuteMs), perMinute)
    }
  )

  property(
    "no more requests are under way at once than are allowed, whoever dies, and whoever takes the account over",
    [workers, fc.integer({ min: 1, max: 4 }), takenOver],
    (given, concurrency, takenOverAtMs) => {
      const sent = run(termsOf({ concurrency }), given, { untilMs: 60_000, takenOverAtMs })
      assert.isAtMost(mostAtOnce(sent), concurrency)
    }
  )

  it("all of a budget is used where enough is wanted", () => {
    const terms = termsOf({ requests: requests(100, 5) })
    const sent = run(
      terms,
      Array.from({ length: 16 }, (_, index) => worker(`bulk ${index}`)),
      { untilMs: 10 * minuteMs }
    )
    const flow = (100 - 5 + 1) * (60 / 62)
    assert.isAbove(sent.length, 9.9 * flow)
    assert.isAtMost(mostWithin(sent, minuteMs), 100)
  })

  it("a place that gets free is not left empty for long", () => {
    const many = Array.from({ length: 12 }, (_, index) => worker(`bulk ${index}`, { requestMs: 100 }))
    const sent = run(termsOf({ concurrency: 2 }), many, { untilMs: 20_000 })
    // two places, a tenth of a second each
    assert.isAbove(sent.length, 0.7 * 400)
  })

  it("weight is limited beside requests", () => {
    const terms = termsOf({
      requests: requests(1000, 1),
      weight: requests(60, 10),
      sources: new Map([["binance", { ...sourceTerms, weight: 1 }]])
    })
    const sent = run(terms, [worker("bulk")], { untilMs: 3 * minuteMs })
    assert.isAtMost(mostWithin(sent, minuteMs), 60)
    assert.isAbove(sent.length, 120)
  })

  it("one process has no more requests of a source under way than its terms say, and leaves the rest to others", () => {
    const terms = termsOf({ sources: new Map([["binance", { ...sourceTerms, concurrency: 2 }]]) })
    const of = (asker: string) =>
      Array.from({ length: 5 }, (_, index) => worker(`${asker} ${index}`, { asker, requestMs: 200 }))
    const sent = run(terms, [...of("x"), ...of("y")], { untilMs: 10_000 })
    for (const asker of ["x", "y"]) {
      assert.strictEqual(mostAtOnce(sent.filter((each) => each.worker.startsWith(asker))), 2)
    }
    assert.strictEqual(mostAtOnce(sent), 4)
  })
})

describe("those who wait for a budget", () => {
  const terms = termsOf({ requests: requests(60, 1) })
  const slotMs = 62_000 / 60
  const bulk = Array.from({ length: 16 }, (_, index) => worker(`bulk ${index}`))

  property(
    "an interactive request under a bulk backfill waits less than two slots",
    [fc.integer({ min: 10_000, max: 100_000 })],
    (fromMs) => {
      const reader = worker("reader", { jobClass: "interactive", fromMs, requests: 1 })
      const [only] = by(run(terms, [...bulk, reader], { untilMs: fromMs + 10_000 }), "reader")
      assert.isBelow(only!.atMs - only!.wishedAtMs, 2 * slotMs)
    }
  )

  it("no class starves, and each has its share where all want more than there is", () => {
    const all = JobClass.literals.flatMap((jobClass) =>
      Array.from({ length: 4 }, (_, index) => worker(`${jobClass} ${index}`, { jobClass }))
    )
    const sent = run(terms, all, { untilMs: 20 * minuteMs })
    const shares = JobClass.literals.map(
      (jobClass) => sent.filter((each) => each.worker.startsWith(jobClass)).length / sent.length
    )
    for (const [index, share] of [8, 4, 2, 1].entries()) assert.closeTo(shares[index]!, share / 15, 0.01)
  })

  it("an interactive reader that asks again and again leaves bulk work its share", () => {
    const reader = worker("reader", { jobClass: "interactive" })
    const sent = run(terms, [...bulk, reader], { untilMs: 20 * minuteMs })
    const share = by(sent, "reader").length / sent.length
    assert.isAbove(share, 0.45)
    assert.isBelow(share, 0.82)
  })

  it("series of one class share it, however many workers one of them has", () => {
    const greedy = Array.from({ length: 12 }, (_, index) => worker(`greedy ${index}`, { series: "greedy" }))
    const modest = ["x", "y"].map((series) => worker(series))
    const sent = run(terms, [...greedy, ...modest], { untilMs: 10 * minuteMs })
    for (const each of modest) assert.closeTo(by(sent, each.name).length / sent.length, 1 / 3, 0.05)
  })
})

const ask = (account: Account.Account, id: string, nowMs: number, more: Partial<Account.Asking> = {}) =>
  Account.permit(
    account,
    { id, asker: "host", source: "binance", jobClass: "bulk", series: "a", weight: 1, ...more },
    nowMs
  )

const tell = (account: Account.Account, ticket: string, outcome: Outcome, nowMs: number) =>
  Account.report(account, { ticket, source: "binance", outcome }, nowMs)

/** Sends a request and has it end so. */
const send = (account: Account.Account, id: string, outcome: Outcome, nowMs: number): Account.Account => {
  const [then, verdict] = ask(account, id, nowMs)
  assert.strictEqual(verdict._tag, "Granted")
  return tell(then, id, outcome, nowMs)
}

const failed: Outcome = { _tag: "Failed", reason: "no answer" }

describe("permit()", () => {
  const fresh = Account.begin(termsOf(), 0)

  it("gives an account without limits at once, and says so again where the answer was lost", () => {
    const [once, first] = ask(fresh, "t", 0)
    assert.deepStrictEqual(first, { _tag: "Granted", ageMs: 0 })
    const [twice, second] = ask(once, "t", 700)
    assert.deepStrictEqual(second, { _tag: "Granted", ageMs: 700 })
    assert.strictEqual(twice.granted, 1)
  })

  it("gives a place back of which nothing is heard when its request has ended in any case", () => {
    const [taken] = ask(Account.begin(termsOf({ concurrency: 1 }), 0), "dead", 0)
    const endMs = 1000 + sourceTerms.timeoutMs + 1000
    assert.strictEqual(ask(taken, "next", endMs - 1)[1]._tag, "Wait")
    assert.strictEqual(ask(taken, "next", endMs)[1]._tag, "Granted")
  })

  it("holds everybody back until an account that refused may be asked again, and spends no burst then", () => {
    const account = Account.begin(termsOf({ requests: requests(60, 10) }), 0)
    const refused = send(account, "t", { _tag: "Refused", retryAfterMs: 30_000 }, 600_000)
    const [then, verdict] = ask(refused, "other", 601_000, { asker: "another host" })
    assert.deepStrictEqual(verdict, { _tag: "Wait", retryAfterMs: 29_000, because: "coolDown" })
    const [, later] = ask(then, "other", 630_000, { asker: "another host" })
    assert.strictEqual(later._tag, "Wait")
    assert.strictEqual(ask(then, "other", 632_000)[1]._tag, "Granted")
  })

  it("leaves a source alone that fails, and no other of the same account", () => {
    const sources = new Map([
      ["binance", sourceTerms],
      ["binanceus", sourceTerms]
    ])
    let account = Account.begin(termsOf({ sources }), 0)
    for (let index = 0; index < sourceTerms.failuresMax; index++) account = send(account, `${index}`, failed, 1000)
    const [, verdict] = ask(account, "t", 1400)
    assert.deepInclude(verdict, {
      _tag: "CircuitOpen",
      source: "binance",
      failures: 5,
      reason: "no answer",
      retryAfterMs: 600
    })
    assert.strictEqual(ask(account, "t", 1400, { source: "binanceus" })[1]._tag, "Granted")
  })

  it("lets one request through when a source was left alone for long enough, and all when that one was answered", () => {
    let account = Account.begin(termsOf(), 0)
    for (let index = 0; index < sourceTerms.failuresMax; index++) account = send(account, `${index}`, failed, 1000)
    const [tried, trial] = ask(account, "trial", 2000)
    assert.strictEqual(trial._tag, "Granted")
    assert.strictEqual(ask(tried, "other", 2000)[1]._tag, "CircuitOpen")
    const back = tell(tried, "trial", { _tag: "Answered" }, 2100)
    assert.strictEqual(ask(back, "other", 2100)[1]._tag, "Granted")
    // of a trial whose sender died nothing is heard: another one is let through
    assert.strictEqual(ask(tried, "other", 2000 + 1000 + sourceTerms.timeoutMs + 1000)[1]._tag, "Granted")
  })

  it("a place that was given back, or left, keeps nobody waiting", () => {
    const one = Account.begin(termsOf({ concurrency: 1 }), 0)
    const [taken] = ask(one, "first", 0)
    const [waiting] = ask(taken, "second", 0)
    const left = tell(tell(waiting, "second", { _tag: "Dropped" }, 10), "first", { _tag: "Dropped" }, 10)
    assert.strictEqual(ask(left, "third", 10)[1]._tag, "Granted")
  })
})
