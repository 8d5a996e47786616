/**
 * How much may be sent, so that no minute has more of it than is allowed?
 *
 * Pure: the generic cell rate algorithm. Units are earned evenly, and up to `capacity` of them are kept for a burst.
 * What a burst takes is missing from the even flow: so any minute has at most the allowed number, with its burst, and
 * not that number and a burst beside it. A meter begins empty, as if its burst had just been spent.
 */

/** A permit is used so soon after it was asked for, or not at all. */
export const useWithinMs = 1000
/** How much longer one request may be on its way to the source than another. */
const wayMs = 1000
/** What counts as a minute: requests that arrive within one were permitted within so long. */
const minuteMs = 60_000 + useWithinMs + wayMs

/** One allowance, and how much of it is spent. */
export interface Meter {
  /** How long it takes to earn one unit. */
  readonly unitMs: number
  /** Units that may be spent at once. */
  readonly capacity: number
  /** When all that was spent is earned again. */
  readonly earnedAtMs: number
}

/** The meter with nothing to spend at that moment. */
export const emptied = (meter: Meter, atMs: number): Meter => ({
  ...meter,
  earnedAtMs: atMs + meter.capacity * meter.unitMs
})

/** An empty meter of so many units in any minute, of which `burst` may be spent at once; no more than all. */
export const make = ({ burst, perMinute }: { readonly perMinute: number; readonly burst: number }, nowMs: number) => {
  const capacity = Math.min(burst, perMinute)
  // with a burst of 1 this is the even flow; each unit more of a burst is one that the flow has less
  const unitMs = minuteMs / (perMinute - capacity + 1)
  return emptied({ unitMs, capacity, earnedAtMs: 0 }, nowMs)
}

/**
 * How long until so many units may have been spent, each as soon as it is there; 0 where all are there. No more than
 * `capacity` are ever there at once.
 */
export const waitMs = ({ capacity, earnedAtMs, unitMs }: Meter, units: number, nowMs: number): number =>
  Math.max(0, Math.max(earnedAtMs, nowMs) + (units - capacity) * unitMs - nowMs)

/** The meter with so many units spent, which `waitMs` said are there. */
export const spend = (meter: Meter, units: number, nowMs: number): Meter => ({
  ...meter,
  earnedAtMs: Math.max(meter.earnedAtMs, nowMs) + units * meter.unitMs
})

/** Units that are there. */
export const available = ({ capacity, earnedAtMs, unitMs }: Meter, nowMs: number): number =>
  Math.max(0, Math.floor(capacity - Math.max(0, earnedAtMs - nowMs) / unitMs))
