/**
 * How does a file write its times?
 *
 * Pure: SQL for a time in nanoseconds since the Unix epoch, whatever the file has. A number's unit is told from the
 * sizes of the least and the largest of its file, where the configuration does not say it.
 */
import { Result } from "effect"
import type { Range } from "../../protocol/history/Range.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import { unitByMagnitude } from "../conformance/TimeScale.ts"
import type { FileColumn, Roles } from "./lakeColumns.ts"
import { quoteName, quoteText } from "./Parquet.ts"

/** What a number that stands for a time counts; `iso` for text. */
export type TimeUnit = NonNullable<LakeSettings["timeUnit"]>

type TimeSettings = Pick<LakeSettings, "timeUnit" | "timeFormat" | "zone">

const nanosecondsOf = { s: 1_000_000_000, ms: 1_000_000, us: 1000, ns: 1 } as const

// no zone is further from UTC
const dayMs = 86_400_000

/** The number of milliseconds in one of a unit. */
const millisecondsOf = (unit: Exclude<TimeUnit, "iso">): number => nanosecondsOf[unit] / 1_000_000

const isText = ({ type }: FileColumn): boolean => type === "VARCHAR"

const isClock = ({ type }: FileColumn): boolean => /^(TIMESTAMP|DATE)/.test(type)

/** What the file has where the time is, in SQL. */
export const rawTime = ([first, second]: Roles["eventTime"]): string =>
  second === undefined
    ? quoteName(first.name)
    : `CAST(${quoteName(first.name)} AS VARCHAR) || ' ' || CAST(${quoteName(second.name)} AS VARCHAR)`

/** Whether the times are numbers or text: only then there is something to be told from their size. */
export const isNumeric = ([first, second]: Roles["eventTime"]): boolean =>
  second === undefined && !isText(first) && !isClock(first)

/** Seconds before 1973-03 have no more than eight digits, as days that are written 20221213 have. */
const dayLookMax = 1e8

/** The unit of a file whose times are all numbers, by the least and the largest of them. */
export const unitOf = (smallest: number, largest: number): Result.Result<TimeUnit, string> => {
  const [unit, other] = [unitByMagnitude(smallest), unitByMagnitude(largest)]
  if (unit !== undefined && unit === other) return Result.succeed(unit)
  if (Math.abs(largest) < dayLookMax) {
    return Result.fail(
      `times such as ${largest} could be days or seconds: say timeUnit: s, or timeFormat: "%Y%m%d" for days`
    )
  }
  return Result.fail(`times from ${smallest} to ${largest} are in no one unit all between 1980 and 2100: say timeUnit`)
}

const hasZone = (text: string): string =>
  `regexp_matches(${text}, ':[0-9]{2}([.,][0-9]+)?\\s*(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$')`

/** A time without a zone as the moment that it is in its zone, in nanoseconds. */
const inZone = (timestamp: string, zone: string | undefined): string =>
  zone === undefined || zone === "UTC"
    ? `epoch_ns(${timestamp})`
    : `epoch_us(timezone(${quoteText(zone)}, CAST(${timestamp} AS TIMESTAMP))) * 1000`

/** What begins with the year says it plainly, whatever stands between the parts of the date. */
const dashed = (text: string): string =>
  `regexp_replace(${text}, '^([0-9]{4})[./]([0-9]{1,2})[./]([0-9]{1,2})', '\\1-\\2-\\3')`

const textTime = (raw: string, { timeFormat, zone }: TimeSettings): string => {
  const given = `trim(CAST(${raw} AS VARCHAR))`
  const trimmed = timeFormat === undefined ? dashed(given) : given
  if (timeFormat !== undefined) return inZone(`try_strptime(${trimmed}, ${quoteText(timeFormat)})`, zone)
  const zoned = `epoch_us(TRY_CAST(regexp_replace(${trimmed}, '(UTC|GMT|Z|z)$', '+00') AS TIMESTAMPTZ)) * 1000`
  return `CASE WHEN ${hasZone(trimmed)} THEN ${zoned} ELSE ${inZone(`TRY_CAST(${trimmed} AS TIMESTAMP)`, zone)} END`
}

const numberTime = (raw: string, unit: Exclude<TimeUnit, "iso">): string =>
  // seconds may have fractions: of a microsecond nothing is left in a number of their size
  unit === "s"
    ? `CAST(round(TRY_CAST(${raw} AS DOUBLE) * 1000000) AS BIGINT) * 1000`
    : `TRY_CAST(${raw} AS BIGINT) * ${nanosecondsOf[unit]}`

/** A row's time in nanoseconds since the epoch, in SQL; null where it can't be read. */
export const timeSql = (eventTime: Roles["eventTime"], unit: TimeUnit, settings: TimeSettings): string => {
  const [first, second] = eventTime
  const raw = rawTime(eventTime)
  if (second === undefined && isClock(first)) {
    return first.type.endsWith("WITH TIME ZONE") ? `epoch_us(${raw}) * 1000` : inZone(raw, settings.zone)
  }
  return unit === "iso" ? textTime(raw, settings) : numberTime(raw, unit)
}

/** Nanoseconds as milliseconds, rounded down also before 1970. */
export const millisecondsSql = (nanoseconds: string): string =>
  `CAST((${nanoseconds} - ((${nanoseconds} % 1000000) + 1000000) % 1000000) // 1000000 AS DOUBLE)`

const localClock = (eventTime: Roles["eventTime"], unit: TimeUnit): boolean =>
  unit === "iso" && !eventTime[0].type.endsWith("WITH TIME ZONE")

/** What is known of a time in SQL, once it is read. */
interface ReadTime {
  readonly nanoseconds: string
  /** As the file has it. */
  readonly raw: string
}

/** Whether a time comes twice on the clocks of its zone, as an hour does each autumn; undefined where none can. SQL. */
export const comesTwiceSql = (
  { nanoseconds, raw }: ReadTime,
  eventTime: Roles["eventTime"],
  { unit, zone }: TimeSettings & { readonly unit: TimeUnit }
): string | undefined => {
  if (zone === undefined || zone === "UTC" || !localClock(eventTime, unit)) return undefined
  const clock = (hours: number): string =>
    `timezone(${quoteText(zone)}, make_timestamptz(${nanoseconds} // 1000 + ${hours * 3_600_000_000}))`
  const twice = `(${clock(0)} = ${clock(1)} OR ${clock(0)} = ${clock(-1)})`
  return isClock(eventTime[0]) ? twice : `(NOT ${hasZone(`trim(${raw})`)} AND ${twice})`
}

/** A time as the clock of its zone has it, in SQL; undefined where it is no such clock's. */
export const clockSql = (
  eventTime: Roles["eventTime"],
  { timeFormat, unit, zone }: TimeSettings & { readonly unit: TimeUnit }
): string | undefined => {
  if (zone === undefined || zone === "UTC" || !localClock(eventTime, unit)) return undefined
  const raw = rawTime(eventTime)
  if (eventTime[1] === undefined && isClock(eventTime[0])) return `CAST(${raw} AS TIMESTAMP)`
  const trimmed = `trim(CAST(${raw} AS VARCHAR))`
  if (timeFormat === undefined) {
    return `CASE WHEN NOT ${hasZone(trimmed)} THEN TRY_CAST(${dashed(trimmed)} AS TIMESTAMP) END`
  }
  return /%z/i.test(timeFormat) ? undefined : `try_strptime(${trimmed}, ${quoteText(timeFormat)})`
}

/** Whether a clock's time never comes, as an hour does not each spring: it is read as another. SQL. */
export const neverComesSql = (clock: string, nanoseconds: string, zone = "UTC"): string =>
  `${clock} <> timezone(${quoteText(zone)}, make_timestamptz(${nanoseconds} // 1000))`

/** A filter that files with an index can use: it lets pass all times of the range, and few others. */
export const roughRangeSql = (eventTime: Roles["eventTime"], unit: TimeUnit, range: Range): string | undefined => {
  const [first, second] = eventTime
  if (second !== undefined || isText(first)) return undefined
  const raw = quoteName(first.name)
  if (unit !== "iso") {
    const [from, to] = range.map((ms) => ms / millisecondsOf(unit))
    return `${raw} >= ${Math.floor(from!)} AND ${raw} <= ${Math.ceil(to!)}`
  }
  const [from, to] = [range[0] - dayMs, range[1] + dayMs].map((ms) =>
    first.type.endsWith("WITH TIME ZONE") ? `to_timestamp(${ms / 1000})` : `make_timestamp(${ms * 1000})`
  )
  return `${raw} >= ${from} AND ${raw} <= ${to}`
}
