/**
 * May this request be sent now, and if not, when is it to ask again?
 *
 * Pure: an upstream account with its budget, those who wait, the requests under way, its cool-down, and the circuit
 * breakers of its sources. A permit that is given counts as a request that is sent. Times are those of one monotonic
 * clock.
 */
import { CircuitOpen, type Outcome } from "../../protocol/messages/Upstream.ts"
import type { AccountTerms } from "./AccountTerms.ts"
import * as Breaker from "./Breaker.ts"
import * as CoolDown from "./CoolDown.ts"
import * as Line from "./Line.ts"
import * as Meter from "./Meter.ts"

/** Requests under way that are kept in mind, whatever an account allows. */
const inFlightMax = 4096
/** How many places ahead a ticket is told its time; those behind ask now and then. */
const placesTold = 64
/** How long a ticket waits at most before it asks again: it may be its turn sooner than was thought. */
const askAgainMsMax = 1000
/** Nobody knows when a request under way ends: its place is asked for so often. */
const roomMs = 25
/** What a report may take to come; the request of which nobody reports has ended then. */
const reportMs = 1000

/** A request that was permitted and has not ended. */
export interface Grant {
  readonly ticket: string
  readonly source: string
  readonly asker: string
  readonly sentAtMs: number
  /** It has ended by then, one way or another. */
  readonly endsByMs: number
  /** Whether another activation has given it. */
  readonly isInherited: boolean
}

/** All that is known of an account. */
export interface Account {
  readonly terms: AccountTerms
  readonly requests: Meter.Meter | undefined
  readonly weight: Meter.Meter | undefined
  readonly line: Line.Line
  readonly inFlight: ReadonlyMap<string, Grant>
  readonly coolDown: CoolDown.CoolDown
  /** Of those sources that have failed. */
  readonly breakers: ReadonlyMap<string, Breaker.Breaker>
  /** Permits given so far. */
  readonly granted: number
}

/** An account of which nothing is known: all of its budget may just have been spent. */
export const begin = (terms: AccountTerms, nowMs: number): Account => ({
  terms,
  requests: terms.requests && Meter.make(terms.requests, nowMs),
  weight: terms.weight && Meter.make(terms.weight, nowMs),
  line: Line.empty,
  inFlight: new Map(),
  coolDown: CoolDown.none,
  breakers: new Map(),
  granted: 0
})

/** Who asks to send a request. */
export type Asking = Omit<Line.Ticket, "dueAtMs">

/** What is answered. */
type Verdict =
  | { readonly _tag: "Granted"; readonly ageMs: number }
  | { readonly _tag: "Wait"; readonly retryAfterMs: number; readonly because: "turn" | "coolDown" }
  | CircuitOpen

/** How a source's circuit stands. */
export const breakerOf = ({ breakers }: Account, source: string): Breaker.Breaker =>
  breakers.get(source) ?? Breaker.closed

const withBreaker = (account: Account, source: string, breaker: Breaker.Breaker): Account => {
  if (breaker === breakerOf(account, source)) return account
  const others = Array.from(account.breakers).filter(([name]) => name !== source)
  const breakers = new Map(breaker === Breaker.closed ? others : [...others, [source, breaker] as const])
  // those who wait for a source that is left alone are told when they ask again
  const isShut = breaker.state !== "closed"
  const line = isShut ? Line.without(account.line, (ticket) => ticket.source === source) : account.line
  return { ...account, breakers, line }
}

const withoutGrant = (account: Account, ticket: string): Account => {
  const { inFlight } = account
  return inFlight.has(ticket)
    ? { ...account, inFlight: new Map(Array.from(inFlight).filter(([id]) => id !== ticket)) }
    : account
}

const withoutTicket = (account: Account, ticket: string): Account => {
  const line = Line.without(account.line, ({ id }) => id === ticket)
  return line === account.line ? account : { ...account, line }
}

/** Without requests of which nobody has reported in time, and tickets for which nobody asks any more. */
const tidied = (account: Account, nowMs: number): Account => {
  const ended = Array.from(account.inFlight.values()).filter(({ endsByMs }) => endsByMs <= nowMs)
  const left = ended.reduce(
    (rest, { source, ticket }) =>
      withBreaker(withoutGrant(rest, ticket), source, Breaker.lost(breakerOf(rest, source), ticket)),
    account
  )
  const line = Line.withoutForgotten(left.line, nowMs)
  return line === left.line ? left : { ...left, line }
}

const processOf = ({ asker, source }: Pick<Grant, "asker" | "source">): string => `${asker} ${source}`

/** Those who may be served, as far as their own processes go. */
const servable = ({ inFlight, line, terms }: Account, nowMs: number): ReadonlyArray<Line.Ticket> => {
  const underWay = new Map<string, number>()
  for (const grant of inFlight.values()) underWay.set(processOf(grant), (underWay.get(processOf(grant)) ?? 0) + 1)
  return Line.present(line, nowMs).filter(
    (ticket) => (underWay.get(processOf(ticket)) ?? 0) < (terms.sources.get(ticket.source)?.concurrency ?? Infinity)
  )
}

/** How long until the last of these may be sent, if each is sent as soon as it may. */
const waitMs = ({ inFlight, requests, terms, weight }: Account, first: ReadonlyArray<Line.Ticket>, nowMs: number) => {
  const heavy = first.reduce((sum, ticket) => sum + ticket.weight, 0)
  const room = Math.min(terms.concurrency ?? inFlightMax, inFlightMax) - inFlight.size
  return Math.max(
    requests === undefined ? 0 : Meter.waitMs(requests, first.length, nowMs),
    weight === undefined ? 0 : Meter.waitMs(weight, heavy, nowMs),
    Math.max(0, first.length - room) * roomMs
  )
}

const endsByMs = (terms: AccountTerms, source: string, sentAtMs: number): number =>
  sentAtMs + Meter.useWithinMs + (terms.sources.get(source)?.timeoutMs ?? 0) + reportMs

/** A grant that an earlier activation gave, as late as it may have been. */
export const inherited = (
  terms: AccountTerms,
  given: Pick<Grant, "asker" | "source" | "ticket">,
  nowMs: number
): Grant => ({ ...given, sentAtMs: nowMs, endsByMs: endsByMs(terms, given.source, nowMs), isInherited: true })

const grant = (account: Account, ticket: Line.Ticket, waiting: ReadonlyArray<Line.Ticket>, nowMs: number): Account => {
  const { asker, id, source, weight: units } = ticket
  const { inFlight, line, requests, terms, weight } = account
  const endsBy = endsByMs(terms, source, nowMs)
  const given: Grant = { ticket: id, source, asker, sentAtMs: nowMs, endsByMs: endsBy, isInherited: false }
  const served: Account = {
    ...account,
    requests: requests && Meter.spend(requests, 1, nowMs),
    weight: weight && Meter.spend(weight, units, nowMs),
    line: Line.serve(line, ticket, waiting),
    inFlight: new Map(inFlight).set(id, given),
    granted: account.granted + 1
  }
  return withBreaker(served, source, Breaker.letThrough(breakerOf(served, source), id))
}

type Answered = readonly [account: Account, verdict: Verdict]

const wait = (
  account: Account,
  ticket: Asking,
  { because, nowMs, waitMs: until }: { because: "turn" | "coolDown"; nowMs: number; waitMs: number }
): Answered => {
  const retryAfterMs = Math.max(1, Math.ceil(until))
  const line = Line.join(account.line, { ...ticket, dueAtMs: nowMs + retryAfterMs })
  return [
    { ...account, line },
    { _tag: "Wait", retryAfterMs, because }
  ]
}

const circuitOpen = (account: Account, { source }: Asking, nowMs: number): CircuitOpen => {
  const breaker = breakerOf(account, source)
  const { failures, reason } = breaker
  return new CircuitOpen({ source, failures, reason, retryAfterMs: Breaker.retryAfterMs(breaker, nowMs) })
}

/** The answer to a ticket, which has its place in the line. */
const serveInTurn = (account: Account, asking: Asking, nowMs: number): Answered => {
  const waiting = servable(account, nowMs)
  const order = Line.order(account.line, waiting, placesTold)
  const place = order.findIndex(({ id }) => id === asking.id)
  const isFar = order.length === placesTold
  // one that can't be served now waits for a request of its own process, or for many others
  if (place < 0) return wait(account, asking, { because: "turn", nowMs, waitMs: isFar ? askAgainMsMax : roomMs })
  const turnMs = waitMs(account, order.slice(0, place + 1), nowMs)
  if (turnMs > 0) return wait(account, asking, { because: "turn", nowMs, waitMs: Math.min(askAgainMsMax, turnMs) })
  return [grant(account, order[place]!, waiting, nowMs), { _tag: "Granted", ageMs: 0 }]
}

/** What is answered to a ticket, and the account then. */
export const permit = (before: Account, asking: Asking, nowMs: number): Answered => {
  const account = tidied(before, nowMs)
  const given = account.inFlight.get(asking.id)
  if (given !== undefined && !given.isInherited) {
    // the answer was lost on its way
    return [account, { _tag: "Granted", ageMs: nowMs - given.sentAtMs }]
  }
  // who still asks has not sent it: what an earlier activation gave is given back
  const free = withoutGrant(account, asking.id)
  if (!Breaker.isPassable(breakerOf(free, asking.source), nowMs)) {
    return [withoutTicket(free, asking.id), circuitOpen(free, asking, nowMs)]
  }
  const coolMs = free.coolDown.untilMs - nowMs
  if (coolMs > 0) return wait(free, asking, { because: "coolDown", nowMs, waitMs: coolMs })
  const joined = { ...free, line: Line.join(free.line, { ...asking, dueAtMs: nowMs }) }
  return serveInTurn(joined, asking, nowMs)
}

const failuresMaxOf = ({ terms }: Account, source: string): number => terms.sources.get(source)?.failuresMax ?? Infinity

/** Leaves the account alone; afterwards nothing of its budget is there to be spent at once. */
const cooledDown = (account: Account, refusal: CoolDown.Refusal): Account => {
  const coolDown = CoolDown.refused(account.coolDown, refusal)
  const { requests, weight } = account
  return {
    ...account,
    coolDown,
    requests: requests && Meter.emptied(requests, coolDown.untilMs),
    weight: weight && Meter.emptied(weight, coolDown.untilMs)
  }
}

/** What became of a request. */
export interface Report {
  readonly ticket: string
  readonly source: string
  readonly outcome: Outcome
}

/** The account after that was reported. */
export const report = (before: Account, { outcome, source, ticket }: Report, nowMs: number): Account => {
  const sentAtMs = before.inFlight.get(ticket)?.sentAtMs ?? -Infinity
  const account = tidied(withoutTicket(withoutGrant(before, ticket), ticket), nowMs)
  const breaker = breakerOf(account, source)
  switch (outcome._tag) {
    case "Dropped":
      return withBreaker(account, source, Breaker.lost(breaker, ticket))
    case "Failed": {
      const { reason } = outcome
      const failuresMax = failuresMaxOf(account, source)
      return withBreaker(account, source, Breaker.failed(breaker, { ticket, reason, nowMs, failuresMax }))
    }
    // a source that refuses is there
    case "Refused": {
      const { retryAfterMs } = outcome
      const cooled = cooledDown(account, { sentAtMs, nowMs, retryAfterMs })
      return withBreaker(cooled, source, Breaker.succeeded(breaker, ticket))
    }
    case "Answered": {
      const coolDown = CoolDown.answered(account.coolDown, sentAtMs)
      const warmer = coolDown === account.coolDown ? account : { ...account, coolDown }
      return withBreaker(warmer, source, Breaker.succeeded(breaker, ticket))
    }
  }
}
