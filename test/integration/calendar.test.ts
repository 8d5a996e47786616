/** Are nights and weekends of a real market no gap, and is a bar that lacks in a session one? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { SeamlessError } from "../../client/SeamlessError.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { includes } from "../../protocol/history/RangeMeasure.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"

const sessions = BarFile.barFiles.sessions
const record = BarFile.read(sessions)
const minuteMs = 60_000
const dayMs = 1440 * minuteMs

/** Monday 2013-10-07 to Friday, 09:30 to 16:00 in New York. */
const regular = [0, 1, 2, 3, 4].map((day): Range => {
  const midnight = Date.UTC(2013, 9, 7 + day, 4)
  return [midnight + 570 * minuteMs, midnight + 960 * minuteMs]
})

/** From Saturday before until Sunday behind, in UTC. */
const week: Range = [Date.UTC(2013, 9, 5), Date.UTC(2013, 9, 14)]

const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } }
const strict: ReadOptions = { ...patient, strict: true }
/** Nothing that lacks is waited for. */
const strictNow: ReadOptions = { strategy: "partial_fill", strict: true }

const start = Effect.fnUntraced(function* (settings: Omit<Cluster.ClusterSettings, "files">, file = sessions) {
  const cluster = yield* Cluster.start({ files: [file], ...settings })
  return {
    ...cluster,
    read: (range: Range, options = strict) => Cluster.readFile(cluster.client, file, range, options)
  }
})

/** The file without some of its bars. */
const without = (file: BarFile.BarFile, dropped: ReadonlyArray<number>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-bars-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    ),
    (folder): BarFile.BarFile => {
      const path = join(folder, "bars.csv")
      const lines = readFileSync(file.path, "utf8").split("\n")
      writeFileSync(path, lines.filter((line) => !dropped.some((time) => line.startsWith(`${time},`))).join("\n"))
      return { ...file, path }
    }
  )

const refusal = <A>(read: Effect.Effect<A, SeamlessError>) => Effect.flip(read)

/** The ranges that an error names. */
const named = ({ fields }: SeamlessError): ReadonlyArray<readonly [number, number]> => {
  const { missingRanges } = fields as { readonly missingRanges: ReadonlyArray<{ start: number; end: number }> }
  return missingRanges.map(({ end, start }) => [start, end])
}

describe("a week of sessions by the calendar of its exchange", () => {
  it.live("is whole to a strict reader, with its nights and weekends, and asked for once", () =>
    Effect.gen(function* () {
      const { klines, read } = yield* start({ source: { maxEmptyBars: 0 }, series: { calendar: "nyse-regular" } })
      for (const session of regular) {
        const { df, meta } = yield* read(session)
        assert.strictEqual(df.length, 390)
        assert.deepStrictEqual(meta.missingRanges, [])
      }
      // what was traded before the open and after the close came along with the nights, and counts
      const { df, meta } = yield* read(week)
      assert.strictEqual(df.length, record.frame.eventTimeMs.length)
      assert.deepStrictEqual(meta.missingRanges, [])
      assert.containSubset(meta.qualitySummary, {
        rows: df.length,
        expectedBars: df.length,
        knownEmptyBars: 9 * 1440 - df.length
      })
      const asked = klines().length
      const again = yield* read(week)
      assert.strictEqual(again.meta.fingerprint, meta.fingerprint)
      assert.strictEqual(klines().length, asked)
      // a weekend has no bar, and is no gap
      const weekend = yield* read([Date.UTC(2013, 9, 12), Date.UTC(2013, 9, 13)])
      assert.containSubset(weekend.meta.qualitySummary, { rows: 0, expectedBars: 0, knownEmptyBars: 1440 })
    })
  )

  it.live("has the same bars and fingerprint day by day, the last one first", () =>
    Effect.gen(function* () {
      const settings = { source: { maxEmptyBars: 60 }, series: { calendar: "nyse-extended" } }
      const whole = yield* start(settings)
      const { df, meta } = yield* whole.read(week)
      const daily = yield* start(settings)
      for (let day = 8; day >= 0; day--) {
        const from = week[0] + day * dayMs
        yield* daily.read([from, from + dayMs])
      }
      const read = yield* daily.read(week, strictNow)
      assert.strictEqual(read.df.length, df.length)
      assert.strictEqual(read.meta.fingerprint, meta.fingerprint)
      assert.deepStrictEqual(read.meta.missingRanges, [])
    })
  )

  it.live("lacks to a strict reader just the bar of a session that its source lacks", () =>
    Effect.gen(function* () {
      const [opens, closes] = regular[2]!
      const lost = opens + 77 * minuteMs
      const file = yield* without(sessions, [lost, closes + 5 * minuteMs])
      const { read } = yield* start({ source: { maxEmptyBars: 0 }, series: { calendar: "nyse-regular" } }, file)
      for (const range of [regular[2]!, week]) {
        const error = yield* refusal(read(range))
        assert.strictEqual(error.tag, "StrictViolation")
        assert.deepStrictEqual(named(error), [[lost, lost + minuteMs]])
      }
      yield* read(regular[1]!)
      const flagged = yield* read(week, { ...strict, onStrictViolation: "flag" })
      const { df, meta } = flagged
      assert.deepStrictEqual(
        meta.missingRanges.map(({ end, start, state }) => ({ start, end, state })),
        [{ start: lost, end: lost + minuteMs, state: "deferred" }]
      )
      assert.containSubset(meta.qualitySummary.strict, { expectedBars: df.length + 1, gotBars: df.length })
      const enough = yield* read(week, { ...patient, sla: { ...patient.sla, minCoverage: 1, onViolation: "partial" } })
      assert.strictEqual(enough.meta.slaReport.violation?.phase, "minCoverage")
    })
  )

  it.live("lacks what an operator takes out of it: a bar of a session to a strict reader, a night to nobody", () =>
    Effect.gen(function* () {
      const [opens, closes] = regular[3]!
      const { hosts, read, servers } = yield* start({
        source: { maxEmptyBars: 0 },
        series: { calendar: "nyse-regular" },
        exchange: { latencyMs: 300 }
      })
      yield* read(week)
      const invalidate = (range: Range) =>
        Effect.promise(() =>
          runCommand([
            "invalidate",
            sessions.node,
            sessions.interval,
            ...range.map(String),
            "--reason",
            "a test",
            "--nats",
            servers
          ])
        )
      const night: Range = [closes, closes + 8 * 60 * minuteMs]
      const gone = yield* invalidate(night)
      assert.strictEqual(gone.code, 0, gone.err)
      const { df, meta } = yield* read(week, strictNow)
      const inNight = record.frame.eventTimeMs.filter((time) => includes(RangeSet.of(...night), time))
      assert.strictEqual(df.length, record.frame.eventTimeMs.length - inNight.length)
      assert.deepStrictEqual(
        meta.missingRanges.map(({ end, start }) => [start, end]),
        [[...night]]
      )
      yield* read(week)

      const bar: Range = [opens + 5 * minuteMs, opens + 6 * minuteMs]
      const lost = yield* invalidate(bar)
      assert.strictEqual(lost.code, 0, lost.err)
      const error = yield* refusal(read(week, strictNow))
      assert.strictEqual(error.tag, "StrictViolation")
      assert.deepStrictEqual(named(error), [[...bar]])
      // and it is there again once somebody waits for it
      assert.strictEqual((yield* read(week)).df.length, record.frame.eventTimeMs.length)
      assert.lengthOf(hosts, 1)
    })
  )

  it.live("is unavailable before the first bar of all, though the nights there are known to be empty", () =>
    Effect.gen(function* () {
      const { klines, read } = yield* start({ series: { calendar: "nyse-extended" } })
      const before: Range = [Date.UTC(2013, 9, 1), Date.UTC(2013, 9, 4)]
      const hours = (from: number, to: number): Range => [
        before[0] + from * 60 * minuteMs,
        before[0] + to * 60 * minuteMs
      ]
      const { meta } = yield* read(before)
      // sessions from 04:00 to 20:00 in New York
      assert.deepStrictEqual(
        meta.missingRanges.map(({ end, reason, start, state }) => ({ start, end, state, reason })),
        [hours(8, 24), hours(32, 48), hours(56, 72)].map(([start, end]) => ({
          start,
          end,
          state: "unavailable",
          reason: "before its first bar"
        }))
      )
      assert.containSubset(meta.qualitySummary, { rows: 0, expectedBars: 0, knownEmptyBars: 3 * 8 * 60 })
      const asked = klines().length
      const came = record.frame.eventTimeMs.filter((time) => time < regular[0]![1])
      assert.strictEqual((yield* read([before[0], regular[0]![1]])).df.length, came.length)
      yield* read(before)
      assert.deepStrictEqual(
        klines()
          .slice(asked)
          .filter(({ endTime }) => Number(endTime) < before[1]),
        []
      )
    })
  )

  it.live("is no proof of what a calendar that says less does not call closed", () =>
    Effect.gen(function* () {
      const { read } = yield* start({ source: { maxEmptyBars: 60 } })
      const error = yield* refusal(read(record.range))
      assert.strictEqual(error.tag, "StrictViolation")
      assert.deepStrictEqual(
        named(error),
        record.open.map(([from, until]) => [from, until] as const)
      )
    })
  )
})

describe("a market that never closes", () => {
  const outage = BarFile.barFiles.outage
  const { frame, open, range } = BarFile.read(outage)

  it.live("lacks the hours of an outage that is on record: they are missing, and not known to be empty", () =>
    Effect.gen(function* () {
      const { read } = yield* start({ series: { calendar: "24x7" } }, outage)
      assert.lengthOf(open, 1)
      const [from, until] = open[0]!
      // from 16:48 until the end of the day
      assert.strictEqual(until - from, (24 * 60 - (16 * 60 + 48)) * minuteMs)
      const { df, meta } = yield* read(range, patient)
      assert.strictEqual(df.length, frame.eventTimeMs.length)
      assert.deepStrictEqual(
        meta.missingRanges.map(({ end, start, state }) => ({ start, end, state })),
        [{ start: from, end: until, state: "deferred" }]
      )
      assert.strictEqual(meta.qualitySummary.expectedBars - df.length, (until - from) / minuteMs)
      const error = yield* refusal(read(range))
      assert.strictEqual(error.tag, "StrictViolation")
      assert.deepStrictEqual(named(error), [[from, until]])
    })
  )
})
