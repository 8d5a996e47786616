/**
 * How do files give bars?
 *
 * Parquet or CSV files of bars, or of trades of which bars are made. A page is one question to DuckDB about those files
 * that have time of it: sorted and cut off there, so that what is in memory here is no more than a page. Files are
 * never written.
 */
import { Effect, Option, type Result, Semaphore } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import { defaults } from "../../protocol/Settings.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { Capabilities, DataSource, Page, PageRequest, RequestFailed } from "./DataSource.ts"
import { throughGate } from "./Gate.ts"
import * as LakeIndex from "./LakeIndex.ts"
import { countQuery, pageQuery, rowsAtMost } from "./lakeQuery.ts"
import { barsOf, type RowsWanted, tradesOf } from "./lakeRows.ts"
import { findSymbol } from "./lakeSymbols.ts"
import type { FileFacts } from "./learnFile.ts"
import { listSymbols } from "./listSymbols.ts"
import { bucketFiles, type FileReader, localFiles, type Table, unreadable } from "./Parquet.ts"

// so many are sorted and rolled up at once, unless one bar alone has more
const tradesPerRead = 250_000
const tradesPerBarMax = 4_000_000
/** Files that overlap give some bars twice. */
const rowsPerBar = 2
const spareRows = 1000

const barColumns = ["open", "high", "low", "close", "volume"]
const notBars: ReadonlyArray<string> = [...barColumns, "eventTime", "symbol"]

/** A lake that is open. */
interface Lake {
  readonly settings: LakeSettings
  readonly index: LakeIndex.LakeIndex
  readonly reader: FileReader
  readonly barsMax: number
  /** What the columns of symbols call a symbol, as far as somebody has asked. */
  readonly spelt: Map<string, string>
}

interface Found {
  readonly files: ReadonlyArray<FileFacts>
  /** As the column has it; undefined where no column says. */
  readonly symbol: string | undefined
}

const orUnreadable = <A>(found: Result.Result<A, string>): Effect.Effect<A, RequestFailed> =>
  Effect.mapError(Effect.fromResult(found), (problem) => unreadable(problem))

/** The symbol as the files' column has it. */
const spellingOf = Effect.fnUntraced(function* (
  { reader, settings, spelt }: Lake,
  files: ReadonlyArray<FileFacts>,
  wanted: string
) {
  const known = spelt.get(wanted)
  if (known !== undefined) return known
  const there = yield* listSymbols(reader, settings, files, wanted)
  const found = yield* orUnreadable(findSymbol(wanted, there))
  spelt.set(wanted, found)
  return found
})

/** The files that have a symbol, and how they tell it. */
const find = Effect.fnUntraced(function* (lake: Lake, wanted: string, range: Range) {
  const { index } = lake
  const named = yield* index.pathSymbols
  if (named !== undefined) {
    const files = yield* index.filesOf(yield* orUnreadable(findSymbol(wanted, named)), range)
    return { files, symbol: undefined } satisfies Found
  }
  const files = yield* index.filesOf(undefined, range)
  const hasColumn = files.some(({ layout }) => layout.roles.symbol !== undefined)
  if (hasColumn) return { files, symbol: yield* spellingOf(lake, files, wanted) } satisfies Found
  // one series would get the other's bars
  const [other = wanted] = lake.spelt.keys()
  if (other !== wanted) {
    const told = "neither their paths nor a column of theirs say which rows are whose"
    return yield* unreadable(`the files are asked for ${other} and for ${wanted}, and ${told}`)
  }
  lake.spelt.set(wanted, wanted)
  return { files, symbol: undefined } satisfies Found
})

/** No bar, with the columns that bars have. */
const noBars = ({ columns = {}, rows = "bars" }: LakeSettings): Page => {
  const extra = rows === "bars" ? Object.keys(columns).filter((name) => !notBars.includes(name)) : []
  return {
    eventTime: new Float64Array(0),
    columns: [...barColumns, ...extra].map((name) => ({ name, values: new Float64Array(0) }))
  }
}

/** The rows of a range; undefined where no file has time of it. */
const ask = (
  lake: Lake,
  found: Found,
  range: Range,
  limit: number
): Effect.Effect<Table | undefined, RequestFailed> => {
  const query = pageQuery({ ...found, range, limit }, lake.settings)
  return query === undefined ? Effect.succeed(undefined) : lake.reader.ask(query)
}

const barsPage = Effect.fnUntraced(function* (lake: Lake, found: Found, wanted: RowsWanted) {
  const { interval, range } = wanted
  const [start, end] = range
  // a bar that is stamped with its end is found behind it
  const times: Range = lake.settings.stamped === "close" ? [start, end + interval.lengthMs + 1] : range
  const limit = wanted.barsMax * rowsPerBar + spareRows
  const table = yield* ask(lake, found, times, limit)
  if (table === undefined) return noBars(lake.settings)
  return yield* orUnreadable(barsOf(table, { ...wanted, limit }, lake.settings))
})

/** A file has all trades from its first to its last; the bars at its edges may go on in another. */
const wholeTime = ({ files }: Found, interval: Interval.Interval): ReadonlyArray<Range> =>
  files.flatMap(({ span }) => {
    if (span === undefined) return []
    const [start, end] = [Interval.alignUp(interval, span[0]), Interval.alignDown(interval, span[1])]
    return isRange(start, end) ? [[start, end] as const] : []
  })

/** The range up to the end of the last bar that can be rolled up at once, which is its first bar at the least. */
const firstTrades = Effect.fnUntraced(function* (lake: Lake, found: Found, { barsMax, interval, range }: RowsWanted) {
  if (rowsAtMost({ ...found, range }) <= tradesPerRead) return range
  const query = countQuery({ ...found, range, limit: barsMax }, interval, lake.settings)
  const { bar = [], rows = [] } = query === undefined ? {} : yield* lake.reader.ask(query)
  if (Number(rows[0] ?? 0) > tradesPerBarMax) {
    return yield* unreadable(`one bar of ${interval.text} has more than ${tradesPerBarMax} trades`)
  }
  let trades = 0
  const [start] = range
  let end = range[1]
  for (const [at, count] of rows.entries()) {
    trades += Number(count)
    if (at > 0 && trades > tradesPerRead) break
    end = Number(bar[at]) + interval.lengthMs
  }
  return [start, end] as const
})

const tradesPage = Effect.fnUntraced(function* (lake: Lake, found: Found, wanted: RowsWanted) {
  const { interval, range } = wanted
  const whole: Range = [Interval.alignUp(interval, range[0]), Interval.alignUp(interval, range[1])]
  const times = yield* firstTrades(lake, found, { ...wanted, range: whole })
  const table = yield* ask(lake, found, times, tradesPerBarMax)
  if (table === undefined) return noBars(lake.settings)
  const bars = yield* orUnreadable(tradesOf(table, wanted))
  return { ...bars, whole: wholeTime(found, interval) }
})

/** The interval of the files, where it is configured, is the only one that they have. */
const checkInterval = ({ interval: declared, rows }: LakeSettings, { interval }: PageRequest) => {
  if (declared === undefined || rows === "trades") return Effect.void
  const has = Option.exists(Interval.parse(declared), ({ text }) => text === interval.text)
  return has ? Effect.void : Effect.fail(unreadable(`no interval ${interval.text}; the files have bars of ${declared}`))
}

const pageOf = Effect.fnUntraced(function* (lake: Lake, request: PageRequest) {
  const { end, interval, start, symbol } = request
  yield* checkInterval(lake.settings, request)
  const found = yield* find(lake, symbol, [start, end])
  if (!isRange(start, end)) return noBars(lake.settings)
  const wanted = { interval, range: [start, end], barsMax: lake.barsMax, limit: 0 } as const
  return yield* lake.settings.rows === "trades" ? tradesPage(lake, found, wanted) : barsPage(lake, found, wanted)
})

const capabilitiesOf = (settings: LakeSettings): Capabilities => ({
  barsPerRequest: settings.barsPerRequest ?? defaults.lakeBarsPerRequest,
  maxEmptyBars: settings.maxEmptyBars ?? defaults.maxEmptyBars,
  finalityDelayMs: settings.finalityDelayMs ?? defaults.finalityDelayMs,
  attemptsMax: settings.attempts ?? defaults.attempts,
  joinGapsBars: settings.joinGapsBars ?? defaults.joinGapsBars,
  ...(settings.retentionMs !== undefined && { retentionMs: settings.retentionMs }),
  rowFlags: (settings.rows === "trades" ? RowFlag.rolledUp : 0) | (settings.adjusted === true ? RowFlag.adjusted : 0)
})

/** A source that reads files; relative paths count from `folder`. */
export const make = Effect.fnUntraced(function* (name: string, settings: LakeSettings, folder: string) {
  const capabilities = capabilitiesOf(settings)
  const reader = settings.s3 === undefined ? localFiles : bucketFiles(settings.s3)
  const index = yield* LakeIndex.make(settings, folder, reader)
  const lake: Lake = { settings, index, reader, barsMax: capabilities.barsPerRequest, spelt: new Map() }
  const permits = yield* Semaphore.make(settings.concurrency ?? defaults.lakeConcurrency)
  const timeoutMs = settings.requestTimeoutMs ?? defaults.lakeTimeoutMs
  const page: DataSource["page"] = (request) =>
    pageOf(lake, request).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(unreadable(`${name} gave no answer within ${timeoutMs} ms`, true))
      }),
      permits.withPermits(1),
      throughGate,
      Effect.withSpan(Span.dataSourceRead, {
        attributes: {
          [Attribute.source]: name,
          [Attribute.interval]: request.interval.text,
          [Attribute.start]: request.start,
          [Attribute.end]: request.end
        }
      })
    )
  return { name, kind: "BACKFILL", capabilities, page } satisfies DataSource
})
