/**
 * What of an account outlives the activation that knows it?
 *
 * Pure. Its cool-down, the breakers of its sources, and the requests under way where their number is limited. What has
 * been spent is not among it: the clocks of two hosts are not compared, so whoever takes over begins with nothing to
 * spend. It is saved before a permit is given all the same, because a save is what an activation that was replaced
 * can't do.
 */
import { Schema } from "effect"
import * as Account from "./Account.ts"
import type { AccountTerms } from "./AccountTerms.ts"
import type { Breaker } from "./Breaker.ts"

const SavedGrant = Schema.Struct({ ticket: Schema.String, source: Schema.String, asker: Schema.String })

const SavedBreaker = Schema.Struct({
  source: Schema.String,
  failures: Schema.Int,
  reason: Schema.String,
  /** How often it has opened since it was closed; 0 where it is closed. */
  times: Schema.Int,
  /** Epoch milliseconds until which nothing is let through. */
  openUntil: Schema.Finite
})

/** What is saved of an account; the state of its actor. */
export const SavedAccount = Schema.Struct({
  /** Permits given so far. */
  granted: Schema.Int,
  /** Requests under way, where their number is limited. */
  inFlight: Schema.Array(SavedGrant),
  /** Epoch milliseconds until which nothing is sent, and refusals in a row; null where it has refused nothing. */
  coolDown: Schema.NullOr(Schema.Struct({ until: Schema.Finite, times: Schema.Int })),
  breakers: Schema.Array(SavedBreaker)
})
export type SavedAccount = typeof SavedAccount.Type

/** Of an account that never was. */
export const nothing: SavedAccount = { granted: 0, inFlight: [], coolDown: null, breakers: [] }

/** One moment on two clocks: the monotonic one of this process, and the wall's in epoch milliseconds. */
export interface Moment {
  readonly nowMs: number
  readonly wallMs: number
}

const savedBreaker = ([source, breaker]: readonly [string, Breaker], { nowMs, wallMs }: Moment) => {
  const { failures, reason } = breaker
  // who takes over lets another one through to see
  const [times, untilMs] = breaker.state === "closed" ? [0, nowMs] : [breaker.times, breaker.untilMs]
  return { source, failures, reason, times, openUntil: wallMs + Math.max(0, untilMs - nowMs) }
}

/** What is saved. */
export const save = (account: Account.Account, moment: Moment): SavedAccount => {
  const { breakers, coolDown, granted, inFlight, terms } = account
  const { nowMs, wallMs } = moment
  const grants = terms.concurrency === undefined ? [] : Array.from(inFlight.values())
  return {
    granted,
    inFlight: grants.map(({ asker, source, ticket }) => ({ ticket, source, asker })),
    coolDown:
      coolDown.times === 0 && coolDown.untilMs <= nowMs
        ? null
        : { until: wallMs + Math.max(0, coolDown.untilMs - nowMs), times: coolDown.times },
    breakers: Array.from(breakers, (each) => savedBreaker(each, moment))
  }
}

/** Whether what is saved has to be saved anew before anybody is told: a permit counts only where there is a limit. */
export const isDue = (before: Account.Account, after: Account.Account): boolean => {
  const { concurrency, requests, weight } = after.terms
  const isLimited = requests !== undefined || weight !== undefined || concurrency !== undefined
  return (
    (isLimited && before.granted !== after.granted) ||
    before.coolDown !== after.coolDown ||
    before.breakers !== after.breakers
  )
}

const restoredBreaker = (
  { failures, openUntil, reason, times }: SavedAccount["breakers"][number],
  { nowMs, wallMs }: Moment
): Breaker =>
  times === 0
    ? { state: "closed", failures, reason }
    : { state: "open", failures, reason, times, untilMs: nowMs + Math.max(0, openUntil - wallMs) }

/** The account as whoever takes over knows it. */
export const restore = (terms: AccountTerms, saved: SavedAccount, moment: Moment): Account.Account => {
  const { nowMs, wallMs } = moment
  const untilMs = saved.coolDown === null ? nowMs : nowMs + Math.max(0, saved.coolDown.until - wallMs)
  const fresh = Account.begin(terms, Math.max(nowMs, untilMs))
  const known = saved.breakers.filter(({ source }) => terms.sources.has(source))
  return {
    ...fresh,
    granted: saved.granted,
    inFlight: new Map(saved.inFlight.map((grant) => [grant.ticket, Account.inherited(terms, grant, nowMs)])),
    coolDown: saved.coolDown === null ? fresh.coolDown : { untilMs, refusedAtMs: nowMs, times: saved.coolDown.times },
    breakers: new Map(known.map((each) => [each.source, restoredBreaker(each, moment)]))
  }
}
