/** Is an operator's word done to the jobs that it means, of those of one window? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as CoverageRecord from "../../../actors/coverage/CoverageRecord.ts"
import * as JobRecords from "../../../actors/coverage/JobRecords.ts"
import { operations } from "../../../actors/coverage/operations.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { JobVerb } from "../../../protocol/messages/Operate.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { LiveHosts } from "../../../runtime/LiveHosts.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { refOf } from "../../support/commits.ts"

const series = { nodeId: "a", interval: "1m" }
const minuteMs = 60_000
const who = { who: "ann", reason: "" }

const hosts = Layer.succeed(LiveHosts, {
  incarnation: "me",
  isDead: () => Effect.succeed(false),
  isValid: Effect.succeed(true)
})

const stores = Layer.mergeAll(ChunkStore.layer(1024), hosts).pipe(Layer.provideMerge(MemoryMesh.layer))

const catalog = SeriesCatalog.make({
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A", windowBars: 100 }]
})

/** The first 50 minutes of a window stored, and unsettled; jobs that fill the rest and check what is there. */
const open = Effect.gen(function* () {
  const address = { type: "coverage", key: Subject.series("a", "1m") }
  const entry = yield* catalog.find("a", "1m")
  const record = yield* CoverageRecord.open(entry, { address, owner: "me", slot: "3", slotEpoch: 1 })
  const jobs = yield* JobRecords.open(series)
  const stored = RangeSet.of(0, 50 * minuteMs)
  const chunk = refOf([[0, 50 * minuteMs]], { source: "binance" })
  yield* record.commit({
    series,
    windows: [{ windowStart: 0, generation: 0, base: null, chunk }],
    answered: stored,
    exceptions: [],
    asked: { ranges: RangeSet.empty, unsettled: stored, settleMs: 1000 },
    jobs: [],
    source: "binance",
    cause: "request-0"
  })
  const demand = {
    series,
    sources: ["binance"],
    jobClass: "verify",
    cause: "request-1",
    traceParent: "",
    nonce: "planned",
    nowMs: 0,
    generationOf: () => 0
  } as const
  yield* jobs.demand(demand, [{ windowStart: 0, ranges: RangeSet.of(50 * minuteMs, 100 * minuteMs) }])
  for (const revises of ["binance", "bybit"]) {
    yield* jobs.demand({ ...demand, revises }, [{ windowStart: 0, ranges: stored }])
  }
  const { invalidate, operate } = operations(record, jobs)
  const at = (revises?: string) =>
    jobs.change({ windowStart: 0, ...(revises !== undefined && { revises }) }, () => undefined)
  return {
    record,
    invalidate,
    operate: (verb: JobVerb, source?: string) =>
      operate({ series, verb, windows: [0], ...(source !== undefined && { source }), ...who }),
    /** What stands of what fills the window, and of what checks each source's bars of it. */
    all: Effect.all([at(), at("binance"), at("bybit")])
  }
})

describe("invalidate()", () => {
  it.effect("invalidate() has every job that waits plan upon what stands then: what fills and what checks", () =>
    Effect.gen(function* () {
      const { all, invalidate } = yield* open
      yield* invalidate({ series, ranges: RangeSet.of(0, 10 * minuteMs), ...who })
      const standing = yield* all
      assert.deepStrictEqual(
        standing.map((job) => `${job?.state} ${job?.generation}`),
        ["PENDING 1", "PENDING 1", "PENDING 1"]
      )
    }).pipe(Effect.provide(stores))
  )
})

describe("operate()", () => {
  it.effect("operate() means what fills the window, or what checks the bars of the source that it names", () =>
    Effect.gen(function* () {
      const { all, operate } = yield* open
      const { jobs } = yield* operate("cancel", "bybit")
      assert.deepStrictEqual(
        jobs.map(({ revises, state }) => [revises, state]),
        [["bybit", "FAILED"]]
      )
      const states = Effect.map(all, (standing) => standing.map((job) => job?.state))
      assert.deepStrictEqual(yield* states, ["PENDING", "PENDING", "FAILED"])
      yield* operate("cancel")
      assert.deepStrictEqual(yield* states, ["FAILED", "PENDING", "FAILED"])
      assert.strictEqual((yield* Effect.flip(operate("retry", "binance")))._tag, "JobNotSuited")
    }).pipe(Effect.provide(stores))
  )

  it.effect("operate() that calls a check off has the bars count as settled, and forgets nothing else", () =>
    Effect.gen(function* () {
      const { operate, record } = yield* open
      const before = record.root()
      assert.isDefined(before.unsettled)
      yield* operate("cancel")
      assert.deepStrictEqual(record.root().unsettled, before.unsettled)
      yield* operate("cancel", "bybit")
      assert.deepStrictEqual(record.root().unsettled, before.unsettled)
      yield* operate("cancel", "binance")
      assert.isUndefined(record.root().unsettled)
      assert.deepStrictEqual(record.root().diff.jobs, ["0.1r-binance"])
      assert.deepStrictEqual(record.covered(), RangeSet.of(0, 50 * minuteMs))
    }).pipe(Effect.provide(stores))
  )
})
