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
  /** The same at the UTC midnight with which a day begins, counted from 1970-01-01. */
  readonly midnightOffsetMs: (day: number) => number
}

/** When clocks show a time: at the first moment and at the last, which differ where it is shown twice. */
export interface Shown {
  readonly first: number
  readonly last: number
}

const dayMs = 86_400_000

const offsetForm = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/

/** Midnights whose offset is kept: more than 300 years of them. */
const keptOffsetsMax = 131_072

/** The clocks of a zone that IANA has a name for; a name that it has not is a defect. */
export const make = (zone: string): ZoneClock => {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
  const kept = new Map<number, number>()
  const offsetMs = (timeMs: number): number => {
    const [, sign, hours = 0, minutes = 0, seconds = 0] = offsetForm.exec(format.format(timeMs)) ?? []
    const lengthMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
    return sign === "-" ? -lengthMs : lengthMs
  }
  const midnightOffsetMs = (day: number): number => {
    const known = kept.get(day)
    if (known !== undefined) return known
    if (kept.size >= keptOffsetsMax) kept.clear()
    const offset = offsetMs(day * dayMs)
    kept.set(day, offset)
    return offset
  }
  return { offsetMs, midnightOffsetMs }
}

/** The first moment after `before` with another offset than there; there is just one change until `after`. */
const changeBetween = ({ offsetMs }: ZoneClock, before: number, after: number): number => {
  const old = offsetMs(before)
  let [last, first] = [before, after]
  while (first - last > 1) {
    const middle = Math.floor((last + first) / 2)
    if (offsetMs(middle) === old) last = middle
    else first = middle
  }
  return first
}

/**
 * When the clocks show the time that is `localMs` after their 1970-01-01 00:00. A time that they skip counts as shown
 * at the moment at which they are set forward.
 */
export const shown = (clock: ZoneClock, localMs: number): Shown => {
  const day = Math.floor(localMs / dayMs)
  // no zone is a day ahead or behind, and none changes its clocks twice within three days
  const before = clock.midnightOffsetMs(day - 1)
  const after = clock.midnightOffsetMs(day + 2)
  const [early, late] = [localMs - Math.max(before, after), localMs - Math.min(before, after)]
  if (early === late) return { first: early, last: early }
  const moments = [localMs - before, localMs - after].filter((moment) => clock.offsetMs(moment) === localMs - moment)
  if (moments.length > 0) return { first: Math.min(...moments), last: Math.max(...moments) }
  const change = changeBetween(clock, early, late)
  return { first: change, last: change }
}
