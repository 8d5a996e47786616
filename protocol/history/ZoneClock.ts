/**
 * At which moment do the clocks of a time zone show a certain time?
 *
 * By the zones that the platform brings along (`Intl`). A time may be shown once, twice (when clocks are set back) or
 * never (when they are set forward). Nothing here asks what time it is.
 */

/** The clocks of one zone. */
export interface ZoneClock {
  /** How far they are ahead of UTC at this moment, in milliseconds. */
  readonly offsetMs: (timeMs: number) => number
}

/** When clocks show a time. */
export interface Shown {
  readonly is: "once" | "twice" | "never"
  /** The first moment and the last; where they never show it, the moment at which they are set forward. */
  readonly first: number
  readonly last: number
}

const dayMs = 86_400_000

const offsetForm = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/

const askPlatform = (zone: string): ((timeMs: number) => number) => {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
  return (timeMs) => {
    // plain GMT has no offset behind it
    const [, sign, hours = 0, minutes = 0, seconds = 0] = offsetForm.exec(format.format(timeMs)) ?? []
    const lengthMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
    return sign === "-" ? -lengthMs : lengthMs
  }
}

/** The first moment after `before` with another offset than there; there is just one change until `after`. */
const changeBetween = (offsetMs: (timeMs: number) => number, before: number, after: number): number => {
  const old = offsetMs(before)
  let [last, first] = [before, after]
  while (first - last > 1) {
    const middle = Math.floor((last + first) / 2)
    if (offsetMs(middle) === old) last = middle
    else first = middle
  }
  return first
}

/** The offset from UTC through one day, which changes once at the most. */
interface Day {
  readonly before: number
  readonly after: number
  /** When it changes; the day's end where it does not. */
  readonly change: number
}

/** Days that are kept: more than 300 years of them, each a few numbers. */
const keptDaysMax = 131_072

/**
 * The clocks of a zone that IANA has a name for; a name that it has not is a defect. The platform, which takes some
 * microseconds to answer, is asked once a midnight that is met.
 */
export const make = (zone: string): ZoneClock => {
  const ask = askPlatform(zone)
  const midnights = new Map<number, number>()
  const days = new Map<number, Day>()
  const atMidnight = (day: number): number => {
    const known = midnights.get(day)
    if (known !== undefined) return known
    if (midnights.size >= keptDaysMax) midnights.clear()
    const offset = ask(day * dayMs)
    midnights.set(day, offset)
    return offset
  }
  const makeDay = (day: number): Day => {
    const [before, after] = [atMidnight(day), atMidnight(day + 1)]
    const [start, end] = [day * dayMs, (day + 1) * dayMs]
    return { before, after, change: before === after ? end : changeBetween(ask, start, end) }
  }
  const offsetMs = (timeMs: number): number => {
    const index = Math.floor(timeMs / dayMs)
    let day = days.get(index)
    if (day === undefined) {
      if (days.size >= keptDaysMax) days.clear()
      day = makeDay(index)
      days.set(index, day)
    }
    return timeMs < day.change ? day.before : day.after
  }
  return { offsetMs }
}

/** When the clocks show the time that is `localMs` after their 1970-01-01 00:00. */
export const shown = ({ offsetMs }: ZoneClock, localMs: number): Shown => {
  // no zone is a day ahead or behind, and none changes its clocks twice within two days
  const [before, after] = [offsetMs(localMs - dayMs), offsetMs(localMs + dayMs)]
  const [early, late] = [localMs - Math.max(before, after), localMs - Math.min(before, after)]
  if (early === late) return { is: "once", first: early, last: early }
  const isFirst = offsetMs(early) === localMs - early
  const isLast = offsetMs(late) === localMs - late
  if (isFirst && isLast) return { is: "twice", first: early, last: late }
  if (isFirst || isLast) return { is: "once", first: isFirst ? early : late, last: isFirst ? early : late }
  const change = changeBetween(offsetMs, early, late)
  return { is: "never", first: change, last: change }
}
