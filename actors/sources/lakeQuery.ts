/**
 * Which question gives the rows of a page?
 *
 * Pure: SQL over those files that have time of the page, one select for all files of one layout. Rows come sorted by
 * time, then by the number of a trade, then as they lie in the files, and no more than are asked for.
 */
import type { Spacing } from "../../protocol/history/Interval.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { FileColumn } from "./lakeColumns.ts"
import { tableSql } from "./lakeTable.ts"
import { clockSql, comesTwiceSql, millisecondsSql, neverComesSql, rawTime, roughRangeSql, timeSql } from "./lakeTime.ts"
import type { FileFacts, Layout } from "./learnFile.ts"
import { type Query, quoteName, quoteText } from "./Parquet.ts"

/** Rows that are wanted of some files. */
export interface Wanted {
  readonly files: ReadonlyArray<FileFacts>
  /** Times in `[start, end)`, in epoch milliseconds. */
  readonly range: Range
  readonly limit: number
}

/** Columns that are numbers whatever the file makes of them. */
const numeric: ReadonlyArray<string> = ["open", "high", "low", "close", "volume", "price", "amount"]

const isText = ({ type }: FileColumn): boolean => type === "VARCHAR"

/** Whole numbers that a DOUBLE may not hold. */
const isLong = ({ type }: FileColumn): boolean => /^U?(BIG|HUGE)INT$/.test(type)

/** The columns that are long whole numbers in all files: their digits come as they are. */
const longRoles = (files: ReadonlyArray<FileFacts>): ReadonlySet<string> => {
  const [first, ...others] = files.map(({ layout }) => {
    const long = layout.roles.values.filter(([role, column]) => isLong(column) && !numeric.includes(role))
    return new Set(long.flatMap(([role]) => (role === "id" ? [] : [role])))
  })
  return new Set(Array.from(first ?? []).filter((role) => others.every((other) => other.has(role))))
}

/** A number in text, in SQL; null where it is none. Beside a comma before the fraction a point means something else. */
const numberSql = (name: string, { decimal }: LakeSettings): string =>
  decimal === ","
    ? `CASE WHEN NOT contains(${name}, '.') THEN TRY_CAST(replace(${name}, ',', '.') AS DOUBLE) END`
    : `TRY_CAST(${name} AS DOUBLE)`

/** Text of which nobody has said that it is a number: what looks like one with a comma has a point. */
const textSql = (name: string, { decimal }: LakeSettings): string =>
  decimal === "," ? `regexp_replace(${name}, '^(\\s*[-+]?[0-9]+),([0-9]+\\s*)$', '\\1.\\2')` : name

const valueSql = (role: string, column: FileColumn, long: ReadonlySet<string>, settings: LakeSettings): string => {
  const name = quoteName(column.name)
  if (long.has(role)) return `CAST(${name} AS VARCHAR)`
  if (role === "id") return `CAST(${name} AS VARCHAR)`
  if (isText(column)) return numeric.includes(role) ? numberSql(name, settings) : textSql(name, settings)
  // its digits are read as a decimal number is, which dividing would round twice
  if (column.type.startsWith("DECIMAL")) return `CAST(CAST(${name} AS VARCHAR) AS DOUBLE)`
  const isNumber = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE)$/.test(column.type)
  return isNumber ? `CAST(${name} AS DOUBLE)` : `CAST(${name} AS VARCHAR)`
}

/** What would be right where text is no number, in SQL. */
const numberHintSql = (name: string, { decimal }: LakeSettings): string =>
  decimal === ","
    ? `CASE WHEN contains(${name}, '.') THEN ' (beside decimal: "," numbers have no points)' ELSE '' END`
    : `CASE WHEN regexp_matches(${name}, '^\\s*[-+]?[0-9]+,[0-9]+\\s*$') THEN ` +
      `' (say decimal: "," where a comma stands before the fraction)' ` +
      `WHEN regexp_matches(${name}, '^[^0-9]*[0-9]{1,3}([,''_ ][0-9]{3})+') THEN ' (write thousands without signs)' ` +
      "ELSE '' END"

/** What can't be read of a value, in SQL; null where nothing is wrong. */
const badSql = (
  role: string,
  column: FileColumn,
  long: ReadonlySet<string>,
  settings: LakeSettings
): string | undefined => {
  const isExact = role === "id" || long.has(role)

  const name = quoteName(column.name)
  const beyond = `(${name} > ${Number.MAX_SAFE_INTEGER} OR ${name} < ${Number.MIN_SAFE_INTEGER})`
  const rounded =
    isLong(column) && !isExact ? ` WHEN ${beyond} THEN ${quoteText(`${role} would be rounded: `)} || ${name}` : ""
  if (!numeric.includes(role)) return rounded === "" ? undefined : `CASE${rounded} END`
  const isTrade = role === "price" || role === "amount"
  const absent = isTrade ? ` WHEN ${name} IS NULL THEN ${quoteText(`there is no ${role}`)}` : ""
  const told = `${quoteText(`${role} is no number: `)} || ${name} || ${numberHintSql(name, settings)}`
  const isRead = numberSql(name, settings)
  const unread = isText(column) ? ` WHEN trim(${name}) <> '' AND (${isRead}) IS NULL THEN ${told}` : ""
  const all = `${absent}${unread}${rounded}`
  return all === "" ? undefined : `CASE${all} END`
}

const nanoseconds = (timeMs: number): string => `${BigInt(timeMs) * 1_000_000n}`

const firstOf = (parts: ReadonlyArray<string>): string =>
  parts.length === 0 ? "CAST(NULL AS VARCHAR)" : `coalesce(${parts.join(", ")}, NULL)`

interface Group {
  readonly layout: Layout
  readonly symbol: string | undefined
  readonly files: Array<string>
}

const byLayout = (files: ReadonlyArray<FileFacts>): ReadonlyArray<Group> => {
  const groups = new Map<string, Group>()
  for (const { file, layout, symbol } of files) {
    // rows of CSV files are counted as they are read: one select has one file, for their numbers to be right
    const key = JSON.stringify([layout, symbol, layout.format === "csv" ? file.name : ""])
    const group = groups.get(key) ?? { layout, symbol, files: [] }
    groups.set(key, group)
    group.files.push(file.name)
  }
  return Array.from(groups.values())
}

const selectSql = (
  { files, layout, symbol }: Group,
  { range }: Omit<Wanted, "limit">,
  settings: LakeSettings,
  long: ReadonlySet<string>
): string => {
  const { roles, unit } = layout
  const aliasOf = (role: string): string => quoteName(`${long.has(role) ? "i" : "v"} ${role}`)
  const values = roles.values.map(([role, column]) => `${valueSql(role, column, long, settings)} AS ${aliasOf(role)}`)
  // an id may lack in some files, and stands in its place all the same
  if (settings.rows === "trades" && !roles.values.some(([role]) => role === "id")) values.push('NULL AS "v id"')
  const bad = roles.values.flatMap(([role, column]) => badSql(role, column, long, settings) ?? [])
  const twice = comesTwiceSql({ nanoseconds: "__t", raw: "__raw" }, roles.eventTime, { ...settings, unit })
  const clock = clockSql(roles.eventTime, { ...settings, unit })
  const never = neverComesSql("__clock", "__t", settings.zone)
  const faults = [
    ...(clock === undefined ? [] : [`CASE WHEN ${never} THEN 'never comes in its zone: ' || __raw END`]),
    ...(twice === undefined ? [] : [`CASE WHEN ${twice} THEN 'comes twice in its zone: ' || __raw END`]),
    "__bad"
  ]
  const rough = roughRangeSql(roles.eventTime, unit, range)
  const conditions = [
    ...(symbol === undefined || roles.symbol === undefined ? [] : [`${quoteName(roles.symbol.name)} = $${symbol}`]),
    ...(rough === undefined ? [] : [rough])
  ]
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`
  const list = `[${files.map(quoteText).join(", ")}]`
  const inner = [
    `${timeSql(roles.eventTime, unit, settings)} AS __t`,
    "__file",
    "__row",
    `CAST(${rawTime(roles.eventTime)} AS VARCHAR) AS __raw`,
    `${firstOf(bad)} AS __bad`,
    `${clock ?? "NULL"} AS __clock`,
    ...values
  ]
  const names = [...roles.values.map(([role]) => role), ...(values.length > roles.values.length ? ["id"] : [])]
  return (
    `SELECT __t, __file, __row, ${firstOf(faults)} AS bad, ${names.map(aliasOf).join(", ")} ` +
    `FROM (SELECT ${inner.join(", ")} FROM ${tableSql(layout, list, settings)}${where}) ` +
    `WHERE __t >= ${nanoseconds(range[0])} AND __t < ${nanoseconds(range[1])}`
  )
}

/** The files that have time of a range. */
export const withTime = ({ files, range: [start, end] }: Pick<Wanted, "files" | "range">): ReadonlyArray<FileFacts> =>
  files.filter(({ span }) => span !== undefined && isRange(span[0], end) && !isRange(span[1], start))

/** How many rows there are at the most in files that have time of the range. */
export const rowsAtMost = (wanted: Pick<Wanted, "files" | "range">): number =>
  withTime(wanted).reduce((sum, { rows }) => sum + rows, 0)

/** What is asked, of all rows in range; undefined where no file has time of it. */
const overRows = (
  sqlOf: (rows: string) => string,
  wanted: Omit<Wanted, "limit">,
  settings: LakeSettings
): Query | undefined => {
  const files = withTime(wanted)
  if (files.length === 0) return undefined
  const long = longRoles(files)
  // what files call a symbol is bound, never a part of the question's text
  const bound = [...new Set(files.flatMap(({ symbol }) => (symbol === undefined ? [] : [symbol])))]
  const nameOf = (symbol: string | undefined) => (symbol === undefined ? undefined : `symbol${bound.indexOf(symbol)}`)
  const selects = byLayout(files).map((group) =>
    selectSql({ ...group, symbol: nameOf(group.symbol) }, wanted, settings, long)
  )
  const values = Object.fromEntries(bound.map((symbol, at) => [`symbol${at}`, symbol]))
  return { sql: sqlOf(selects.join(" UNION ALL BY NAME ")), ...(bound.length > 0 && { values }) }
}

/** The rows as a question; undefined where no file has time of the range. */
export const pageQuery = (wanted: Wanted, settings: LakeSettings): Query | undefined => {
  const byId = settings.rows === "trades" ? ', TRY_CAST("v id" AS BIGINT), "v id"' : ""
  const sqlOf = (rows: string): string =>
    `SELECT ${millisecondsSql("__t")} AS t, __file AS file, CAST(__row AS DOUBLE) AS row, ` +
    `* EXCLUDE (__t, __file, __row) FROM (${rows}) ORDER BY __t${byId}, __file, __row LIMIT ${wanted.limit}`
  return overRows(sqlOf, wanted, settings)
}

/** How many rows each bar has that has one, of the first `limit` of them; undefined as `pageQuery` is. */
export const countQuery = (
  wanted: Wanted,
  { anchorMs, lengthMs }: Spacing,
  settings: LakeSettings
): Query | undefined => {
  const start = `floor((${millisecondsSql("__t")} - ${anchorMs}) / ${lengthMs}) * ${lengthMs} + ${anchorMs}`
  const sqlOf = (rows: string): string =>
    `SELECT ${start} AS bar, CAST(count(*) AS DOUBLE) AS rows FROM (${rows}) ` +
    `GROUP BY bar ORDER BY bar LIMIT ${wanted.limit}`
  return overRows(sqlOf, wanted, settings)
}
