/**
 * Is a source worth asking?
 *
 * Pure: a circuit breaker. After so many failures in a row it opens, and nothing is let through for a while; then one
 * request is, to see. If that succeeds the circuit closes; if not, it opens for twice as long, up to a limit.
 */

/** How long a circuit is open for the first time, and at most. */
const openMsBase = 1000
const openMsMax = 30_000

/** What is known of one source. Times are those of one monotonic clock. */
export type Breaker =
  | { readonly state: "closed"; readonly failures: number; readonly reason: string }
  | Opened
  /** One request is under way, to see. */
  | (Omit<Opened, "state"> & { readonly state: "halfOpen"; readonly trial: string })

interface Opened {
  readonly state: "open"
  readonly failures: number
  /** Why the last request failed. */
  readonly reason: string
  readonly untilMs: number
  /** How often it has opened since it was closed. */
  readonly times: number
}

/** Nothing speaks against the source. */
export const closed: Breaker = { state: "closed", failures: 0, reason: "" }

/** How long nothing is let through, the given time. */
const openMs = (times: number): number => Math.min(openMsMax, openMsBase * 2 ** (times - 1))

/** Whether a request may be let through. */
export const isPassable = (breaker: Breaker, nowMs: number): boolean =>
  breaker.state === "closed" || (breaker.state === "open" && breaker.untilMs <= nowMs)

/** When it makes sense to ask again, from now: a trial under way is soon over. */
export const retryAfterMs = (breaker: Breaker, nowMs: number): number => {
  if (breaker.state === "closed") return 0
  return breaker.state === "open" ? Math.max(0, breaker.untilMs - nowMs) : openMsBase
}

/** After that request was let through. */
export const letThrough = (breaker: Breaker, ticket: string): Breaker =>
  breaker.state === "open" ? { ...breaker, state: "halfOpen", trial: ticket } : breaker

const opened = (times: number, failures: number, { nowMs, reason }: Failure): Opened => ({
  state: "open",
  failures,
  reason,
  untilMs: nowMs + openMs(times),
  times
})

/** How a request failed. */
export interface Failure {
  readonly ticket: string
  readonly reason: string
  readonly nowMs: number
  /** Failures in a row that open the circuit. */
  readonly failuresMax: number
}

/** After a request failed. One that was sent before the circuit opened says nothing new. */
export const failed = (breaker: Breaker, failure: Failure): Breaker => {
  const { failuresMax, reason, ticket } = failure
  if (breaker.state === "open" || (breaker.state === "halfOpen" && breaker.trial !== ticket)) return breaker
  const failures = breaker.failures + 1
  if (breaker.state === "halfOpen") return opened(breaker.times + 1, failures, failure)
  return failures >= failuresMax ? opened(1, failures, failure) : { state: "closed", failures, reason }
}

/** After the source answered a request. One that was sent before the circuit opened does not close it. */
export const succeeded = (breaker: Breaker, ticket: string): Breaker =>
  breaker.state === "closed" || (breaker.state === "halfOpen" && breaker.trial === ticket) ? closed : breaker

/** After a request of which nothing will be known: if it was the trial, another one may be let through. */
export const lost = (breaker: Breaker, ticket: string): Breaker => {
  if (breaker.state !== "halfOpen" || breaker.trial !== ticket) return breaker
  const { failures, reason, times, untilMs } = breaker
  return { state: "open", failures, reason, times, untilMs }
}
