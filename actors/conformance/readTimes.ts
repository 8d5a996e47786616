/**
 * When is it, in epoch milliseconds UTC, by the times that a source gives?
 */
import { Result } from "effect"
import type { TimeRules } from "../../protocol/frame/ConformanceRules.ts"
import type { RawRows, RawValue } from "../../protocol/frame/RawRows.ts"
import * as ZoneClock from "../../protocol/history/ZoneClock.ts"
import { readIsoTime } from "./readIsoTime.ts"
import { findUnit, fromBigInt, fromBigInts, fromNumber, type KnownUnit, type UnclearUnit } from "./TimeScale.ts"

/** Times, and how many of them a rule had to decide. */
export interface Times {
  /** Whole milliseconds; NaN for what is missing. */
  readonly timeMs: Float64Array
  /** Local times that come twice. */
  readonly ambiguousCount: number
  /** Local times that never come. */
  readonly nonexistentCount: number
  /** The rows of both, by number. */
  readonly decidedRows: ReadonlyArray<number>
}

/** The times as given; null where one is missing. */
export type GivenTimes = RawRows["eventTime"] | ReadonlyArray<RawValue>

// Years 0 to 9999. Numbers of a finer unit than is named are beyond it.
const firstMs = Date.parse("0000-01-01")
const endMs = Date.parse("9999-12-31") + 86_400_000

const isDate = (timeMs: number): boolean => timeMs >= firstMs && timeMs <= endMs

const noTime = "is no time"
const noUnit = "is a number in text: say by time.unit what it counts, s, ms, us or ns"

/**
 * Numbers are of the unit that the rules name, text is ISO 8601. Whole milliseconds in a `Float64Array` are passed on
 * as they are. Fails at the first that is no time, or that no rule decides.
 */
export const readTimes = (given: GivenTimes, rules: TimeRules): Result.Result<Times, UnclearUnit> =>
  Result.flatMap(unitFor(given, rules), (unit) => {
    if (given instanceof Float64Array) return plain(fromNumbers(given, unit), given)
    if (given instanceof BigInt64Array) return plain(fromBigInts(given, unit), given)
    return readEach(given, unit, rules)
  })

const unitFor = (given: GivenTimes, { unit = "ms" }: TimeRules): Result.Result<KnownUnit, UnclearUnit> => {
  if (unit !== "auto") return Result.succeed(unit)
  return findUnit(given.length, (row) => {
    const value = given[row]
    return typeof value === "string" && !digits.test(value) ? Number.NaN : Number(value ?? Number.NaN)
  })
}

/** The array itself where nothing is to change. */
const fromNumbers = (given: Float64Array, unit: KnownUnit): Float64Array => {
  if (unit === "ms") {
    let row = 0
    while (row < given.length && Math.floor(given[row]!) === given[row]) row++
    if (row === given.length) return given
  }
  return given.map((value) => fromNumber(value, unit))
}

const plain = (timeMs: Float64Array, given: Float64Array | BigInt64Array): Result.Result<Times, UnclearUnit> => {
  for (let row = 0; row < timeMs.length; row++) {
    if (!isDate(timeMs[row]!) && !Number.isNaN(given[row])) return Result.fail({ row, problem: noTime })
  }
  return Result.succeed({ timeMs, ambiguousCount: 0, nonexistentCount: 0, decidedRows: [] })
}

const digits = /^-?\d+(?:\.\d+)?$/

/** Local text to a moment, and what had to be decided for it. */
interface Zone {
  readonly toMoment: (localMs: number) => number | string
  ambiguousCount: number
  nonexistentCount: number
}

const makeZone = ({ ambiguous = "fail", nonexistent = "fail", zone: name = "UTC" }: TimeRules): Zone => {
  const clock = ZoneClock.make(name)
  const zone: Zone = {
    ambiguousCount: 0,
    nonexistentCount: 0,
    toMoment: (localMs) => {
      const { first, is, last } = ZoneClock.shown(clock, localMs)
      if (is === "once") return first
      if (is === "twice") {
        if (ambiguous === "fail") return `comes twice in ${name}: say by time.ambiguous which is meant`
        zone.ambiguousCount += 1
        return ambiguous === "earlier" ? first : last
      }
      if (nonexistent === "fail") return `never comes in ${name}: say by time.nonexistent what is meant`
      zone.nonexistentCount += 1
      // as far behind the change as the time is behind the last one that was shown before it
      return localMs - clock.offsetMs(first - 1)
    }
  }
  return zone
}

/** One time as given: a number of milliseconds, or what is wrong with it. */
const makeReader = (unit: KnownUnit, rules: TimeRules, zone: Zone) => {
  const isUtc = (rules.zone ?? "UTC") === "UTC"
  return (value: RawValue): number | string => {
    if (typeof value === "number") return fromNumber(value, unit)
    if (typeof value === "bigint") return fromBigInt(value, unit)
    if (typeof value !== "string") return noTime
    // a number in text is a time only where someone has said that it is
    if (rules.unit !== undefined && digits.test(value)) {
      return value.includes(".") ? fromNumber(Number(value), unit) : fromBigInt(BigInt(value), unit)
    }
    const { hasZone, timeMs } = readIsoTime(value)
    return hasZone || isUtc || Number.isNaN(timeMs) ? timeMs : zone.toMoment(timeMs)
  }
}

const problemOf = (value: RawValue, { unit }: TimeRules): string =>
  typeof value === "string" && unit === undefined && digits.test(value) ? noUnit : noTime

const readEach = (
  given: ReadonlyArray<RawValue>,
  unit: KnownUnit,
  rules: TimeRules
): Result.Result<Times, UnclearUnit> => {
  const zone = makeZone(rules)
  const read = makeReader(unit, rules, zone)
  const timeMs = new Float64Array(given.length)
  const decidedRows: Array<number> = []
  for (let row = 0; row < given.length; row++) {
    const value = given[row] ?? null
    const before = zone.ambiguousCount + zone.nonexistentCount
    const time = value === null ? Number.NaN : read(value)
    if (zone.ambiguousCount + zone.nonexistentCount > before) decidedRows.push(row)
    if (typeof time === "string") return Result.fail({ row, problem: time })
    if (value !== null && !isDate(time)) return Result.fail({ row, problem: problemOf(value, rules) })
    timeMs[row] = time
  }
  const { ambiguousCount, nonexistentCount } = zone
  return Result.succeed({ timeMs, ambiguousCount, nonexistentCount, decidedRows })
}
