/**
 * What is in a file?
 *
 * Learnt by reading it once: its columns, how its times are written, and from when to when they are. A time that can't
 * be read is a fault of the whole file, since nobody knows what it would be about.
 */
import { Effect, Result } from "effect"
import type { Range } from "../../protocol/history/Range.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { RequestFailed } from "./DataSource.ts"
import { type FileColumn, findRoles, type Roles } from "./lakeColumns.ts"
import { formOf, type HowRead, tableSql } from "./lakeTable.ts"
import { timeHint } from "./timeHint.ts"
import { isNumeric, millisecondsSql, rawTime, type TimeUnit, timeSql, unitOf } from "./lakeTime.ts"
import { type Cell, type FileReader, quoteName, quoteText, unreadable } from "./Parquet.ts"

/** A file, and what tells it from what it was before. */
export interface LakeFile {
  readonly name: string
  readonly stamp: string
  /** From its path; undefined where the path has none. */
  readonly symbol: string | undefined
}

/** How a file is read: files of one layout are read by one query. */
export interface Layout extends HowRead {
  readonly roles: Roles
  readonly unit: TimeUnit
}

/** How much a file has, of all or of one symbol. */
interface Held {
  readonly rows: number
  /** The first and the last time, in epoch milliseconds; undefined where there is no row. */
  readonly span: Range | undefined
}

/** What is in a file. */
export interface FileFacts extends Held {
  readonly file: LakeFile
  readonly layout: Layout
  /** Its columns that are neither known by their names nor mapped. */
  readonly others: ReadonlyArray<FileColumn>
  /** What it has of each symbol, as its column has them; undefined where no column says whose rows they are. */
  readonly symbols?: ReadonlyMap<string, Held>
  /** The symbol whose rows count, as the column has it; all rows count without it. */
  readonly symbol?: string
}

/** Whoever learns, and how the files are to be understood. */
interface Learner {
  readonly settings: LakeSettings
  readonly reader: FileReader
}

const endings = [
  ["parquet", /\.(parquet|parq|pq)$/i],
  ["csv", /\.(csv|tsv|txt)(\.(gz|zst))?$/i]
] as const

const numberOf = (cell: Cell | undefined): number => (typeof cell === "number" ? cell : Number.NaN)

/** Fails in the name of a file. */
const about = <A>(name: string, found: Result.Result<A, string>): Effect.Effect<A, RequestFailed> =>
  Effect.mapError(Effect.fromResult(found), (problem) => unreadable(`${name}: ${problem}`))

const formatOf = ({ format }: LakeSettings, name: string): Result.Result<Layout["format"], string> =>
  Result.fromNullishOr(format ?? endings.find(([, ending]) => ending.test(name))?.[0], () =>
    /\.(zip|7z|rar|tar|tgz)$/i.test(name)
      ? "it is an archive: unpack it, and name what was in it"
      : /\.(xlsx?|xlsm|ods|numbers)$/i.test(name)
        ? "it is a workbook: save its sheet as CSV"
        : "its ending says neither CSV nor Parquet: say which by format"
  )

/** What numbers that stand for times count, where nothing says it. */
const findUnit = Effect.fnUntraced(function* (
  { reader, settings }: Learner,
  name: string,
  table: string,
  roles: Roles
) {
  const { timeFormat, timeUnit } = settings
  const [first, second] = roles.eventTime
  if (timeFormat !== undefined || second !== undefined) return "iso" as const
  // a column that is of times already counts nothing, whatever is said of others
  if (first.type !== "VARCHAR" && !isNumeric(roles.eventTime)) return "iso" as const
  if (timeUnit !== undefined) return timeUnit
  const { largest, numbers, rows, smallest } = yield* reader.ask({
    sql:
      "SELECT CAST(count(*) AS DOUBLE) AS rows, CAST(count(n) AS DOUBLE) AS numbers, min(n) AS smallest, " +
      `max(n) AS largest FROM (SELECT TRY_CAST(${rawTime(roles.eventTime)} AS DOUBLE) AS n FROM ${table})`
  })
  // one that is no number among numbers is a mistake, not another way of writing
  const areNumbers = numberOf(numbers?.[0]) * 2 > numberOf(rows?.[0])
  return areNumbers ? yield* about(name, unitOf(numberOf(smallest?.[0]), numberOf(largest?.[0]))) : ("iso" as const)
})

const spanOf = (first: number, last: number): Range | undefined => (Number.isNaN(first) ? undefined : [first, last])

/** What a file has, from what it has of each symbol. */
const togetherOf = (each: ReadonlyArray<Held>): Held => {
  const spans = each.flatMap(({ span }) => (span === undefined ? [] : [span]))
  const [first, last] = [Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, to]) => to))]
  return { rows: each.reduce((sum, { rows }) => sum + rows, 0), span: spans.length === 0 ? undefined : [first, last] }
}

const checkTimes = Effect.fnUntraced(function* (
  { reader, settings }: Learner,
  { name, symbol: pathSymbol }: LakeFile,
  table: string,
  layout: Layout
) {
  const { eventTime, symbol } = layout.roles
  const isTold = pathSymbol === undefined && symbol !== undefined
  const whose = isTold ? `CAST(${quoteName(symbol.name)} AS VARCHAR)` : "CAST(NULL AS VARCHAR)"
  const time = timeSql(eventTime, layout.unit, settings)
  const raw = `CAST(${rawTime(eventTime)} AS VARCHAR) AS raw`
  const rows = `SELECT ${time} AS t, __row, ${whose} AS symbol, ${raw} FROM ${table}`
  const found = yield* reader.ask({
    sql:
      `SELECT symbol, CAST(count(*) AS DOUBLE) AS rows, ${millisecondsSql("min(t)")} AS first, ` +
      `${millisecondsSql("max(t)")} AS last, CAST(min(__row) FILTER (t IS NULL) AS DOUBLE) AS bad, ` +
      `arg_min(coalesce(raw, ''), __row) FILTER (t IS NULL) AS badText FROM (${rows}) ` +
      "GROUP BY symbol ORDER BY bad, symbol"
  })
  const bad = found["bad"]?.[0]
  if (typeof bad === "number") {
    const unit = layout.unit === "iso" ? "in ISO 8601" : `in ${layout.unit}`
    const expected = settings.timeFormat === undefined ? unit : `as ${settings.timeFormat}`
    const text = String(found["badText"]?.[0])
    return yield* unreadable(`${name}, row ${bad}: ${JSON.stringify(text)} is no time ${expected}; ${timeHint(text)}`)
  }
  const each = (found["rows"] ?? []).map((rows, at) => {
    const span = spanOf(numberOf(found["first"]?.[at]), numberOf(found["last"]?.[at]))
    return [found["symbol"]?.[at], { rows: numberOf(rows), span }] as const
  })
  const symbols = each.flatMap(([told, held]) => (typeof told === "string" ? [[told, held] as const] : []))
  return { ...togetherOf(each.map(([, held]) => held)), ...(isTold && { symbols: new Map(symbols) }) }
})

const learnIt = Effect.fnUntraced(function* (learner: Learner, file: LakeFile) {
  const { reader, settings } = learner
  const { name } = file
  const format = yield* about(name, formatOf(settings, name))
  const how = { format, csv: format === "csv" ? yield* formOf(name, settings.header) : undefined }
  const table = tableSql(how, `[${quoteText(name)}]`, settings)
  const described = yield* reader.ask({
    sql: `SELECT column_name, column_type FROM (DESCRIBE SELECT * EXCLUDE (__file, __row) FROM ${table})`
  })
  const columns = (described["column_name"] ?? [])
    .map((column, at) => ({ name: String(column), type: String(described["column_type"]?.[at]) }))
    .filter((column) => format === "csv" || column.name !== "file_row_number")
  const roles = yield* about(name, findRoles(columns, settings.rows ?? "bars", settings))
  const layout = { ...how, roles, unit: yield* findUnit(learner, name, table, roles) }
  const read = new Set([roles.symbol, ...roles.eventTime, ...roles.values.map(([, column]) => column)])
  const others = columns.filter((column) => !read.has(column))
  return { file, layout, others, ...(yield* checkTimes(learner, file, table, layout)) } satisfies FileFacts
})

/** What is in a file, or what is wrong with it in its name. */
export const learnFile = (learner: Learner, file: LakeFile): Effect.Effect<FileFacts, RequestFailed> =>
  Effect.mapError(learnIt(learner, file), (failure) =>
    failure.reason.startsWith(file.name) ? failure : unreadable(`${file.name}: ${failure.reason}`, failure.retryable)
  )
