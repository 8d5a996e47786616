/** Is a doubtful bar marked, kept out or refused as the rules of its series say, and told in every form of an answer? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ReadOptions } from "../../client/requestBody.ts"
import { ohlcv } from "../../protocol/frame/DataSchema.ts"
import * as FrameCodec from "../../protocol/frame/FrameCodec.ts"
import type { QualityRules } from "../../protocol/frame/QualityRules.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { SchemaSettings } from "../../protocol/SchemaSettings.ts"
import { arrowMetaKey, Header, MediaType } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { barFiles, type BarFile } from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"
import { untilTrue } from "../support/untilTrue.ts"

const { interval, path } = barFiles.fullDay
const dayMs = Date.parse("2022-12-13")
const minuteMs = 60_000
const at = (minute: number): number => dayMs + minute * minuteMs
const minutes = (from: number, to: number): Range => [at(from), at(to)]

const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } }
const demanding: ReadOptions = { ...patient, sla: { ...patient.sla, onBackfillFailure: "error" } }

/** A folder for a file of candles, of which some have been spoilt. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-quality-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

const columns = "ts,open,high,low,close,volume".split(",")

/** By minute: the columns that are not what they were, and what is there instead. */
const spoilt: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  // a spike: the close leaves and is back in the next minute
  100: { close: "172000", high: "172000" },
  200: { volume: "-3" },
  201: { volume: "-4" },
  // the low is above all else
  300: { low: "99999" }
}

const spoil = (folderPath: string): string => {
  const [header = "", ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
  const text = rows.map((row, minute) =>
    row
      .split(",")
      .map((cell, column) => spoilt[minute]?.[columns[column] ?? ""] ?? cell)
      .join(",")
  )
  const file = join(folderPath, "spoilt.csv")
  writeFileSync(file, [header, ...text].join("\n"))
  return file
}

/** The series by what comes of negative volumes; each is a pair of its own, with the same bars. */
const pairs = { plain: "AAA/USD", strict: "BBB/USD", refusing: "CCC/USD" } as const

const schemaOf = (quality: QualityRules): SchemaSettings => {
  const [first, ...others] = ohlcv.fields
  return { fields: [first!, ...others], rules: { quality } }
}

const setUp = Effect.gen(function* () {
  const file = spoil(yield* folder)
  const [plain, strict, refusing] = Object.values(pairs).map((pair): BarFile => ({
    path: file,
    pair,
    node: `ohlcv:binance:${pair}`,
    interval
  }))
  const cluster = yield* Cluster.start({
    files: [plain!, strict!, refusing!],
    series: ({ pair }) => (pair === pairs.plain ? {} : { schema: pair === pairs.strict ? "strict" : "refusing" }),
    retry: { attempts: 1 },
    rest: {
      schemas: {
        strict: schemaOf([{ rule: "negativeVolume", severity: "quarantine" }]),
        refusing: schemaOf([{ rule: "negativeVolume", severity: "reject" }])
      }
    }
  })
  const read = (of: BarFile, range: Range, options = patient) => Cluster.readFile(cluster.client, of, range, options)
  return { ...cluster, plain: plain!, strict: strict!, refusing: refusing!, read }
})

type Given = Effect.Success<typeof setUp>

/** The minutes whose rows are marked. */
const suspects = ({ columns }: { readonly columns: Readonly<Record<string, ArrayLike<unknown>>> }) =>
  Array.from(columns["event_time"] ?? []).flatMap((time, row) =>
    (Number(columns["__flags"]?.[row]) & RowFlag.suspect) === 0 ? [] : [(Number(time) - dayMs) / minuteMs]
  )

const found = {
  negativeVolume: { count: 2, severity: "flag", examples: [at(200), at(201)] },
  ohlcOrder: { count: 1, severity: "flag", examples: [at(300)] },
  // there and back
  jump: { count: 2, severity: "flag", examples: [at(100), at(101)] },
  zScore: { count: 2, severity: "flag", examples: [at(100), at(101)] },
  reversal: { count: 1, severity: "flag", examples: [at(100)] }
} as const

const marked = [100, 101, 200, 201, 300]

/** What rules found is marked, counted and shown in every form, for the whole and for parts of it. */
const tellIt = Effect.fnUntraced(function* ({ hosts, plain, read, servers, startHost }: Given) {
  const { df, meta } = yield* read(plain, minutes(0, 1440))
  assert.strictEqual(df.length, 1440)
  assert.deepStrictEqual(suspects(df), marked)
  assert.deepStrictEqual(meta.qualitySummary.findings, found)
  assert.containSubset(meta.qualitySummary, { rows: 1440, expectedBars: 1440, knownEmptyBars: 0, gapCount: 0 })
  const part = yield* read(plain, minutes(201, 300))
  assert.deepStrictEqual(part.meta.qualitySummary.findings, {
    negativeVolume: { count: 1, severity: "flag", examples: [at(201)] }
  })
  assert.notProperty((yield* read(plain, minutes(102, 200))).meta.qualitySummary, "findings")

  // from what is stored, on a host that never saw the answer
  yield* hosts[0]!.stop
  yield* startHost("b")
  const nc = yield* Cluster.startConnection(servers)
  const ask = (accept: string) =>
    Effect.promise(async () => {
      const { headers } = await import("@nats-io/transport-node")
      const asked = headers()
      asked.set(Header.accept, accept)
      const [start, end] = minutes(0, 1440)
      const body = JSON.stringify({ nodeId: plain.node, interval, start, end })
      return nc.request(Subject.service.read, body, { headers: asked, timeout: 10_000 })
    })
  const json: { readonly columns: Record<string, ReadonlyArray<unknown>>; readonly meta: typeof meta } = (yield* ask(
    MediaType.json
  )).json()
  assert.deepStrictEqual(suspects(json), marked)
  assert.deepStrictEqual(json.meta.qualitySummary.findings, found)
  for (const name of ["__source", "__ingest_at", "__backfill_job_id", "__flags"]) {
    assert.lengthOf(json.columns[name]!, 1440)
  }
  const { frame, metadata } = FrameCodec.decode((yield* ask(MediaType.arrow)).data)
  const flagged = Array.from(frame.flags).flatMap((flag, minute) => ((flag & RowFlag.suspect) === 0 ? [] : [minute]))
  assert.deepStrictEqual(flagged, marked)
  assert.strictEqual(
    frame.lineage.reduce((rows, run) => rows + run.rows, 0),
    1440
  )
  assert.deepStrictEqual(JSON.parse(metadata.get(arrowMetaKey)!).qualitySummary.findings, found)

  const range = minutes(195, 205).map(String)
  const table = yield* Effect.promise(() => runCommand(["read", plain.node, interval, ...range, "--nats", servers]))
  assert.strictEqual(table.code, 0)
  assert.lengthOf(table.out.match(/SUSPECT/g) ?? [], 2)
  assert.match(table.err, /negativeVolume +2 +marked SUSPECT +2022-12-13T03:20:00Z, 2022-12-13T03:21:00Z/)
})

const untilFetched = ({ klines }: Given, before: number) =>
  untilTrue(
    "it was asked for again",
    Effect.sync(() => klines().length > before),
    20_000
  )

/** What a rule keeps out is missing, owed, told with its values, asked for once, and again upon an operator's word. */
const keepItOut = Effect.fnUntraced(function* (given: Given) {
  const { client, klines, read, servers, strict } = given
  const { df, meta } = yield* read(strict, minutes(0, 1440))
  assert.strictEqual(df.length, 1438)
  assert.deepStrictEqual(meta.coverageRanges, [minutes(0, 200), minutes(202, 1440)])
  const told = (ranges: ReadonlyArray<MissingRange>) =>
    ranges.map(({ end, evidence, reason, rule, start, state }) => ({ start, end, state, reason, rule, evidence }))
  const aside: ReturnType<typeof told>[number] = {
    start: at(200),
    end: at(202),
    state: "quarantined",
    reason: "quality rule negativeVolume: volume is below zero",
    rule: "negativeVolume",
    evidence: "volume is -3 at 2022-12-13T03:20:00Z; volume is -4 at 2022-12-13T03:21:00Z"
  }
  assert.deepStrictEqual(told(meta.missingRanges), [aside])
  const { negativeVolume, ...others } = meta.qualitySummary.findings ?? {}
  assert.deepStrictEqual(negativeVolume, { count: 2, severity: "quarantine", examples: [at(200), at(201)] })
  assert.deepStrictEqual(Object.keys(others).toSorted(), ["jump", "ohlcOrder", "reversal", "zScore"])
  assert.deepStrictEqual(
    told((yield* Effect.promise(() => client.coverage(strict.node, interval))).missingRanges).slice(0, 1),
    [aside]
  )

  // owed, so no strict read passes; and nobody asks for it again by reading
  const asked = klines().length
  const refused = yield* Effect.flip(read(strict, minutes(190, 210), { ...patient, strict: true }))
  assert.strictEqual(refused.tag, "StrictViolation")
  assert.containSubset(refused.fields, {
    expectedBars: 20,
    gotBars: 18,
    missingRanges: [{ start: at(200), end: at(202) }]
  })
  const onStrictViolation = yield* read(strict, minutes(190, 210), {
    ...patient,
    strict: true,
    onStrictViolation: "flag"
  })
  assert.containSubset(onStrictViolation.meta.qualitySummary.strict, { expectedBars: 20, gotBars: 18 })
  yield* read(strict, minutes(0, 200), { ...patient, strict: true })
  const held = yield* Effect.flip(read(strict, minutes(190, 210), demanding))
  assert.strictEqual(held.tag, "WindowQuarantined")
  assert.include(held.message, "quality rule negativeVolume")
  assert.strictEqual(klines().length, asked)

  const range = minutes(200, 202).map(String)
  const again = yield* Effect.promise(() =>
    runCommand(["reprocess", strict.node, interval, ...range, "--reason", "corrected?", "--nats", servers], {
      SEAMLESS_OPERATOR: "alice"
    })
  )
  assert.strictEqual(again.code, 0, again.err)
  yield* untilFetched(given, asked)
  yield* untilTrue(
    "it is kept out again",
    Effect.map(
      Effect.promise(() => client.coverage(strict.node, interval)),
      ({ missingRanges }) => missingRanges.some(({ rule, start }) => rule === "negativeVolume" && start === at(200))
    ),
    20_000
  )
})

/** An answer that a rule refuses is refused as a whole: nothing of it is stored. */
const refuseIt = Effect.fnUntraced(function* ({ read, refusing }: Given) {
  const fine = yield* read(refusing, minutes(0, 60))
  assert.strictEqual(fine.df.length, 60)
  const failure = yield* Effect.flip(read(refusing, minutes(60, 1440), demanding))
  assert.strictEqual(failure.tag, "WindowQuarantined")
  assert.include(
    failure.message,
    "quality rule negativeVolume: volume is below zero: 2 bars, the first of them: volume is -3 at 2022-12-13T03:20:00Z"
  )
  const { df } = yield* read(refusing, minutes(0, 1440))
  assert.strictEqual(df.length, 60)
})

describe("bars that break a quality rule", () => {
  it.live("are marked, kept out or refused, and told in every form of an answer", () =>
    Effect.gen(function* () {
      const given = yield* setUp
      yield* keepItOut(given)
      yield* refuseIt(given)
      yield* tellIt(given)
    })
  )
})

describe("a perfect source", () => {
  it.live("has perfect reads: ten bars of ten, none cut off, and nothing found", () =>
    Effect.gen(function* () {
      const { client } = yield* Cluster.start({ files: [barFiles.fullDay] })
      const sla = { totalDeadlineMs: 20_000, minCoverage: 1, onViolation: "error" } as const
      const { df, meta } = yield* Cluster.readFile(client, barFiles.fullDay, minutes(500, 510), {
        strategy: "auto_backfill",
        strict: true,
        sla
      })
      assert.strictEqual(df.length, 10)
      assert.deepStrictEqual(meta.qualitySummary, {
        rows: 10,
        expectedBars: 10,
        knownEmptyBars: 0,
        gapCount: 0,
        outOfOrderCount: 0,
        duplicateCount: 0
      })
      assert.strictEqual(meta.slaReport.violation, null)
    })
  )
})
