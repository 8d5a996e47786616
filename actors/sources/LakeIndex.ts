/**
 * Which files does a lake have, and what is in each of them?
 *
 * The files are listed for each question; what is in one is learnt once, and again when its size or its time of change
 * is another. A file that was there and is gone is missed: where no other file has its time, questions about that
 * time fail.
 */
import { Effect, Result, Semaphore } from "effect"
import { open } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { isoTime } from "../../protocol/history/isoTime.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { LakeSettings } from "../../protocol/Settings.ts"
import type { RequestFailed } from "./DataSource.ts"
import { findRoles, type Roles } from "./lakeColumns.ts"
import { isNumeric, millisecondsSql, rawTime, type TimeUnit, timeSql, unitOf } from "./lakeTime.ts"
import { type Cell, type FileReader, quoteText, unreadable } from "./Parquet.ts"

/** A file, and what tells it from what it was before. */
interface LakeFile {
  readonly name: string
  readonly stamp: string
  /** From its path; undefined where the path has none. */
  readonly symbol: string | undefined
}

/** How a file is read: files of one layout are read by one query. */
export interface Layout {
  readonly format: "csv" | "parquet"
  /** Of a CSV file; undefined where DuckDB finds out. */
  readonly delimiter: string | undefined
  readonly roles: Roles
  readonly unit: TimeUnit
}

/** What is in a file. */
export interface FileFacts {
  readonly file: LakeFile
  readonly layout: Layout
  readonly rows: number
  /** Its first and its last time, in epoch milliseconds; undefined where it has no row. */
  readonly span: Range | undefined
}

/** What a lake has. */
export interface LakeIndex {
  /** The symbols that paths have; undefined where no path has one. */
  readonly pathSymbols: Effect.Effect<ReadonlyArray<string> | undefined, RequestFailed>
  /** The files of a symbol, in the order of their names. Fails where time of the range was in one that is gone. */
  readonly filesOf: (symbol: string | undefined, range: Range) => Effect.Effect<ReadonlyArray<FileFacts>, RequestFailed>
}

// listing takes about a second then
const filesMax = 20_000
const headBytes = 65_536

const isRemote = (path: string): boolean => /^[a-z0-9]+:\/\//i.test(path)

const endings = [
  ["parquet", /\.(parquet|parq|pq)$/i],
  ["csv", /\.(csv|tsv|txt)(\.(gz|zst))?$/i]
] as const

/** The pattern with a name in the place of each part that it leaves open. */
const symbolOf = (pattern: string, path: string): string | undefined => {
  if (!pattern.includes("{symbol}")) return undefined
  const source = pattern.split(/(\{symbol\}|\*\*\/|\*|\?)/).map((part, at, parts) => {
    if (part === "{symbol}") return parts.indexOf(part) === at ? "(?<symbol>[^/]+?)" : "\\k<symbol>"
    if (part === "**/") return "(?:.*/)?"
    if (part === "*") return "[^/]*"
    return part === "?" ? "[^/]" : part.replaceAll(/[\\^$.()|[\]{}+/-]/g, "\\$&")
  })
  return new RegExp(`^${source.join("")}$`).exec(path)?.groups?.["symbol"]
}

const patternsOf = ({ path }: LakeSettings, folder: string): ReadonlyArray<string> =>
  (typeof path === "string" ? [path] : path).map((each) =>
    isRemote(each) || isAbsolute(each) ? each : join(folder, each)
  )

/** The character that stands between the names of the first line; undefined where none of the usual does. */
const delimiterIn = (head: string): string | undefined => {
  const [line = ""] = head.split("\n", 1)
  const counted = [",", ";", "\t", "|"].map((each) => [each, line.split(each).length - 1] as const)
  const [best, count] = counted.reduce((a, b) => (b[1] > a[1] ? b : a))
  return count > 0 ? best : undefined
}

const readHead = async (name: string): Promise<string> => {
  const file = await open(name)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return buffer.toString("utf8", 0, bytesRead)
  } finally {
    await file.close()
  }
}

const delimiterOf = (name: string): Effect.Effect<string | undefined, RequestFailed> =>
  isRemote(name) || /\.(gz|zst)$/i.test(name)
    ? Effect.succeed(undefined)
    : Effect.tryPromise({
        try: async () => delimiterIn(await readHead(name)),
        catch: (cause) => unreadable(`${name}: ${String(cause)}`, true)
      })

type HowRead = Pick<Layout, "format" | "delimiter">

/** Rows of files as a table in SQL, with their file and their number in it from 1. */
export const tableSql = ({ delimiter, format }: HowRead, files: string, settings: LakeSettings): string => {
  if (format === "parquet") {
    const table = `read_parquet(${files}, filename = '__file', file_row_number = true)`
    return `(SELECT *, file_row_number + 1 AS __row FROM ${table})`
  }
  const { header } = settings
  const names = header && `header = false, names = [${header.map(quoteText).join(", ")}]`
  const between = delimiter === undefined ? "" : `, delim = ${quoteText(delimiter)}`
  const how = `all_varchar = true, filename = '__file', ${names ?? "header = true"}${between}`
  // files are read in the order of the list, and each from top to bottom
  return `(SELECT *, row_number() OVER () AS __row FROM read_csv(${files}, ${how}))`
}

const numberOf = (cell: Cell | undefined): number => (typeof cell === "number" ? cell : Number.NaN)

/** Fails in the name of a file. */
const about = <A>(name: string, found: Result.Result<A, string>): Effect.Effect<A, RequestFailed> =>
  Effect.mapError(Effect.fromResult(found), (problem) => unreadable(`${name}: ${problem}`))

/** A lake's files under some settings; relative paths count from `folder`. */
export const make = Effect.fnUntraced(function* (settings: LakeSettings, folder: string, reader: FileReader) {
  const known = new Map<string, FileFacts>()
  const patterns = patternsOf(settings, folder)
  const turn = yield* Semaphore.make(1)

  const list = Effect.gen(function* () {
    const found = new Map<string, LakeFile>()
    for (const pattern of patterns) {
      const listed = yield* reader.ask({
        sql:
          "SELECT filename, CAST(size AS VARCHAR) || ' ' || CAST(epoch_us(last_modified) AS VARCHAR) AS stamp " +
          `FROM read_blob($pattern) ORDER BY filename LIMIT ${filesMax + 1}`,
        values: { pattern: pattern.replaceAll("{symbol}", "*") }
      })
      for (const [at, cell] of (listed["filename"] ?? []).entries()) {
        const name = String(cell)
        found.set(name, { name, stamp: String(listed["stamp"]?.[at]), symbol: symbolOf(pattern, name) })
      }
    }
    if (found.size > filesMax) return yield* unreadable(`more than ${filesMax} files match ${patterns.join(", ")}`)
    // a disk that is not mounted looks like this
    if (found.size === 0) return yield* unreadable(`no file matches ${patterns.join(", ")}`, true)
    return Array.from(found.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  })

  const formatOf = (name: string): Result.Result<Layout["format"], string> =>
    Result.fromNullishOr(
      settings.format ?? endings.find(([, ending]) => ending.test(name))?.[0],
      () => "its ending says neither CSV nor Parquet: say which by format"
    )

  /** What numbers that stand for times count, where nothing says it. */
  const findUnit = Effect.fnUntraced(function* (name: string, table: string, roles: Roles) {
    const { timeFormat, timeUnit } = settings
    const [first, second] = roles.eventTime
    if (timeFormat !== undefined || second !== undefined) return "iso" as const
    if (timeUnit !== undefined) return timeUnit
    if (first.type !== "VARCHAR" && !isNumeric(roles.eventTime)) return "iso" as const
    const { largest, numbers, rows } = yield* reader.ask({
      sql:
        "SELECT CAST(count(*) AS DOUBLE) AS rows, CAST(count(n) AS DOUBLE) AS numbers, max(abs(n)) AS largest " +
        `FROM (SELECT TRY_CAST(${rawTime(roles.eventTime)} AS DOUBLE) AS n FROM ${table})`
    })
    // one that is no number among numbers is a mistake, not another way of writing
    const areNumbers = numberOf(numbers?.[0]) * 2 > numberOf(rows?.[0])
    return areNumbers ? yield* about(name, unitOf(numberOf(largest?.[0]))) : ("iso" as const)
  })

  const checkTimes = Effect.fnUntraced(function* (name: string, table: string, layout: Layout) {
    const { eventTime } = layout.roles
    const time = timeSql(eventTime, layout.unit, settings)
    const rows = `SELECT ${time} AS t, __row, CAST(${rawTime(eventTime)} AS VARCHAR) AS raw FROM ${table}`
    const found = yield* reader.ask({
      sql:
        `SELECT CAST(count(*) AS DOUBLE) AS rows, ${millisecondsSql("min(t)")} AS first, ` +
        `${millisecondsSql("max(t)")} AS last, CAST(min(__row) FILTER (t IS NULL) AS DOUBLE) AS bad, ` +
        `arg_min(coalesce(raw, ''), __row) FILTER (t IS NULL) AS badText FROM (${rows})`
    })
    const bad = found["bad"]?.[0]
    if (typeof bad === "number") {
      const unit = layout.unit === "iso" ? "in ISO 8601" : `in ${layout.unit}`
      const expected = settings.timeFormat === undefined ? unit : `as ${settings.timeFormat}`
      const text = JSON.stringify(found["badText"]?.[0])
      return yield* unreadable(
        `${name}, row ${bad}: ${text} is no time ${expected}; timeUnit or timeFormat say another`
      )
    }
    const [first, last] = [numberOf(found["first"]?.[0]), numberOf(found["last"]?.[0])]
    const span: Range | undefined = Number.isNaN(first) ? undefined : [first, last]
    return { rows: numberOf(found["rows"]?.[0]), span }
  })

  const learn = Effect.fnUntraced(function* (file: LakeFile) {
    const { name } = file
    const format = yield* about(name, formatOf(name))
    const how = { format, delimiter: format === "csv" ? yield* delimiterOf(name) : undefined }
    const table = tableSql(how, `[${quoteText(name)}]`, settings)
    const described = yield* reader.ask({
      sql: `SELECT column_name, column_type FROM (DESCRIBE SELECT * EXCLUDE (__file, __row) FROM ${table})`
    })
    const columns = (described["column_name"] ?? [])
      .map((column, at) => ({ name: String(column), type: String(described["column_type"]?.[at]) }))
      .filter((column) => format === "csv" || column.name !== "file_row_number")
    const roles = yield* about(name, findRoles(columns, settings.rows ?? "bars", settings.columns ?? {}))
    const layout = { ...how, roles, unit: yield* findUnit(name, table, roles) }
    return { file, layout, ...(yield* checkTimes(name, table, layout)) } satisfies FileFacts
  })

  const factsOf = Effect.fnUntraced(function* (file: LakeFile) {
    const before = known.get(file.name)
    if (before?.file.stamp === file.stamp) return before
    const facts = yield* learn(file)
    known.set(file.name, facts)
    return facts
  })

  /** Fails where time of the range was in a file that is gone, and is in no other. */
  const missGone = Effect.fnUntraced(function* (
    files: ReadonlyArray<LakeFile>,
    present: ReadonlyArray<FileFacts>,
    range: Range
  ) {
    const names = new Set(files.map(({ name }) => name))
    const symbols = new Set(files.map(({ symbol }) => symbol))
    const there = RangeSet.make(present.flatMap(({ span }) => (span === undefined ? [] : [[span[0], span[1] + 1]])))
    for (const { file, span } of known.values()) {
      if (span === undefined || names.has(file.name) || !symbols.has(file.symbol)) continue
      const lost = RangeSet.subtract(RangeSet.of(span[0], span[1] + 1), there)
      if (isEmpty(RangeSet.intersect(lost, RangeSet.of(...range)))) continue
      const time = `${isoTime(span[0])} to ${isoTime(span[1])}`
      return yield* unreadable(`${file.name} is gone, which had ${time}: put it back, or start the host anew`, true)
    }
  })

  const filesOf = Effect.fnUntraced(function* (symbol: string | undefined, range: Range) {
    const listed = yield* list
    const files = listed.filter((file) => symbol === undefined || file.symbol === symbol)
    if (files.length === 0) return yield* unreadable(`no file is there any more of ${symbol}`, true)
    const facts = yield* Effect.forEach(files, factsOf)
    yield* missGone(files, facts, range)
    return facts
  })

  return {
    pathSymbols: Effect.map(list, (files) => {
      const symbols = new Set(files.flatMap(({ symbol }) => (symbol === undefined ? [] : [symbol])))
      return patterns.some((pattern) => pattern.includes("{symbol}")) ? Array.from(symbols) : undefined
    }),
    // one at a time: those who wait find learnt what the first had to learn
    filesOf: (symbol, range) => turn.withPermits(1)(filesOf(symbol, range))
  } satisfies LakeIndex
})
