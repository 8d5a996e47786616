/** What does a source get to hear of what readers want, and what becomes of its silence? On a host in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Option } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { BackfillJob, JobClass } from "../../../protocol/history/BackfillJob.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { writeJob } from "../../../protocol/messages/Backfill.ts"
import { Coverage } from "../../../protocol/messages/Coverage.ts"
import type { Configuration, SeriesSettings } from "../../../protocol/Settings.ts"
import type { ExchangeSettings } from "../../../protocol/SourceSettings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { makeFaultyMesh } from "../../support/faultyMesh.ts"
import { jobOf } from "../../support/jobs.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { flatBars } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minuteMs = 60_000
const windowBars = 20
const series = { nodeId: "a", interval: "1m" }
const symbol = "A"

interface Recorded {
  readonly source: DataSource
  /** What it was asked: minutes, or for its first bar. */
  readonly asked: Array<Range | "first">
}

/** A source with bars at some minutes, which writes down what it is asked. */
const sourceOf = (
  name: string,
  minutes: ReadonlyArray<number>,
  { failsFirst = false, ...capabilities }: Partial<DataSource["capabilities"]> & { readonly failsFirst?: boolean } = {}
): Recorded => {
  const made = makeMemory({
    name,
    capabilities: { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1, ...capabilities },
    bars: new Map([[symbol, flatBars(minutes)]])
  })
  const asked: Recorded["asked"] = []
  const busy = new RequestFailed({ reason: "busy", retryable: true, retryAfterMs: null })
  const source: DataSource = {
    ...made,
    page: (request) => {
      asked.push([request.start / minuteMs, request.end / minuteMs])
      return made.page(request)
    },
    firstBar: (...of) => {
      asked.push("first")
      return failsFirst || made.firstBar === undefined ? Effect.fail(busy) : made.firstBar(...of)
    }
  }
  return { source, asked }
}

const settingsOf = ({ capabilities: { retentionMs } }: DataSource): ExchangeSettings => ({
  kind: "exchange",
  exchange: "binance",
  ...(retentionMs !== undefined && { retentionMs })
})

const configurationOf = (sources: ReadonlyArray<DataSource>, more: Partial<SeriesSettings> = {}): Configuration => {
  const [first, ...others] = sources.map(({ name }) => name)
  return {
    sources: Object.fromEntries(sources.map((source) => [source.name, settingsOf(source)])),
    series: [{ node: "a", intervals: ["1m"], sources: [first!, ...others], symbol, windowBars, ...more }]
  }
}

interface Answer {
  readonly columns: { readonly event_time: ReadonlyArray<number> }
  readonly meta: { readonly missingRanges: ReadonlyArray<MissingRange> }
}

const read = Effect.fnUntraced(function* ([from, to]: Range) {
  const mesh = yield* Mesh
  const body = { ...series, start: from * minuteMs, end: to * minuteMs, strategy: "auto_backfill" }
  const reply = yield* mesh.request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  const { columns, meta }: Answer = JSON.parse(new TextDecoder().decode(reply.data))
  return {
    bars: columns.event_time.map((time) => time / minuteMs),
    missing: meta.missingRanges.map(({ end, evidence, start, state }) => ({
      range: [start / minuteMs, end / minuteMs],
      state,
      evidence
    }))
  }
})

const start = (recorded: ReadonlyArray<Recorded>, more: Partial<SeriesSettings> = {}) => {
  const sources = recorded.map(({ source }) => source)
  return memoryHost.start({ configuration: configurationOf(sources, more), sources })
}

const inMemory = Effect.provide(MemoryMesh.layer)

const count = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, index) => from + index)

describe("time before the first bar", () => {
  it.live(
    "is asked for once, and told of where nothing was asked yet; the source is asked for its first bar once",
    () =>
      Effect.gen(function* () {
        const { asked, source } = sourceOf("binance", count(1000, 1100))
        yield* start([{ asked, source }])
        const evidence = "binance's first bar of A is at 1970-01-01T16:40:00Z"
        const first = yield* read([900, 1003])
        assert.deepStrictEqual(first.bars, [1000, 1001, 1002])
        assert.deepStrictEqual(first.missing, [{ range: [900, 1000], state: "unavailable", evidence }])
        const before = asked.length
        assert.isAtLeast(asked.filter((each) => each === "first").length, 1)
        const again = yield* read([0, 1003])
        assert.deepStrictEqual(again.missing, [{ range: [0, 1000], state: "unavailable", evidence }])
        assert.lengthOf(asked, before)
      }).pipe(inMemory)
  )

  it.live("stays deferred where the probe fails, which is made once", () =>
    Effect.gen(function* () {
      const failing = sourceOf("binance", count(1000, 1010), { failsFirst: true })
      yield* start([failing])
      assert.deepStrictEqual((yield* read([980, 1000])).missing, [
        { range: [980, 1000], state: "deferred", evidence: "answered once" }
      ])
      assert.lengthOf(
        failing.asked.filter((each) => each === "first"),
        1
      )
    }).pipe(inMemory)
  )

  it.live("is no first bar that a source claims against bars that are stored", () =>
    Effect.gen(function* () {
      const { asked, source } = sourceOf("binance", [500, ...count(1000, 1010)])
      const liar = { ...source, firstBar: () => Effect.succeed(Option.some(1000 * minuteMs)) }
      yield* start([{ asked, source: liar }])
      yield* read([500, 501])
      assert.deepStrictEqual((yield* read([480, 490])).missing, [
        { range: [480, 490], state: "deferred", evidence: "answered once" }
      ])
      assert.deepStrictEqual((yield* read([500, 501])).bars, [500])
    }).pipe(inMemory)
  )
})

describe("the edges of a listing", () => {
  it.live("end an absence as a bar does: nothing was traded beyond", () =>
    Effect.gen(function* () {
      const { asked, source } = sourceOf("binance", [103, 104, 110])
      yield* start([{ asked, source }], { listedAt: 100 * minuteMs, delistedAt: 115 * minuteMs })
      const { bars, missing } = yield* read([90, 120])
      assert.deepStrictEqual(bars, [103, 104, 110])
      assert.deepStrictEqual(
        missing.map(({ range, state }) => [...range, state]),
        [
          [90, 100, "unavailable"],
          [115, 120, "unavailable"]
        ]
      )
      for (const each of asked) assert.isTrue(each !== "first" && each[0] >= 100 && each[1] <= 115, String(each))
    }).pipe(inMemory)
  )
})

describe("a source that keeps bars for a while", () => {
  it.live("is not asked for what is older: the next one is", () =>
    Effect.gen(function* () {
      const nowMinute = Math.floor(Date.now() / minuteMs)
      const bars = count(nowMinute - 100, nowMinute - 10)
      const short = sourceOf("short", bars, { retentionMs: 50 * minuteMs })
      const long = sourceOf("long", bars)
      yield* start([short, long])
      const range: Range = [nowMinute - 90, nowMinute - 20]
      const { bars: got, missing } = yield* read(range)
      assert.deepStrictEqual(missing, [])
      assert.deepStrictEqual(got, count(...range))
      for (const each of short.asked) assert.isTrue(each !== "first" && each[0] >= nowMinute - 51, String(each))
      assert.isAbove(short.asked.length, 0)
      assert.isAbove(long.asked.length, 0)
    }).pipe(inMemory)
  )
})

/** A job for the window of a number, which is to bring some minutes. */
const jobOfWindow = (window: number, jobClass: JobClass, pairs: ReadonlyArray<Range>): BackfillJob =>
  jobOf({
    series,
    windowStart: window * windowBars * minuteMs,
    jobClass,
    ranges: RangeSet.make(pairs.map(([start, end]): Range => [start * minuteMs, end * minuteMs]))
  })

const wholeWindow = (window: number): ReadonlyArray<Range> => [[window * windowBars, (window + 1) * windowBars]]

const windowKey = ({ windowStart }: BackfillJob): string =>
  Subject.window(Subject.series(series.nodeId, series.interval), windowStart)

/** Records that wait, of which the queue has the last: as a history looks that is filled from its end. */
const prepare = Effect.fnUntraced(function* (jobs: ReadonlyArray<BackfillJob>) {
  const mesh = yield* Mesh
  for (const job of jobs) {
    yield* mesh.write(keySubject(Stream.jobs, windowKey(job)), writeJob(job), { expect: 0 })
  }
  const last = jobs.at(-1)!
  yield* mesh.enqueue(
    QueueSubject.queuedJob({ jobClass: last.jobClass, partition: 0, windowKey: windowKey(last) }),
    new Uint8Array(0)
  )
})

/** Waits until the minutes are covered. */
const untilCovered = Effect.fnUntraced(function* (coverage: Coverage["Service"], wanted: ReadonlyArray<Range>) {
  const all = RangeSet.make(wanted.map(([start, end]): Range => [start * minuteMs, end * minuteMs]))
  const isCovered = Effect.map(coverage.of(series), ({ covered }) => RangeSet.contains(covered, all))
  yield* untilTrue("it is covered", isCovered)
})

const coveredMinutes = (coverage: Coverage["Service"]) =>
  Effect.map(coverage.of(series), ({ covered }) =>
    toPairs(covered).map(([start, end]): Range => [start / minuteMs, end / minuteMs])
  )

describe("a worker", () => {
  it.live("takes the windows before along where none follows, so that pages are full", () =>
    Effect.gen(function* () {
      const recorded = sourceOf("binance", count(0, 100))
      yield* prepare([0, 1, 2, 3].map((window) => jobOfWindow(window, "bulk", wholeWindow(window))))
      const host = yield* start([recorded])
      yield* untilCovered(Context.get(host, Coverage), [[0, 80]])
      assert.deepStrictEqual(recorded.asked, [[0, 80]])
    }).pipe(inMemory)
  )

  const down = new RequestFailed({ reason: "down", retryable: true, retryAfterMs: null })
  const leftAlone = new RequestFailed({ reason: "left alone", retryable: false, retryAfterMs: 100, unsent: "source" })

  /** Has these sources tried once, and waits until the jobs of the windows stand like that. */
  const untilStates = Effect.fnUntraced(function* (
    sources: ReadonlyArray<DataSource>,
    jobs: ReadonlyArray<BackfillJob>,
    expected: ReadonlyArray<string>
  ) {
    yield* prepare(jobs)
    const retry = { attempts: 1, baseMs: 60_000 }
    yield* memoryHost.start({ configuration: { ...configurationOf(sources), retry }, sources })
    const list = memoryHost.askAdmin<{ readonly jobs: ReadonlyArray<{ state: string; attempts: number }> }>("jobs", {})
    const states = Effect.map(list, (found) => found.jobs.map(({ attempts, state }) => `${state} ${attempts}`))
    yield* untilTrue(
      `they are ${String(expected)}`,
      Effect.map(Effect.orDie(states), (now) => String(now.toSorted()) === String(expected))
    )
  })

  it.live("counts a failure against those windows alone that the source was asked about", () => {
    const broken = { ...sourceOf("binance", []).source, page: () => Effect.fail(down) }
    const jobs = [jobOfWindow(1, "bulk", [[30, 35]]), jobOfWindow(0, "bulk", [[2, 4]])]
    return untilStates([broken], jobs, ["FAILED 0", "QUARANTINED 1"]).pipe(Effect.scoped, inMemory)
  })

  it.live("counts a failure also where the source was left alone before all tries were made", () => {
    const { source } = sourceOf("binance", [], { attemptsMax: 3 })
    let requests = 0
    const broken = { ...source, page: () => Effect.suspend(() => Effect.fail(requests++ === 0 ? down : leftAlone)) }
    return untilStates([broken], [jobOfWindow(0, "bulk", [[2, 4]])], ["QUARANTINED 1"]).pipe(Effect.scoped, inMemory)
  })

  it.live("counts no failure where the source was left alone from the first", () => {
    const broken = { ...sourceOf("binance", []).source, page: () => Effect.fail(leftAlone) }
    return untilStates([broken], [jobOfWindow(0, "bulk", [[2, 4]])], ["FAILED 0"]).pipe(Effect.scoped, inMemory)
  })

  it.live("counts a failure of the first source also where the second one has nothing to be asked", () => {
    const broken = { ...sourceOf("binance", []).source, page: () => Effect.fail(down) }
    const forgetful = sourceOf("kraken", [], { retentionMs: 3600_000 }).source
    const jobs = [{ ...jobOfWindow(0, "bulk", [[2, 4]]), sources: ["binance", "kraken"] }]
    return untilStates([broken, forgetful], jobs, ["QUARANTINED 1"]).pipe(Effect.scoped, inMemory)
  })

  it.live("does not keep somebody waiting for the windows before", () =>
    Effect.gen(function* () {
      const recorded = sourceOf("binance", count(0, 100))
      const jobs = [0, 1, 2].map((window) => jobOfWindow(window, "bulk", wholeWindow(window)))
      yield* prepare([...jobs, jobOfWindow(3, "interactive", wholeWindow(3))])
      const host = yield* start([recorded])
      yield* untilCovered(Context.get(host, Coverage), [[60, 80]])
      assert.deepStrictEqual(recorded.asked[0], [60, 80])
    }).pipe(inMemory)
  )
})

describe("windows that are queued one after the other", () => {
  it.live("are asked for as one, however long it takes to claim them, though other workers wait for work", () =>
    Effect.gen(function* () {
      const { faults, layer } = yield* makeFaultyMesh
      yield* Effect.gen(function* () {
        const recorded = sourceOf("binance", count(0, 100))
        yield* start([recorded])
        yield* read([0, 1])
        faults.reading = (stream) => (stream === Stream.jobs.name ? Effect.sleep("20 millis") : Effect.void)
        const before = recorded.asked.length
        yield* read([30, 70])
        assert.deepStrictEqual(recorded.asked.slice(before), [[30, 70]])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.scoped)
  )
})

describe("near gaps of one window", () => {
  const holes: ReadonlyArray<Range> = [
    [2, 4],
    [14, 16]
  ]
  const joining = { joinGapsBars: 50 }

  it.live("are asked for as one, and what lies between them is filled along", () =>
    Effect.gen(function* () {
      const recorded = sourceOf("binance", count(0, 100), joining)
      yield* prepare([jobOfWindow(0, "bulk", holes)])
      const coverage = Context.get(yield* start([recorded]), Coverage)
      yield* untilCovered(coverage, holes)
      assert.deepStrictEqual(recorded.asked, [[2, 16]])
      assert.deepStrictEqual(yield* coveredMinutes(coverage), [[2, 16]])
      assert.deepStrictEqual((yield* read([4, 14])).bars, count(4, 14))
      assert.lengthOf(recorded.asked, 1)
    }).pipe(inMemory)
  )

  it.live("are asked for apart where what lies between them is covered: no bar of it is asked for again", () =>
    Effect.gen(function* () {
      const recorded = sourceOf("binance", count(0, 100), joining)
      const coverage = Context.get(yield* start([recorded]), Coverage)
      yield* read([6, 7])
      yield* read([4, 8])
      const before = recorded.asked.length
      const { bars } = yield* read([2, 16])
      assert.deepStrictEqual(bars, count(2, 16))
      assert.deepStrictEqual(recorded.asked.slice(before), [
        [2, 4],
        [8, 16]
      ])
      assert.deepStrictEqual(yield* coveredMinutes(coverage), [[2, 16]])
      for (const [index, each] of recorded.asked.entries()) {
        for (const other of recorded.asked.slice(index + 1)) {
          assert.isFalse(each !== "first" && other !== "first" && each[0] < other[1] && other[0] < each[1])
        }
      }
    }).pipe(inMemory)
  )
})
