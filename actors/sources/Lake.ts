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
import type { TradeBars } from "../conformance/rollUpTrades.ts"
import type { Capabilities, DataSource, Page, PageRequest, RequestFailed } from "./DataSource.ts"
import { throughGate } from "./Gate.ts"
import * as LakeIndex from "./LakeIndex.ts"
import * as Edges from "./lakeEdges.ts"
import { countQuery, pageQuery, rowsAtMost, withTime } from "./lakeQuery.ts"
import { withFields } from "./lakeFields.ts"
import { barsOf, type RowsWanted, tradesOf } from "./lakeRows.ts"
import { findSymbol } from "./lakeSymbols.ts"
import type { FileFacts } from "./learnFile.ts"
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
  /** The symbols that it is asked for: those that are configured, and those of whoever has asked. */
  readonly symbols: Set<string>
}

interface Found {
  readonly files: ReadonlyArray<FileFacts>
}

const orUnreadable = <A>(found: Result.Result<A, string>): Effect.Effect<A, RequestFailed> =>
  Effect.mapError(Effect.fromResult(found), (problem) => unreadable(problem))

/** The files that have a symbol, with its rows only. */
const find = Effect.fnUntraced(function* ({ index, symbols }: Lake, wanted: string, range: Range) {
  const named = yield* index.pathSymbols
  if (named !== undefined) {
    return { files: yield* index.filesOf(yield* orUnreadable(findSymbol(wanted, named)), range) } satisfies Found
  }
  const files = yield* index.filesOf(undefined, range, wanted)
  if (files.some(({ symbol }) => symbol !== undefined)) return { files } satisfies Found
  // one series would get the other's bars
  symbols.add(wanted)
  if (symbols.size > 1) {
    const told = "neither their paths nor a column of theirs say which rows are whose"
    return yield* unreadable(`the files are asked for ${Array.from(symbols).join(" and for ")}, and ${told}`)
  }
  return { files } satisfies Found
})

/** No bar, with the columns that bars have. */
const noBars = ({ columns = {}, rows = "bars", without = [] }: LakeSettings): Page => {
  const extra = rows === "bars" ? Object.keys(columns).filter((name) => !notBars.includes(name)) : []
  return {
    eventTime: new Float64Array(0),
    columns: [...barColumns.filter((name) => !without.some((absent) => absent === name)), ...extra].map((name) => ({
      name,
      values: new Float64Array(0)
    }))
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
  if (query === undefined) return Effect.succeed(undefined)
  // what was read while a file was written anew is neither the one nor the other
  return Effect.tap(lake.reader.ask(query), lake.index.unchanged(withTime({ ...found, range })))
}

const barsPage = Effect.fnUntraced(function* (lake: Lake, found: Found, wanted: RowsWanted) {
  const { interval, range } = wanted
  const [start, end] = range
  // a bar that is stamped with its end is found behind it
  const times: Range = lake.settings.stamped === "close" ? [start, end + interval.lengthMs + 1] : range
  const limit = wanted.barsMax * rowsPerBar + spareRows
  const table = yield* ask(lake, found, times, limit)
  const seams = Edges.within(Edges.edgesOf(found.files, interval, lake.settings).seams, range)
  if (table === undefined) return { ...noBars(lake.settings), seams }
  return { ...(yield* orUnreadable(barsOf(table, { ...wanted, limit }, lake.settings))), seams }
})

/** The range up to the end of the last bar that can be rolled up at once, which is its first bar at the least. */
const firstTrades = Effect.fnUntraced(function* (lake: Lake, found: Found, { barsMax, interval, range }: RowsWanted) {
  if (rowsAtMost({ ...found, range }) <= tradesPerRead) return range
  const query = countQuery({ ...found, range, limit: barsMax }, interval, lake.settings)
  const { bar = [], rows = [] } = query === undefined ? {} : yield* lake.reader.ask(query)
  if (Number(rows[0] ?? 0) > tradesPerBarMax) {
    return yield* unreadable(
      `one bar of ${interval.text} has more than ${tradesPerBarMax} trades: derive it from shorter bars`
    )
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

const without = ({ columns, eventTime }: TradeBars, cut: ReadonlySet<number>): TradeBars => {
  const isWhole = (_: unknown, row: number): boolean => !cut.has(eventTime[row]!)
  if (eventTime.every(isWhole)) return { columns, eventTime }
  return {
    eventTime: eventTime.filter(isWhole),
    columns: columns.map((column) => ({ ...column, values: column.values.filter(isWhole) }))
  }
}

const tradesPage = Effect.fnUntraced(function* (lake: Lake, found: Found, wanted: RowsWanted) {
  const { interval, range } = wanted
  const edges = Edges.edgesOf(found.files, interval, lake.settings)
  const seams = Edges.within(edges.seams, range)
  let [start, end]: Range = [Interval.alignUp(interval, range[0]), Interval.alignUp(interval, range[1])]
  while (isRange(start, end)) {
    const times = yield* firstTrades(lake, found, { ...wanted, range: [start, end] })
    const table = yield* ask(lake, found, times, tradesPerBarMax)
    if (table === undefined) break
    const bars = without(yield* orUnreadable(tradesOf(table, wanted)), edges.cut)
    // a page without bars would mean that there are none behind them either
    if (bars.eventTime.length > 0 || times[1] >= end) return { ...bars, whole: edges.whole, seams }
    start = times[1]
  }
  return { ...noBars(lake.settings), seams }
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
  const { decidedBy, fields = [] } = request
  const wanted: RowsWanted = {
    interval,
    range: [start, end],
    barsMax: lake.barsMax,
    limit: 0,
    fields,
    ...(decidedBy !== undefined && { decidedBy })
  }
  if (lake.settings.rows === "trades") return yield* tradesPage(lake, found, wanted)
  return yield* barsPage(lake, { files: found.files.map((facts) => withFields(facts, fields)) }, wanted)
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

/** A source that reads files, of the symbols that are configured; relative paths count from `folder`. */
export const make = Effect.fnUntraced(function* (
  name: string,
  settings: LakeSettings,
  folder: string,
  symbols: ReadonlyArray<string> = []
) {
  const capabilities = capabilitiesOf(settings)
  const reader = settings.s3 === undefined ? localFiles : bucketFiles(settings.s3)
  const index = yield* LakeIndex.make(settings, folder, reader)
  const lake: Lake = { settings, index, reader, barsMax: capabilities.barsPerRequest, symbols: new Set(symbols) }
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
