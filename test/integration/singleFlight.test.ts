/** Is each bar asked for once, however many want it, however often, and wherever they are? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { intervalOf } from "../support/rows.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { type Got, manyReaders } from "./manyReaders.ts"

const file = BarFile.barFiles.quiet
const record = BarFile.read(file)
const { interval, node } = file
const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 60_000 } }

const pageBars = 1000
const processes = 4
const readers = 32

const barsInRange = (record.range[1] - record.range[0]) / 60_000

/**
 * How many runs the requests are of: one begins where a request does not ask for the rest of what another asked for.
 */
const runsOf = (requests: ReadonlyArray<LogEntry>): number => {
  const pages = requests.map(({ endTime, startTime }) => ({ from: Number(startTime), to: Number(endTime) }))
  const goesOn = ({ from }: { readonly from: number }) => pages.some((page) => page.from < from && from <= page.to)
  return pages.filter((page) => !goesOn(page)).length
}

const distinct = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values()
]

const outcomeOf = (got: Got) => ("tag" in got ? got.tag : [got.rows, got.source?.outcome, got.source?.error?.tag])

/** What all readers of all processes got. */
const readTogether = (servers: string, options: ReadOptions) =>
  Effect.map(
    Effect.all(
      Array.from({ length: processes }, () =>
        manyReaders({ servers, node, interval, ranges: [record.range], options, readers })
      ),
      { concurrency: "unbounded" }
    ),
    (got) => got.flat()
  )

describe("a second read", () => {
  it.live("makes no request, and a quiet market is never asked for again", () =>
    Effect.gen(function* () {
      const { client, klines } = yield* Cluster.start({ files: [file] })
      const first = yield* Cluster.readFile(client, file, record.range, patient)
      const asked = klines().length
      assert.isAtMost(asked, Math.ceil(barsInRange / pageBars) + runsOf(klines()))
      for (let again = 0; again < 20; again++) {
        const { meta } = yield* Cluster.readFile(client, file, record.range, patient)
        assert.deepStrictEqual(meta.missingRanges, [])
        assert.strictEqual(meta.qualitySummary.knownEmptyBars, 717)
        assert.strictEqual(meta.qualitySummary.rows, 13_681)
        assert.strictEqual(meta.fingerprint, first.meta.fingerprint)
        assert.deepStrictEqual(meta.sourceOutcomes["binance"], { outcome: "not_asked" })
      }
      // each stretch without a trade alone, with no bar of it in the answer
      const times = record.frame.eventTimeMs
      const stretches = Array.from(times.subarray(1)).flatMap((time, row) => {
        const from = times[row]! + 60_000
        return time > from ? [[from, time] as const] : []
      })
      assert.lengthOf(stretches, 538)
      for (const stretch of stretches.slice(0, 50)) {
        const { df, meta } = yield* Cluster.readFile(client, file, stretch, { ...patient, strict: true })
        assert.strictEqual(df.length, 0)
        assert.deepStrictEqual(meta.missingRanges, [])
      }
      assert.strictEqual(klines().length, asked)
    })
  )

  it.live("makes no request when another host has taken the first one's place", () =>
    Effect.gen(function* () {
      const { hosts, klines, servers, startHost } = yield* Cluster.start({ files: [file] })
      const client = yield* Cluster.startClient(servers)
      yield* Cluster.readFile(client, file, record.range, patient)
      const asked = klines().length
      yield* hosts[0]!.stop
      yield* startHost("b")
      const { meta } = yield* Cluster.readFile(client, file, record.range, patient)
      assert.strictEqual(meta.fingerprint, record.fingerprint)
      assert.strictEqual(klines().length, asked)
    })
  )
})

describe(`${readers} readers in each of ${processes} processes on two hosts, one cold range of ten days`, () => {
  it.live("get the same answer, and no request is made twice", () =>
    Effect.gen(function* () {
      const { klines, servers } = yield* Cluster.start({ files: [file], exchange: { latencyMs: 50 } }, ["a", "b"])
      const got = yield* readTogether(servers, patient)
      assert.lengthOf(got, processes * readers)
      const expected = { fingerprint: record.fingerprint, rows: 13_681, missing: 0, violation: null }
      const answers = distinct(got.map((each) => ("tag" in each ? each : { ...each, source: undefined })))
      assert.deepStrictEqual(answers, [{ ...expected, source: undefined }])

      const requests = klines()
      const starts = requests.map(({ startTime }) => startTime)
      assert.lengthOf(new Set(starts), starts.length)
      assert.isAtMost(requests.length, Math.ceil(barsInRange / pageBars) + runsOf(requests))
      process.stdout.write(`${requests.length} requests in ${runsOf(requests)} runs\n`)
    })
  )

  const failing = { files: [file], exchange: { faults: { "500": 1 } }, source: { attempts: 2 } } as const

  it.live("get the source's error, each of them, where they want it as an error", () =>
    Effect.gen(function* () {
      const { klines, servers } = yield* Cluster.start(failing, ["a", "b"])
      const options: ReadOptions = {
        strategy: "auto_backfill",
        sla: { totalDeadlineMs: 20_000, onBackfillFailure: "error" }
      }
      const got = yield* readTogether(servers, options)
      assert.lengthOf(got, processes * readers)
      assert.deepStrictEqual(distinct(got), [{ tag: "SourceUnavailable", code: 503, source: "binance" }])
      // far fewer than readers: they share the failure as they share a success
      assert.isBelow(klines().length, readers)
    })
  )

  it.live("get what there is, and what became of the source, where they want no error", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start(failing, ["a", "b"])
      const got = yield* readTogether(servers, { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } })
      assert.deepStrictEqual(distinct(got.map(outcomeOf)), [[0, "failed", "SourceUnavailable"]])
    })
  )
})

describe("32 readers in each of eight processes, who want unaligned parts of a cold range of a hundred windows", () => {
  const day = BarFile.barFiles.fullDay
  const [dayStart] = BarFile.read(day).range
  const windowBars = 14
  const windows = 100
  const minute = 60_000
  /** Parts that begin and end anywhere, and overlap; those of all readers together are the whole. */
  const partOf = (reader: number): Range => {
    const bars = windowBars * windows
    const from = reader === 0 ? 0 : (reader * 397) % (bars - 200)
    const length = reader === 0 ? bars : 60 + ((reader * 131) % 140)
    return [dayStart + from * minute, dayStart + (from + length) * minute]
  }
  const settings = { files: [day], series: { windowBars }, exchange: { latencyMs: 50 } } as const

  const readParts = (servers: string, options: ReadOptions) =>
    Effect.forEach(
      Array.from({ length: 8 }, (_, index) => index),
      (index) => {
        const ranges = Array.from({ length: readers }, (_, reader) => partOf(index * readers + reader))
        return manyReaders({ servers, node: day.node, interval: day.interval, ranges, options, readers })
      },
      { concurrency: "unbounded" }
    )

  it.live("get all of it, and the exchange sees no minute asked for twice", () =>
    Effect.gen(function* () {
      const { klines, servers } = yield* Cluster.start(settings, ["a", "b"])
      const got = yield* readParts(servers, patient)
      const incomplete = got.flat().flatMap((each, index) => {
        const [from, to] = partOf(index)
        const isWhole = "rows" in each && each.rows === (to - from) / minute && each.missing === 0
        return isWhole ? [] : [each]
      })
      assert.deepStrictEqual(incomplete, [])
      const times = new Map<number, number>()
      for (const { rows, startTime } of klines()) {
        for (let row = 0; row < (rows ?? 0); row++) {
          const time = Number(startTime) + row * minute
          times.set(time, (times.get(time) ?? 0) + 1)
        }
      }
      const twice = Array.from(times).filter(([, count]) => count > 1)
      assert.deepStrictEqual(twice, [])
      assert.strictEqual(times.size, windowBars * windows)
      process.stdout.write(`${klines().length} requests for ${windows} windows\n`)
    })
  )

  it.live(
    "get the same error where the source fails for good, and each page is tried as often as the policy says",
    () =>
      Effect.gen(function* () {
        const attempts = 2
        const runs = 2
        const { klines, servers } = yield* Cluster.start(
          {
            ...settings,
            exchange: { faults: { "500": 1 } },
            // a circuit that opens would leave the source alone, and the windows untried
            source: { attempts, breakerFailures: 1_000_000 },
            retry: { attempts: runs, baseMs: 200 }
          },
          ["a", "b"]
        )
        const sla = { totalDeadlineMs: 40_000, onBackfillFailure: "error" } as const
        const got = yield* readParts(servers, { strategy: "auto_backfill", sla })
        const tags = distinct(got.flat().map((each) => ("tag" in each ? [each.tag, each.code] : each)))
        assert.deepStrictEqual(tags, [["WindowQuarantined", 423]])
        // a request is for all that is left of its stretch: a window's are those that hold any of its time
        const requests = klines().map(({ endTime, startTime }) => [Number(startTime), Number(endTime)] as const)
        const grid = Window.makeGrid(intervalOf(day.interval), windowBars)
        const whole = RangeSet.of(dayStart, dayStart + windows * windowBars * minute)
        const tried = Window.split(grid, whole).map(({ windowStart }) => {
          const until = Window.next(grid, windowStart)
          return requests.filter(([from, to]) => from < until && windowStart < to).length
        })
        assert.deepStrictEqual([Math.min(...tried), Math.max(...tried)], [attempts * runs, attempts * runs])
        const before = klines().length
        yield* readParts(servers, { strategy: "auto_backfill", sla })
        assert.strictEqual(klines().length, before, "what is set aside is not asked for")
      })
  )
})
