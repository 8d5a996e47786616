/** Is a series that is rolled up, on real hosts, what the exchange itself makes of its minutes, and does it stay so? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { rollUpBars } from "../../actors/conformance/rollUpBars.ts"
import type { HistoryFrame } from "../../client/HistoryFrame.ts"
import type * as Frame from "../../protocol/frame/Frame.ts"
import { inward, outward } from "../../protocol/history/alignRanges.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { mergeFrames, rowsIn } from "../../actors/conformance/mergeFrames.ts"
import * as BarFile from "../support/BarFile.ts"
import { floatColumns } from "../support/floatFrames.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"
import { intervalOf } from "../support/rows.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const minuteMs = 60_000
const fiveMs = 5 * minuteMs
const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } } as const

const minutesOnRecord = 2469
/** So far a source is looked at beyond what is wanted of it. */
const maxEmptyBars = 60

/** The series that is made of a file's. */
const above = (file: BarFile.BarFile, interval = "5m"): BarFile.BarFile => ({ ...file, interval })

const derivedOf = ({ node }: BarFile.BarFile, interval = "5m", derivedFrom = "1m") =>
  ({ node, intervals: [interval], derivedFrom }) as const

const valueColumns = ["open", "high", "low", "close", "volume"]

const valuesOf = (frame: HistoryFrame) => [
  Array.from(Cluster.numbersOf(frame, "event_time")),
  ...valueColumns.map((name) => Array.from(Cluster.numbersOf(frame, name)))
]

const recorded = (frame: Frame.Frame) => [
  Array.from(frame.eventTimeMs),
  ...valueColumns.map((name) => Array.from(floatColumns(frame).find((column) => column.name === name)?.values ?? []))
]

describe("a series that is rolled up from recorded minutes", () => {
  it.live("is bar by bar what the exchange recorded itself, and is made once", () =>
    Effect.gen(function* () {
      const file = BarFile.barFiles.rolledUp
      const expected = BarFile.read(BarFile.barFiles.fiveMinutes)
      const { client, klines } = yield* Cluster.start({ files: [file], derived: [derivedOf(file)] }, ["a", "b"])
      const reads = Array.from({ length: 8 }, () => Cluster.readFile(client, above(file), expected.range, patient))
      const [first, ...others] = yield* Effect.all(reads, { concurrency: "unbounded" })
      assert.deepStrictEqual(valuesOf(first!.df), recorded(expected.frame))
      assert.lengthOf(recorded(expected.frame)[0]!, 706)
      assert.deepStrictEqual(first!.meta.missingRanges, [])
      assert.deepStrictEqual(new Set(others.map(({ meta }) => meta.fingerprint)), new Set([first!.meta.fingerprint]))
      // no minute comes twice, but for those behind the edge of a day that others were filling meanwhile
      const asked = klines()
      const fetched = asked.reduce((sum, { rows }) => sum + (rows ?? 0), 0)
      assert.isAtMost(fetched, minutesOnRecord + 2 * maxEmptyBars)
      const again = yield* Cluster.readFile(client, above(file), expected.range, { ...patient, strict: true })
      assert.strictEqual(again.meta.fingerprint, first!.meta.fingerprint)
      assert.strictEqual(klines().length, asked.length)
    })
  )

  it.live("knows of a thin market which bars are empty, and has none that is not proven", () =>
    Effect.gen(function* () {
      const file = BarFile.barFiles.quiet
      const record = BarFile.read(file)
      const derived = [derivedOf(file, "2m"), derivedOf(file, "10m", "2m")]
      const { client } = yield* Cluster.start({ files: [file], derived })
      for (const [text, knownEmptyBars] of [
        ["10m", 0],
        ["2m", 91]
      ] as const) {
        const interval = intervalOf(text)
        const [range] = toPairs(outward(RangeSet.of(...record.range), interval))
        const { df, meta } = yield* Cluster.readFile(client, above(file, interval.text), range!, patient)
        const proven = inward(RangeSet.make(record.covered), interval)
        const rows = mergeFrames(rowsIn(record.frame, proven))
        assert.deepStrictEqual(valuesOf(df), recorded(rollUpBars(rows, interval)))
        assert.deepStrictEqual(meta.coverageRanges, toPairs(proven))
        assert.strictEqual(meta.qualitySummary.knownEmptyBars, knownEmptyBars)
      }
    })
  )
})

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "derived-series-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The same file with twice the volume of each minute. */
const doubled = Effect.fnUntraced(function* (file: BarFile.BarFile) {
  const path = join(yield* folder, "doubled.csv")
  const [header = "", ...lines] = readFileSync(file.path, "utf8").trimEnd().split("\n")
  const twice = lines.map((line) => {
    const [volume, ...others] = line.split(",").toReversed()
    return [...others.toReversed(), Number(volume) * 2].join(",")
  })
  writeFileSync(path, `${[header, ...twice].join("\n")}\n`)
  return { ...file, path }
})

/** A cluster whose exchange can come to say something else. */
const setUp = Effect.fnUntraced(function* (file: BarFile.BarFile) {
  const before = yield* Cluster.startExchange([file])
  const after = yield* Cluster.startExchange([yield* doubled(file)])
  const portOf = ({ url }: { readonly url: string }): number => Number(new URL(url).port)
  const target = { host: "127.0.0.1", port: portOf(before) }
  const proxy = yield* TcpProxy.start(target)
  const exchanges = [`http://127.0.0.1:${proxy.port}`]
  const cluster = yield* Cluster.make({ files: [file], derived: [derivedOf(file)] }, { exchanges })
  return {
    ...cluster,
    saysOtherwise: Effect.suspend(() => {
      target.port = portOf(after)
      return proxy.reset
    }),
    fetchedLater: () => Cluster.klines(after.requests())
  }
})

describe("a minute that changes below", () => {
  const file = BarFile.barFiles.rolledUp
  const { frame, range } = BarFile.read(BarFile.barFiles.fiveMinutes)
  const [first, end] = range
  /** A bar in the midst of the day that has rows, and a minute of it that has one. */
  const minutes = BarFile.read(file).frame
  const minute = minutes.eventTimeMs[1000]!
  const bar = Math.floor(minute / fiveMs) * fiveMs
  const rest: ReadonlyArray<Range> = [
    [first, bar],
    [bar + fiveMs, end]
  ]

  const volumeAt = (of: Frame.Frame, time: number): number =>
    floatColumns(of).find(({ name }) => name === "volume")!.values[of.eventTimeMs.indexOf(time)]!

  const invalidate = (servers: string) =>
    Effect.promise(() => {
      const span = [`${minute}`, `${minute + minuteMs}`]
      const args = ["invalidate", file.node, "1m", ...span, "--reason", "corrected", "--nats", servers]
      return runCommand(args, { SEAMLESS_OPERATOR: "alice" })
    })

  const isCovered = (nc: Effect.Success<ReturnType<typeof Cluster.startConnection>>, ranges: ReadonlyArray<Range>) =>
    Effect.map(StoredRoots.standing(nc, above(file)), (root) => {
      return root !== undefined && JSON.stringify(toPairs(root.covered)) === JSON.stringify(ranges)
    })

  /** What a read gives once the bar was made anew: all others as they were. */
  const checkMadeAnew = Effect.fnUntraced(function* (servers: string) {
    const client = yield* Cluster.startClient(servers)
    const { df, meta } = yield* Cluster.readFile(client, above(file), range, patient)
    assert.deepStrictEqual(meta.missingRanges, [])
    const volume = frame.columns.findIndex(({ name }) => name === "volume") + 1
    const expected = recorded(frame).map((values, column) =>
      values.map((value, row) =>
        column === volume && frame.eventTimeMs[row] === bar ? volumeAt(frame, bar) + volumeAt(minutes, minute) : value
      )
    )
    assert.deepStrictEqual(valuesOf(df), expected)
  })

  it.live("takes out just the bar above it within a second or so, which comes back as the source says by then", () =>
    Effect.gen(function* () {
      const { fetchedLater, saysOtherwise, startHost } = yield* setUp(file)
      const { servers } = yield* startHost("a")
      yield* startHost("b")
      const nc = yield* Cluster.startConnection(servers)
      const client = yield* Cluster.startClient(servers)
      yield* Cluster.readFile(client, above(file), range, patient)
      yield* saysOtherwise
      const { code, err } = yield* invalidate(servers)
      assert.strictEqual(code, 0, err)
      const startedMs = performance.now()
      yield* untilTrue("the bar is taken out above", isCovered(nc, rest), 5000)
      process.stdout.write(`taken out ${Math.round(performance.now() - startedMs)} ms after the command had ended\n`)
      yield* checkMadeAnew(servers)
      assert.deepStrictEqual(
        fetchedLater().map(({ endTime, startTime }) => [Number(startTime), Number(endTime) < minute + minuteMs]),
        [[minute, true]]
      )
      const { roots } = yield* StoredRoots.settled(nc, above(file))
      const cause = "invalidated by derived:1m: version"
      assert.lengthOf(
        roots.filter(({ diff }) => diff.cause.startsWith(cause)),
        1
      )
    })
  )

  it.live("takes the bar out also where the only host is killed before it could", () =>
    Effect.gen(function* () {
      const { saysOtherwise, startHost } = yield* setUp(file)
      const host = yield* startHost("a")
      const { servers } = host
      const nc = yield* Cluster.startConnection(servers)
      const client = yield* Cluster.startClient(servers)
      yield* Cluster.readFile(client, above(file), range, patient)
      yield* saysOtherwise
      const below = Effect.map(StoredRoots.standing(nc, file), (root) => toPairs(root!.covered).length > 1)
      // the command tells of it only when a host has seen it: too late to be there in between
      yield* Effect.forkScoped(invalidate(servers))
      yield* untilTrue("the minute is taken out below", below)
      yield* host.kill
      const isStale = yield* isCovered(nc, [[first, end]])
      process.stdout.write(`killed ${isStale ? "before" : "after"} the bar was taken out\n`)
      yield* startHost("b")
      yield* untilTrue("the bar is taken out above", isCovered(nc, rest), 20_000)
      yield* checkMadeAnew(servers)
    })
  )
})
