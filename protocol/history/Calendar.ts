/**
 * When is a market closed?
 *
 * Pure, but for what it keeps of days that it worked out before. A calendar has weekly sessions by the clocks of a
 * zone, and days that are not as the week has them. All time that no session holds is closed; time of which the
 * calendar does not speak is not.
 */
import { alignDown, alignUp, type Spacing } from "./Interval.ts"
import { isRange, type Range } from "./Range.ts"
import { toPairs } from "./RangePairs.ts"
import * as RangeSet from "./RangeSet.ts"
import * as ZoneClock from "./ZoneClock.ts"

/** When trading begins and ends, in minutes since the midnight with which the trading day begins. */
interface Hours {
  /** Days of the week, counted from that of 1970-01-01. */
  readonly weekdays: ReadonlySet<number>
  readonly open: number
  readonly close: number
  /** Pauses, each from and until. */
  readonly breaks: ReadonlyArray<readonly [from: number, until: number]>
}

/** What a calendar says. Days are counted from 1970-01-01. */
export interface Rules {
  readonly zone: string
  /** The first day that it speaks of, and the one behind the last. */
  readonly firstDay: number
  readonly endDay: number
  readonly sessions: ReadonlyArray<Hours>
  readonly holidays: ReadonlySet<number>
  /** The minute from which on nothing is open, by day. */
  readonly earlyCloses: ReadonlyMap<number, number>
}

/** A calendar in use. */
export interface Calendar {
  /** Which one it is, in words, where it is one of a configuration. */
  readonly label?: string
  /** What it speaks of. */
  readonly reach: Range
  /** The open time of the trading day. */
  readonly openOn: (day: number) => RangeSet.RangeSet
  /** The closed time of a run of days, all of it within the reach. */
  readonly closedIn: (block: number) => RangeSet.RangeSet
}

const minuteMs = 60_000
const dayMs = 86_400_000

/** Days are worked out and kept in blocks: most questions are about one. */
const blockDays = 64
const blockMs = blockDays * dayMs

/** Blocks that are kept: 180 years. The oldest leave first. */
const keptBlocksMax = 1024

/** A session may begin on the day before, and end on the day after; and the zone may be a day off. */
const daysAround = 2

/** The calendar of a market that never closes. */
export const alwaysOpen: Calendar = {
  reach: [0, 0],
  openOn: () => RangeSet.empty,
  closedIn: () => RangeSet.empty
}

/** The calendar that speaks of `reach`, and is open when its trading days are. */
export const ofDays = (reach: Range, openOn: Calendar["openOn"]): Calendar => {
  const kept = new Map<number, RangeSet.RangeSet>()
  const workOut = (block: number): RangeSet.RangeSet => {
    const first = block * blockDays
    const days = Array.from({ length: blockDays + 2 * daysAround + 1 }, (_, index) => first - daysAround + index)
    const open = RangeSet.make(days.flatMap((day) => toPairs(openOn(day))))
    const [from, until] = [first * dayMs, first * dayMs + blockMs]
    return RangeSet.missing(open, Math.max(from, reach[0]), Math.min(until, reach[1]))
  }
  const closedIn = (block: number): RangeSet.RangeSet => {
    const known = kept.get(block)
    if (known !== undefined) return known
    const closed = workOut(block)
    const [oldest] = kept.keys()
    if (kept.size >= keptBlocksMax && oldest !== undefined) kept.delete(oldest)
    kept.set(block, closed)
    return closed
  }
  return { reach, openOn, closedIn }
}

/** A session's time, without its breaks. Where clocks show a time twice, it is open from the first until the last. */
const sessionTime = (clock: ZoneClock.ZoneClock, day: number, hours: Hours): RangeSet.RangeSet => {
  const at = (minute: number) => ZoneClock.shown(clock, day * dayMs + minute * minuteMs)
  const pauses = hours.breaks.map(([from, until]): Range => [at(from).last, at(until).first])
  return RangeSet.subtract(RangeSet.of(at(hours.open).first, at(hours.close).last), RangeSet.make(pauses))
}

const openTime = (clock: ZoneClock.ZoneClock, rules: Rules, day: number): RangeSet.RangeSet => {
  if (rules.holidays.has(day)) return RangeSet.empty
  const weekday = ((day % 7) + 7) % 7
  const end = rules.earlyCloses.get(day) ?? Infinity
  const own = rules.sessions.filter(({ open, weekdays }) => weekdays.has(weekday) && isRange(open, end))
  return RangeSet.unionAll(own.map((hours) => sessionTime(clock, day, { ...hours, close: Math.min(hours.close, end) })))
}

/** The calendar that has these rules. */
export const make = (rules: Rules): Calendar => {
  const clock = ZoneClock.make(rules.zone)
  const midnight = (day: number): number => ZoneClock.shown(clock, day * dayMs).first
  return ofDays([midnight(rules.firstDay), midnight(rules.endDay)], (day) => openTime(clock, rules, day))
}

/** The time of `[start, end)` in which the market is closed, in epoch milliseconds. */
export const closed = ({ closedIn, reach }: Calendar, start: number, end: number): RangeSet.RangeSet => {
  const [from, until] = [Math.max(start, reach[0]), Math.min(end, reach[1])]
  if (!isRange(from, until)) return RangeSet.empty
  const first = Math.floor(from / blockMs)
  const blocks = Array.from({ length: Math.ceil(until / blockMs) - first }, (_, index) => closedIn(first + index))
  return RangeSet.clip(RangeSet.unionAll(blocks), from, until)
}

/** The bars of `[start, end)`, which begins and ends on bars, all of whose time is closed. */
export const closedBars = (calendar: Calendar, spacing: Spacing, [start, end]: Range): RangeSet.RangeSet =>
  RangeSet.make(
    toPairs(closed(calendar, start, end)).map(([from, until]): Range => [
      alignUp(spacing, from),
      alignDown(spacing, until)
    ])
  )
