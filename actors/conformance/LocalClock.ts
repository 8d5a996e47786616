/**
 * When is it, where clocks show a local time?
 *
 * Local times are given as milliseconds too: those at which a clock in UTC would show the same. Where clocks are put
 * back a local time comes twice, and where they are put forward some never come.
 */

/** The moments at which clocks of a zone show one local time, in epoch milliseconds UTC. */
interface Moments {
  readonly is: "once" | "twice" | "never"
  /** The one, the earlier of two, or, of a time that is passed over, the moment as far behind the change. */
  readonly earlierMs: number
  /** The later of two; otherwise the same. */
  readonly laterMs: number
}

/** What the clocks of one zone show. */
export interface LocalClock {
  readonly momentsOf: (localMs: number) => Moments
}

const dayMs = 86_400_000

const offsetForm = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/

const makeOffsetAt = (zone: string): ((timeMs: number) => number) => {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
  return (timeMs) => {
    const name = format.formatToParts(timeMs).find(({ type }) => type === "timeZoneName")?.value ?? ""
    // plain GMT has no offset behind it
    const [, sign, hours = 0, minutes = 0, seconds = 0] = offsetForm.exec(name) ?? []
    return (sign === "-" ? -1 : 1) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
  }
}

/** The offset from UTC through one day, which changes once at the most. */
interface Day {
  readonly beforeMs: number
  readonly afterMs: number
  /** When it changes; the day's end where it does not. */
  readonly changeMs: number
}

const makeDay = (start: number, offsetAt: (timeMs: number) => number): Day => {
  const [beforeMs, afterMs] = [offsetAt(start), offsetAt(start + dayMs)]
  if (beforeMs === afterMs) return { beforeMs, afterMs, changeMs: start + dayMs }
  let [low, high] = [start, start + dayMs]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === beforeMs) low = middle
    else high = middle
  }
  return { beforeMs, afterMs, changeMs: high }
}

// Each is a few numbers; a century of them is less than a megabyte.
const daysMax = 36_525

/** Asks the platform twice a day that is met, and remembers: it takes some microseconds to answer. */
const rememberOffsets = (zone: string): ((timeMs: number) => number) => {
  const offsetAt = makeOffsetAt(zone)
  const days = new Map<number, Day>()
  return (timeMs) => {
    const index = Math.floor(timeMs / dayMs)
    let day = days.get(index)
    if (day === undefined) {
      if (days.size >= daysMax) days.clear()
      day = makeDay(index * dayMs, offsetAt)
      days.set(index, day)
    }
    return timeMs < day.changeMs ? day.beforeMs : day.afterMs
  }
}

/** The clocks of a zone, which is given by its IANA name and has to exist. */
export const make = (zone: string): LocalClock => {
  const offsetAt = rememberOffsets(zone)
  return {
    momentsOf: (localMs) => {
      // No zone is further than a day from UTC, so a change near this time lies between the two.
      const [before, after] = [offsetAt(localMs - dayMs), offsetAt(localMs + dayMs)]
      const moments = [localMs - before, localMs - after]
      const [first, second] = moments.filter((timeMs) => timeMs + offsetAt(timeMs) === localMs)
      if (first === undefined) return { is: "never", earlierMs: localMs - before, laterMs: localMs - before }
      if (second === undefined || first === second) return { is: "once", earlierMs: first, laterMs: first }
      return { is: "twice", earlierMs: Math.min(first, second), laterMs: Math.max(first, second) }
    }
  }
}
