/**
 * Does a read do what its explanation says, and does an explanation do nothing at all?
 *
 * A whole host on memory, whose source counts what it is asked for: each read is explained first, and what came of it
 * is held against what was told.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { PageRequest } from "../../../actors/sources/DataSource.ts"
import type { ReadExplanation } from "../../../client/explain.ts"
import type { HistoryMeta } from "../../../client/HistoryResult.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { Strategy } from "../../../protocol/history/Strategy.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import type { SwitchName } from "../../../protocol/Switches.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { barFiles } from "../../support/BarFile.ts"
import { readBars } from "../../support/csv.ts"
import { makeFaultyMesh } from "../../support/faultyMesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const dayStart = Date.UTC(2022, 11, 13)
const minutes = (from: number, to: number): Range => [dayStart + from * 60_000, dayStart + to * 60_000]

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node: "btc", intervals: ["1m"], sources: ["binance"], symbol: "BTC", windowBars: 60 }]
}

/** A host, a source that answers when it is let, and everything that is asked of them. */
const start = Effect.gen(function* () {
  const { faults, layer, mesh } = yield* makeFaultyMesh
  const pages: Array<PageRequest> = []
  const memory = makeMemory({
    name: "binance",
    capabilities: { barsPerRequest: 100, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1, requestsPerMinute: 60 },
    bars: new Map([["BTC", readBars(barFiles.fullDay.path)]])
  })
  let gate = yield* Deferred.make<void>()
  yield* Deferred.succeed(gate, undefined)
  const source = {
    ...memory,
    page: (request: PageRequest) =>
      Effect.andThen(
        Effect.suspend(() => {
          pages.push(request)
          return Deferred.await(gate)
        }),
        memory.page(request)
      )
  }
  yield* memoryHost.start({ configuration, sources: [source] }).pipe(Effect.provide(layer))
  const ask = <A>(subject: string, [start, end]: Range, more: object): Effect.Effect<A> =>
    mesh
      .request(subject, Codec.toJson({ nodeId: "btc", interval: "1m", start, end, ...more }), { timeoutMs: 12_000 })
      .pipe(
        Effect.orDie,
        Effect.map(({ data }): A => JSON.parse(new TextDecoder().decode(data)))
      )
  const turn = (name: SwitchName, on: boolean) =>
    Effect.provideService(memoryHost.askAdmin("turnSwitch", { name, on, reason: "drill" }), Mesh, mesh)
  return {
    pages,
    turn,
    written: () => faults.written.filter((subject) => /coverage|jobs|chunks|pages|audit/.test(subject)),
    explain: (range: Range, more: object = {}) => ask<ReadExplanation>(Subject.service.explain, range, more),
    read: (range: Range, more: object = {}) =>
      ask<{ readonly meta: HistoryMeta; readonly error?: { readonly tag: string } }>(Subject.service.read, range, more),
    hold: Effect.map(Deferred.make<void>(), (held) => {
      gate = held
      return Deferred.succeed(held, undefined)
    })
  }
})

const pairs = (ranges: ReadonlyArray<Range>) => toPairs(RangeSet.make(ranges))

/** Says what of a read was not as it was explained; `pages` is how many the source was asked for. */
const disagreements = (told: ReadExplanation, meta: HistoryMeta, pages: number): ReadonlyArray<string> => {
  const { gap } = told
  const problems: Array<string> = []
  const same = (what: string, actual: unknown, expected: unknown) => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      problems.push(`${what}: ${JSON.stringify(actual)}, and ${JSON.stringify(expected)} was told`)
    }
  }
  const { phases } = meta.slaReport
  same("waited for", Object.keys(phases).toSorted(), Object.keys(told.waits.phases).toSorted())
  for (const [phase, { budgetMs }] of Object.entries(told.waits.phases)) {
    if ((phases[phase]?.budgetMs ?? Infinity) > (budgetMs ?? Infinity)) problems.push(`${phase} had a longer budget`)
  }
  // what was waited for has come from the source that was told, and nothing else has
  const [source = ""] = told.from.backfill.sources.map((each) => each.source)
  const filled = gap.mode === "wait" ? { [source]: told.from.backfill.ranges } : {}
  const expected = new Map(Object.entries(told.sourceContributions))
  for (const [name, ranges] of Object.entries(filled))
    expected.set(name, pairs([...(expected.get(name) ?? []), ...ranges]))
  same("gave rows", meta.sourceContributions, Object.fromEntries(expected))
  if (gap.mode === "wait") same("requests", pages, told.from.backfill.requests)
  if (gap.mode !== "wait") same("missing", meta.missingRanges, told.missingRanges)
  return problems
}

const onHost = <A, E>(run: (host: Effect.Success<typeof start>) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(start, run))

describe("explain", () => {
  it.live.each(Strategy.literals)("explain of %s is what the read then does, whatever is covered", (strategy) =>
    onHost(({ explain, pages, read }) =>
      Effect.gen(function* () {
        const cases = [
          { range: minutes(0, 40), more: {} },
          { range: minutes(0, 90), more: {} },
          { range: minutes(30, 150), more: { sla: { maxSyncGapBars: 10 } } },
          { range: minutes(0, 60), more: { sla: { maxWaitStorageMs: 900, totalDeadlineMs: 4000 } } },
          { range: minutes(0, 60), more: { strict: true, onStrictViolation: "flag" } }
        ]
        yield* read(minutes(10, 20), { strategy: "auto_backfill" })
        for (const { more, range } of cases) {
          const demand = { strategy, ...more }
          const told = yield* explain(range, demand)
          const before = pages.length
          const { error, meta } = yield* read(range, demand)
          assert.strictEqual(error?.tag, told.gap.mode === "fail" ? "CoverageMissing" : undefined)
          assert.deepStrictEqual(disagreements(told, meta, pages.length - before), [])
          // what is filled behind the reader's back is there before the next case
          yield* read(range, { strategy: "auto_backfill" })
        }
      })
    )
  )

  it.live("explain asks no source, opens no job, writes nothing, and loads no chunk", () =>
    onHost(({ explain, pages, read, written }) =>
      Effect.gen(function* () {
        for (const strategy of Strategy.literals) yield* explain(minutes(0, 600), { strategy })
        assert.deepStrictEqual([pages.length, written()], [0, []])
        yield* read(minutes(0, 60), { strategy: "auto_backfill" })
        const [asked, stored] = [pages.length, written().length]
        for (const strategy of Strategy.literals) yield* explain(minutes(0, 600), { strategy, strict: true })
        yield* explain(minutes(0, 600), { asOf: { version: 0 } })
        assert.deepStrictEqual([pages.length, written().length], [asked, stored])
      })
    )
  )

  it.live("explain tells what is in memory and what is not, and how much it is", () =>
    onHost(({ explain, read }) =>
      Effect.gen(function* () {
        const filling = { strategy: "auto_backfill" }
        yield* read(minutes(0, 60), filling)
        const warm = yield* explain(minutes(0, 60))
        assert.containSubset(warm.from.cache, { ranges: [minutes(0, 60)], bars: 60, windows: 1, chunks: 1 })
        assert.containSubset(warm.from.storage, { ranges: [], bars: 0, windows: 0, chunks: 0, bytes: 0 })
        assert.deepStrictEqual(warm.sourceContributions, { binance: [minutes(0, 60)] })
        assert.containSubset(warm.gap, { mode: "none", because: "complete" })
        assert.deepStrictEqual(warm.windows, [])
        const cold = yield* explain(minutes(0, 200), filling)
        assert.containSubset(cold.from.backfill, { ranges: [minutes(60, 200)], bars: 140, windows: 3, requests: 2 })
        assert.strictEqual(cold.from.backfill.seconds, 2)
        assert.deepStrictEqual(
          cold.windows.map(({ action, bars, job }) => [bars, action, job]),
          [
            [60, "open", null],
            [60, "open", null],
            [20, "open", null]
          ]
        )
      })
    )
  )

  it.live("explain tells of jobs that run already and would be joined, or followed where they bring less", () =>
    onHost(({ explain, hold, pages, read }) =>
      Effect.gen(function* () {
        const release = yield* hold
        const reader = yield* Effect.forkChild(read(minutes(0, 30), { strategy: "auto_backfill" }))
        yield* untilTrue(
          "the source is asked",
          Effect.sync(() => pages.length > 0)
        )
        const told = yield* explain(minutes(0, 30), { strategy: "auto_backfill" })
        assert.containSubset(told.windows, [{ action: "join", job: { run: 1, state: "RUNNING", attempts: 0 } }])
        const wider = yield* explain(minutes(0, 90), { strategy: "auto_backfill" })
        assert.deepStrictEqual(
          wider.windows.map(({ action }) => action),
          ["follow", "open"]
        )
        yield* release
        yield* Fiber.join(reader)
      })
    )
  )

  it.live("explain tells what an operator has turned off, as the read does", () =>
    onHost(({ explain, pages, read, turn }) =>
      Effect.gen(function* () {
        const range = minutes(0, 60)
        yield* turn("DISABLE_BACKFILL", true)
        yield* untilTrue(
          "the host has heard of it",
          Effect.map(explain(range), ({ gap }) => gap.because === "off")
        )
        const told = yield* explain(range, { strategy: "auto_backfill" })
        assert.deepStrictEqual(told.gap, { mode: "none", because: "off" })
        assert.match(told.notes.join(), /DISABLE_BACKFILL is on since .*, by alice: drill/)
        const { meta } = yield* read(range, { strategy: "auto_backfill" })
        assert.deepStrictEqual(Object.keys(meta.slaReport.phases), Object.keys(told.waits.phases))
        assert.lengthOf(pages, 0)
        yield* turn("FORCE_FAIL_FAST", true)
        yield* untilTrue(
          "the host has heard of that too",
          Effect.map(explain(range), ({ strategy }) => strategy === "fail_fast")
        )
        assert.match((yield* explain(range)).notes.join(), /answered as fail_fast, not as the default/)
        assert.strictEqual((yield* read(range)).error?.tag, "CoverageMissing")
      })
    )
  )

  it.live("explain refuses what read refuses, and judges a point of the past as it was", () =>
    onHost(({ explain, read }) =>
      Effect.gen(function* () {
        const { error } = (yield* explain(minutes(10, 0))) as { readonly error?: { readonly tag: string } }
        assert.strictEqual(error?.tag, "InvalidRequest")
        yield* read(minutes(0, 60), { strategy: "auto_backfill" })
        const past = yield* explain(minutes(0, 60), { asOf: { version: 0 } })
        assert.containSubset(past, { coverageVersion: 0, gap: { mode: "none", because: "past" } })
        assert.deepStrictEqual(Object.keys(past.waits.phases), ["storage"])
      })
    )
  )
})
