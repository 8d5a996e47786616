/** How does an account look to a person? */
import type { AccountStanding } from "../../protocol/messages/AccountStanding.ts"
import * as Account from "./Account.ts"
import * as Line from "./Line.ts"
import * as Meter from "./Meter.ts"
import type { Moment } from "./SavedAccount.ts"

const availableOf = (meter: Meter.Meter | undefined, nowMs: number): number | null =>
  meter === undefined ? null : Meter.available(meter, nowMs)

/** The account in plain data; times are those of the wall clock. */
export const standingOf = (account: Account.Account, { nowMs, wallMs }: Moment): AccountStanding => {
  const { coolDown, inFlight, requests, terms, weight } = account
  const waiting = { interactive: 0, repair: 0, bulk: 0, verify: 0 }
  for (const { jobClass } of Line.withoutForgotten(account.line, nowMs).tickets.values()) waiting[jobClass] += 1
  const wallOf = (timeMs: number): number => Math.ceil(wallMs + timeMs - nowMs)
  return {
    account: terms.account,
    limits: {
      requestsPerMinute: terms.requests?.perMinute ?? null,
      weightPerMinute: terms.weight?.perMinute ?? null,
      concurrency: terms.concurrency ?? null,
      burst: terms.requests?.burst ?? null
    },
    available: { requests: availableOf(requests, nowMs), weight: availableOf(weight, nowMs) },
    inFlight: Array.from(inFlight.values()).filter(({ endsByMs }) => endsByMs > nowMs).length,
    waiting,
    coolDownUntil: coolDown.untilMs > nowMs ? wallOf(coolDown.untilMs) : null,
    circuits: Array.from(terms.sources.keys(), (source) => {
      const breaker = Account.breakerOf(account, source)
      const { failures, reason, state } = breaker
      return { source, state, failures, reason, openUntil: breaker.state === "open" ? wallOf(breaker.untilMs) : null }
    })
  }
}
