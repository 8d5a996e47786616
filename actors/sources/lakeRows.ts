/**
 * What do the rows of files make?
 *
 * Pure. The rows come sorted, and may end in the middle of a time. Of files that overlap, what stands in several counts
 * once.
 */
import { Result } from "effect"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import type { RawColumn, RawRows } from "../../protocol/frame/RawRows.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { rollUpTrades, type TradeBars } from "../conformance/rollUpTrades.ts"
import * as ZoneClock from "../../protocol/history/ZoneClock.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import { greatestDivisor } from "./greatestDivisor.ts"
import { openOf } from "./lakeEdges.ts"
import { newestRows } from "./lakeVersions.ts"
import type { Cell, Table } from "./Parquet.ts"

/** What is to become of them. */
export interface RowsWanted {
  readonly interval: Interval.Interval
  /** Bars that begin in `[start, end)`. */
  readonly range: Range
  /** How many rows were asked for: as many mean that there are more. */
  readonly limit: number
  readonly barsMax: number
  /** The fields of the schema; of trades the five columns of a bar are made without them. */
  readonly fields?: ReadonlyArray<Field>
  /** The field by which others decide between rows of one time. */
  readonly decidedBy?: string
}

/** Rows of one page from which something can be told of their distance. */
const rowsToTellInterval = 20

const dayMs = 86_400_000

const numbersOf = (cells: ReadonlyArray<Cell> | undefined): Float64Array =>
  Float64Array.from(cells ?? [], (cell) => (typeof cell === "number" ? cell : Number.NaN))

/** Where a row stands. */
const placeOf = (table: Table, row: number): string => `${table["file"]?.[row]}, row ${table["row"]?.[row]}`

/** The first row in which something can't be read. */
const faultIn = (table: Table): string | undefined => {
  const row = (table["bad"] ?? []).findIndex((bad) => bad !== null)
  return row < 0 ? undefined : `${placeOf(table, row)}: ${table["bad"]?.[row]}`
}

const valueNames = (table: Table): ReadonlyArray<string> =>
  Object.keys(table).flatMap((name) => (/^[vi] /.test(name) ? [name.slice(2)] : []))

/** The values of a column; the digits of long whole numbers stand under another name. */
const cellsOf = (table: Table, name: string): ReadonlyArray<Cell> => table[`v ${name}`] ?? table[`i ${name}`] ?? []

/** How many rows there are of whose time none is cut off. */
const wholeRows = (times: Float64Array, limit: number): number => {
  let count = times.length
  if (count < limit) return count
  while (count > 0 && times[count - 1] === times.at(-1)) count -= 1
  return count
}

/**
 * Whether bars of another length than the interval's are among the times as they are stamped, which ascend. What is
 * `declared` is believed of bars that are far apart, and never of several within one.
 */
const otherLength = (
  times: Float64Array,
  interval: Interval.Interval,
  { interval: declared, stamped }: Pick<LakeSettings, "interval" | "stamped">
): string | undefined => {
  const { lengthMs, text } = interval
  const barOf = (time: number): number =>
    stamped === "close" ? openOf(interval, time) : Interval.alignDown(interval, time)
  // the end of a bar and its last millisecond are one stamp
  const sameMs = stamped === "close" ? 1 : 0
  let divisor = 0
  let steps = 0
  for (let row = 1; row < times.length; row++) {
    const step = times[row]! - times[row - 1]!
    if (step <= sameMs) continue
    if (barOf(times[row]!) === barOf(times[row - 1]!)) {
      return `has several rows within one bar of ${text}: its bars are shorter`
    }
    divisor = greatestDivisor(step, divisor)
    steps += 1
  }
  return declared === undefined && steps + 1 >= rowsToTellInterval && divisor > lengthMs && divisor % lengthMs === 0
    ? `has bars ${divisor / 1000} s apart, not ${text}: say interval: ${text} where they are that short all the same`
    : undefined
}

/** The first row of days or longer whose date a zone makes the day before. */
const dayEarly = (times: Float64Array, { lengthMs }: Interval.Interval, zone: string | undefined): number => {
  if (zone === undefined || lengthMs % dayMs !== 0 || times.length === 0) return -1
  const clock = ZoneClock.make(zone)
  // a date is read as the midnight with which it begins; what has a time of day is on its day in UTC as well
  return times.findIndex((time) => {
    const inDayMs = ((time % dayMs) + dayMs) % dayMs
    return inDayMs > dayMs / 2 && (time + clock.offsetMs(time)) % dayMs === 0
  })
}

const isSameValue = (a: Cell | undefined, b: Cell | undefined): boolean => a === b || Object.is(a, b)

const isSameRow = (columns: ReadonlyArray<ReadonlyArray<Cell>>, a: number, b: number): boolean =>
  columns.every((cells) => isSameValue(cells[a], cells[b]))

/** The rows in range, without those that say the same again, up to so many times. */
const chosenRows = (times: Float64Array, columns: ReadonlyArray<ReadonlyArray<Cell>>, wanted: RowsWanted) => {
  const { barsMax, range } = wanted
  const chosen: Array<number> = []
  let bars = 0
  for (const [row, time] of times.entries()) {
    if (isRange(time, range[0]) || !isRange(time, range[1])) continue
    const before = chosen.at(-1)
    const isAnother = before === undefined || times[before] !== time
    if (!isAnother && isSameRow(columns, before, row)) continue
    if (isAnother) bars += 1
    if (bars > barsMax) break
    chosen.push(row)
  }
  return chosen
}

/** Two rows of one time that say different things: which of them is right nobody knows. */
const differ = (table: Table, times: Float64Array, rows: ReadonlyArray<number>, advice: string): string | undefined => {
  const at = rows.findIndex((row, index) => index > 0 && times[rows[index - 1]!] === times[row])
  if (at < 0) return undefined
  const [before, row] = [rows[at - 1]!, rows[at]!]
  const name = valueNames(table).find((each) => !isSameValue(cellsOf(table, each)[before], cellsOf(table, each)[row]))
  const values = [before, row].map((each) => cellsOf(table, name ?? "")[each])
  const places = `${placeOf(table, before)} and ${placeOf(table, row)}`
  return `${places} are of one time, and differ: ${advice} (${name} is ${values.join(" and ")})`
}

/** What numbers the versions of rows, where nobody says otherwise. */
const versionName = "version"

/** One row of each time, the newest; all of them where others decide. */
const decided = (
  table: Table,
  times: Float64Array,
  rows: ReadonlyArray<number>,
  { decidedBy, fields = [] }: RowsWanted
): Result.Result<ReadonlyArray<number>, string> => {
  const names = valueNames(table)
  const spelt = [decidedBy, ...(fields.find(({ name }) => name === decidedBy)?.from ?? [])]
  if (names.some((name) => spelt.includes(name))) return Result.succeed(rows)
  if (!names.includes(versionName)) {
    const advice = `map the newer one's column as "${decidedBy ?? versionName}", or take one of them out`
    const differing = differ(table, times, rows, advice)
    return differing === undefined ? Result.succeed(rows) : Result.fail(differing)
  }
  const versions = cellsOf(table, versionName)
  const found = newestRows(versions, times, rows)
  if ("unread" in found) {
    const { unread } = found
    return Result.fail(`${placeOf(table, unread)}: version is neither a number nor a time: ${versions[unread]}`)
  }
  const columns = names.map((name) => cellsOf(table, name))
  const newest = found.newest.filter((row, at) => {
    const before = found.newest[at - 1]
    return before === undefined || times[before] !== times[row] || !isSameRow(columns, before, row)
  })
  const differing = differ(table, times, newest, "their version is one as well: take one of them out")
  return differing === undefined ? Result.succeed(newest) : Result.fail(differing)
}

const isNumbers = (cells: ReadonlyArray<Cell>): boolean =>
  cells.every((cell) => cell === null || typeof cell === "number")

const pick = (name: string, cells: ReadonlyArray<Cell>, rows: ReadonlyArray<number>): RawColumn => {
  const values = rows.map((row) => cells[row] ?? null)
  return { name, values: isNumbers(cells) ? numbersOf(values) : values }
}

const longOf = (cell: Cell): bigint | null => (cell === null ? null : BigInt(cell))

const pickLong = (name: string, cells: ReadonlyArray<Cell>, rows: ReadonlyArray<number>): RawColumn => ({
  name,
  values: rows.map((row) => longOf(cells[row] ?? null))
})

const earlyText = (table: Table, row: number, time: number): string =>
  `${placeOf(table, row)}: ${isoTime(time)} would be of the day before, since ` +
  "bars of days begin at midnight in UTC; leave the zone away where times are dates"

/** Bars as the files have them, or what is wrong with them. */
export const barsOf = (
  table: Table,
  wanted: RowsWanted,
  settings: Pick<LakeSettings, "interval" | "stamped" | "zone">
): Result.Result<RawRows, string> => {
  const fault = faultIn(table)
  if (fault !== undefined) return Result.fail(fault)
  const { interval, limit } = wanted
  const given = numbersOf(table["t"])
  const whole = given.subarray(0, wholeRows(given, limit))
  if (whole.length === 0 && given.length > 0) return Result.fail(`more than ${limit} rows are of one time`)
  const another = otherLength(whole, interval, settings)
  if (another !== undefined) return Result.fail(`${table["file"]?.[0]} ${another}`)
  const times = settings.stamped === "close" ? whole.map((time) => openOf(interval, time)) : whole
  const late = dayEarly(times, interval, settings.zone)
  if (late >= 0) return Result.fail(earlyText(table, late, times[late]!))
  const names = valueNames(table)
  const columns = names.map((name) => cellsOf(table, name))
  return Result.map(decided(table, times, chosenRows(times, columns, wanted), wanted), (rows) => ({
    eventTime: Float64Array.from(rows, (row) => times[row]!),
    columns: names.map((name, at) =>
      table[`i ${name}`] === undefined ? pick(name, columns[at]!, rows) : pickLong(name, columns[at]!, rows)
    )
  }))
}

/** The trades that count, of some of one time that have no number. */
const countOnce = (table: Table, rows: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [files, prices, amounts] = ["file", "v price", "v amount"].map((name) => table[name]!)
  // Without a number a file may well have two trades that are alike, and they are two. Where files overlap, the one
  // that has most of a kind has all of that kind.
  const counts = new Map<string, Map<Cell, number>>()
  const kindOf = (row: number): string => `${prices![row]} ${amounts![row]}`
  for (const row of rows) {
    const byFile = counts.get(kindOf(row)) ?? new Map<Cell, number>()
    counts.set(kindOf(row), byFile.set(files![row]!, (byFile.get(files![row]!) ?? 0) + 1))
  }
  const fullest = new Map(
    Array.from(counts, ([kind, byFile]) => [kind, Array.from(byFile).reduce((a, b) => (b[1] > a[1] ? b : a))[0]])
  )
  return rows.filter((row) => files![row] === fullest.get(kindOf(row)))
}

/** The trades that count, of those of one millisecond: files may tell what is finer, or not. */
const countTogether = (table: Table, rows: ReadonlyArray<number>): ReadonlyArray<number> => {
  const ids = table["v id"] ?? []
  const numbered = new Set<Cell>()
  const first = rows.filter((row) => {
    const id = ids[row] ?? null
    if (id === null || numbered.has(id)) return false
    numbered.add(id)
    return true
  })
  const others = rows.filter((row) => (ids[row] ?? null) === null)
  return others.length === 0 ? first : [...first, ...countOnce(table, others)].toSorted((a, b) => a - b)
}

const uniqueTrades = (table: Table, times: Float64Array): ReadonlyArray<number> => {
  const kept: Array<number> = []
  let from = 0
  while (from < times.length) {
    let to = from + 1
    while (to < times.length && times[to] === times[from]) to += 1
    if (to === from + 1) kept.push(from)
    else
      kept.push(
        ...countTogether(
          table,
          Array.from({ length: to - from }, (_, at) => from + at)
        )
      )
    from = to
  }
  return kept
}

/** A row's own number where trades have none that is a number: as they are sorted, so they came. */
const idOf = (cell: Cell | undefined): number =>
  cell === null || cell === undefined || cell === "" ? Number.NaN : Number(cell)

/** The bars that trades make, of which all are there, or what is wrong with the trades. */
export const tradesOf = (
  table: Table,
  { barsMax, fields, interval }: Pick<RowsWanted, "barsMax" | "interval" | "fields">
): Result.Result<TradeBars, string> => {
  const fault = faultIn(table)
  if (fault !== undefined) return Result.fail(fault)
  const times = numbersOf(table["t"])
  const rows = uniqueTrades(table, times)
  const bars = rollUpTrades(
    {
      eventTimeMs: Float64Array.from(rows, (row) => times[row]!),
      id: Float64Array.from(rows, (row) => idOf(table["v id"]?.[row])),
      price: Float64Array.from(rows, (row) => Number(table["v price"]?.[row])),
      amount: Float64Array.from(rows, (row) => Number(table["v amount"]?.[row]))
    },
    interval,
    fields
  )
  return Result.succeed({
    eventTime: bars.eventTime.subarray(0, barsMax),
    columns: bars.columns.map((column) => ({ ...column, values: column.values.subarray(0, barsMax) }))
  })
}
