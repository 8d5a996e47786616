/** Does each request to a source have its permit, and is it told whose doing a request was that could not be sent? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { accountActor } from "../../../actors/budget/AccountActor.ts"
import { accountsOf } from "../../../actors/budget/AccountTerms.ts"
import * as UpstreamClient from "../../../actors/budget/UpstreamClient.ts"
import type { Step } from "../../../actors/backfill/AutoBackfiller.ts"
import { budgetGate, outcomeOf } from "../../../actors/backfill/budgetGate.ts"
import { pagedBackfiller, patienceMs } from "../../../actors/backfill/pagedBackfiller.ts"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { throughGate } from "../../../actors/sources/Gate.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { Upstream } from "../../../protocol/messages/Upstream.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import type { ActorType } from "../../../runtime/Actor.ts"
import { layerLocal } from "../../../runtime/ActorSystem.ts"
import { monotonicMs } from "../../../runtime/Deadline.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { autoBackfillerSuite } from "../../suites/autoBackfillerSuite.ts"
import { flatBars, intervalOf } from "../../support/rows.ts"

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance", account: "main", breakerFailures: 4 } },
  accounts: { main: { requestsPerMinute: 62, burst: 1 } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A" }]
}

const slotMs = 1000

const services = (types: ReadonlyArray<ActorType> = [accountActor(accountsOf(configuration))]) =>
  UpstreamClient.layer(configuration).pipe(Layer.provide(layerLocal(types)), Layer.provide(MemoryMesh.layer))

const busy = (retryAfterMs: number | null = null) =>
  new RequestFailed({ reason: "busy", retryable: true, retryAfterMs })

/** A source that answers each request with what comes next, and where nothing does, with a bar for each minute. */
const sourceOf = (failures: ReadonlyArray<RequestFailed>) => {
  const sentAtMs: Array<number> = []
  const source: DataSource = {
    name: "binance",
    kind: "BACKFILL",
    capabilities: { barsPerRequest: 10, maxEmptyBars: 0, finalityDelayMs: 0, attemptsMax: 3 },
    page: ({ end, start }) =>
      throughGate(
        Effect.gen(function* () {
          sentAtMs.push(yield* monotonicMs)
          const failure = failures[sentAtMs.length - 1]
          if (failure !== undefined) return yield* failure
          const minutes = Array.from(
            { length: Math.min(10, (end - start) / 60_000) },
            (_, index) => start / 60_000 + index
          )
          return flatBars(minutes)
        })
      )
  }
  return { source, sentAtMs }
}

/** Asks for thirty bars, three pages; gives how it ended, and how many requests were counted. */
const fetchBars = Effect.fnUntraced(function* (source: DataSource) {
  const upstream = yield* Upstream
  const entry = yield* SeriesCatalog.make(configuration).find("a", "1m")
  let requests = 0
  const wish = { source: source.name, jobClass: "bulk", series: "a", patienceMs } as const
  const gate = budgetGate(upstream, () => wish)
  const refill = {
    entry,
    stretch: [600_000, 600_000 + 30 * 60_000],
    known: Effect.succeed({ covered: RangeSet.empty, shut: RangeSet.empty, finalUntil: Infinity }),
    gate,
    onRequest: () => void requests++
  } as const
  const flags: Array<number> = []
  const onStep = ({ rows }: Step) => Effect.sync(() => void flags.push(...rows.flags))
  const exit = yield* Effect.exit(pagedBackfiller(source).refill(refill, onStep))
  return { exit, flags, requests, standings: yield* upstream.standings }
})

const within = <A, E, R>(ms: number, self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self)
    yield* Effect.repeat(TestClock.adjust("50 millis"), { times: ms / 50 })
    return yield* Fiber.join(fiber)
  })

const failureOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.match(exit, {
    onSuccess: () => undefined,
    onFailure: ({ reasons }) => reasons.find((each) => each._tag === "Fail")?.error
  })

describe("pagedBackfiller()", () => {
  it.effect("has a permit for each request, also for one that is sent again", () =>
    Effect.gen(function* () {
      const { sentAtMs, source } = sourceOf([busy(), busy()])
      const { exit, requests } = yield* within(10_000, fetchBars(source))
      assert.isTrue(Exit.isSuccess(exit))
      assert.isAtLeast(sentAtMs.length, 5)
      assert.strictEqual(requests, sentAtMs.length)
      const gaps = sentAtMs.slice(1).map((atMs, index) => atMs - sentAtMs[index]!)
      for (const gap of gaps) assert.isAtLeast(Math.round(gap), slotMs)
    }).pipe(Effect.provide(services()))
  )

  it.effect("says of each row that it is adjusted where its source says so of its bars", () =>
    Effect.gen(function* () {
      const { source } = sourceOf([])
      const adjusted: DataSource = { ...source, capabilities: { ...source.capabilities, adjusted: true } }
      const { backfilled, adjusted: bit } = RowFlag
      const { flags } = yield* within(10_000, fetchBars(adjusted))
      assert.deepStrictEqual(new Set(flags), new Set([backfilled | bit]))
      assert.deepStrictEqual(new Set((yield* within(10_000, fetchBars(source))).flags), new Set([backfilled]))
    }).pipe(Effect.provide(services()))
  )

  it.effect("sends nothing where the budget can't be asked, and says that the source has no part in it", () =>
    Effect.gen(function* () {
      const { sentAtMs, source } = sourceOf([])
      const { exit, requests } = yield* fetchBars(source)
      assert.deepInclude(failureOf(exit), {
        _tag: "NoAnswer",
        tag: "BudgetUnavailable",
        source: "binance"
      })
      assert.deepStrictEqual([sentAtMs.length, requests], [0, 0])
    }).pipe(Effect.provide(services([])))
  )

  it.effect("reports failures, and is refused at once with the time to ask again when there were too many", () =>
    Effect.gen(function* () {
      const { sentAtMs, source } = sourceOf(Array.from({ length: 10 }, () => busy()))
      const first = yield* within(10_000, fetchBars(source))
      assert.deepInclude(failureOf(first.exit), {
        tag: "SourceUnavailable",
        reason: "busy",
        retryAfterMs: 0
      })
      const second = yield* within(2000, fetchBars(source))
      assert.lengthOf(sentAtMs, 4)
      assert.strictEqual(second.requests, 1)
      const refused = failureOf(second.exit)
      assert.deepInclude(refused, { tag: "SourceUnavailable" })
      assert.match((refused as { readonly reason: string }).reason, /4 requests in a row have failed.*busy/)
      assert.deepInclude(second.standings.accounts[0]?.circuits[0], { state: "open", failures: 4 })
    }).pipe(Effect.provide(services()))
  )

  it.effect("reports a refusal, which holds back the account, and waits for it as long as it has patience", () =>
    Effect.gen(function* () {
      const refusal = (retryAfterMs: number) =>
        new RequestFailed({ reason: "429", retryable: true, retryAfterMs, isRefusal: true })
      const patient = sourceOf([refusal(5000)])
      yield* within(15_000, fetchBars(patient.source))
      assert.isAtLeast(patient.sentAtMs[1]! - patient.sentAtMs[0]!, 5000)

      const impatient = sourceOf([refusal(patienceMs + 10_000)])
      const { exit, standings } = yield* within(3000, fetchBars(impatient.source))
      assert.deepInclude(failureOf(exit), {
        tag: "SourceUnavailable",
        reason: "429",
        retryAfterMs: patienceMs + 10_000
      })
      assert.isNotNull(standings.accounts[0]!.coolDownUntil)
      const next = yield* fetchBars(impatient.source)
      assert.lengthOf(impatient.sentAtMs, 1)
      assert.deepInclude(failureOf(next.exit), { tag: "SourceUnavailable" })
    }).pipe(Effect.provide(services()))
  )
})

const minutes = Array.from({ length: 20 }, (_, minute) => minute)

for (const [name, held] of [
  ["pages from memory", minutes],
  // minutes 3 to 6 and 11 had no trade
  ["pages of a quiet market", [0, 1, 2, 7, 8, 9, 10, 12, 13, 14]]
] as const) {
  autoBackfillerSuite({
    name,
    make: Effect.succeed(
      pagedBackfiller(
        makeMemory({
          name: "memory",
          capabilities: { barsPerRequest: 3, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
          bars: new Map([["A", flatBars(held)]])
        })
      )
    ),
    symbol: "A",
    interval: intervalOf("1m"),
    times: held.map((minute) => minute * 60_000)
  })
}

describe("outcomeOf()", () => {
  const failure = (more: Partial<Pick<RequestFailed, "retryable" | "isRefusal" | "unsent">>) =>
    Exit.fail(new RequestFailed({ reason: "r", retryable: true, retryAfterMs: 7, ...more }))

  it.each([
    ["an answer", Exit.void, { _tag: "Answered" }],
    ["a failure that may pass", failure({}), { _tag: "Failed", reason: "r" }],
    ["a failure for good, which is an answer", failure({ retryable: false }), { _tag: "Answered" }],
    ["a refusal", failure({ isRefusal: true }), { _tag: "Refused", retryAfterMs: 7 }],
    ["what was never sent", failure({ unsent: "budget" }), { _tag: "Dropped" }],
    ["an interruption", Exit.interrupt(), { _tag: "Dropped" }],
    ["a defect", Exit.die("broken"), { _tag: "Dropped" }]
  ] as const)("knows %s", (_, ended, outcome) => assert.deepStrictEqual(outcomeOf(ended), outcome))
})
