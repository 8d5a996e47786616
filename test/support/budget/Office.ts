/**
 * What happens when many processes send requests under one account?
 *
 * Time is a number here: workers ask, wait as long as they are told, send and report, in the order in which it happens.
 * Some die with what they have, and the account is now and then taken over by somebody who knows only what was saved.
 */
import * as Account from "../../../actors/budget/Account.ts"
import type { AccountTerms, SourceTerms } from "../../../actors/budget/AccountTerms.ts"
import * as SavedAccount from "../../../actors/budget/SavedAccount.ts"
import type { JobClass } from "../../../protocol/history/BackfillJob.ts"

/** One who sends request after request. */
export interface Worker {
  readonly name: string
  readonly asker: string
  readonly jobClass: JobClass
  readonly series: string
  /** When it begins. */
  readonly fromMs: number
  /** What its answers take to come: to the account, and of its requests. */
  readonly wayMs: number
  readonly requestMs: number
  /** How many requests it sends. */
  readonly requests: number
  /** When it is killed; what it has sent goes on. */
  readonly diesAtMs: number
}

/** A request that was sent. */
export interface Sent {
  readonly worker: string
  readonly wishedAtMs: number
  readonly atMs: number
  readonly endMs: number
}

/** A source of moderate terms. */
export const sourceTerms: SourceTerms = { weight: 1, concurrency: 100, timeoutMs: 5000, failuresMax: 5 }

/** An account of one source, without a limit unless told otherwise. */
export const termsOf = (limits: Partial<AccountTerms> = {}): AccountTerms => ({
  account: "main",
  requests: undefined,
  weight: undefined,
  concurrency: undefined,
  sources: new Map([["binance", sourceTerms]]),
  ...limits
})

/** A worker of one request after another that nobody kills. */
export const worker = (name: string, more: Partial<Worker> = {}): Worker => ({
  name,
  asker: "host",
  jobClass: "bulk",
  series: name,
  fromMs: 0,
  wayMs: 1,
  requestMs: 50,
  requests: Infinity,
  diesAtMs: Infinity,
  ...more
})

interface Happening {
  readonly atMs: number
  readonly happen: () => void
}

/** Lets it all happen, up to a moment; gives what was sent, in order. */
export const run = (
  terms: AccountTerms,
  workers: ReadonlyArray<Worker>,
  { takenOverAtMs = [], untilMs }: { readonly untilMs: number; readonly takenOverAtMs?: ReadonlyArray<number> }
): ReadonlyArray<Sent> => {
  const happenings: Array<Happening> = []
  const sent: Array<Sent> = []
  let account = Account.begin(terms, 0)
  let nowMs = 0

  const after = (waitMs: number, happen: () => void): void => {
    const atMs = nowMs + waitMs
    const index = happenings.findLastIndex((each) => each.atMs <= atMs)
    happenings.splice(index + 1, 0, { atMs, happen })
  }

  const work = (one: Worker): void => {
    const { asker, diesAtMs, jobClass, name, requestMs, requests, series, wayMs } = one
    let count = 0
    const next = (): void => {
      const [id, wishedAtMs] = [`${name}-${++count}`, nowMs]
      const ask = (): void => {
        if (nowMs >= diesAtMs) return
        const [then, verdict] = Account.permit(
          account,
          { id, asker, source: "binance", jobClass, series, weight: 1 },
          nowMs
        )
        account = then
        if (verdict._tag === "Granted") return after(wayMs, () => send())
        after(wayMs + verdict.retryAfterMs, () => after(wayMs, ask))
      }
      const send = (): void => {
        if (nowMs >= diesAtMs) return
        sent.push({ worker: name, wishedAtMs, atMs: nowMs, endMs: nowMs + requestMs })
        after(requestMs, () => {
          if (nowMs >= diesAtMs) return
          after(wayMs, () => {
            const report = { ticket: id, source: "binance", outcome: { _tag: "Answered" } } as const
            account = Account.report(account, report, nowMs)
          })
          if (count < requests) next()
        })
      }
      after(wayMs, ask)
    }
    after(one.fromMs, next)
  }
  for (const one of workers) work(one)
  for (const atMs of takenOverAtMs) {
    after(atMs, () => {
      // whoever takes over has another clock
      const moment = { nowMs, wallMs: 1_700_000_000_000 + nowMs }
      account = SavedAccount.restore(terms, SavedAccount.save(account, moment), moment)
    })
  }
  for (let first = happenings.shift(); first !== undefined && first.atMs <= untilMs; first = happenings.shift()) {
    nowMs = first.atMs
    first.happen()
  }
  return sent
}

/** The most that were sent within so long. */
export const mostWithin = (sent: ReadonlyArray<Sent>, lengthMs: number): number =>
  Math.max(0, ...sent.map(({ atMs: from }) => sent.filter(({ atMs }) => from <= atMs && atMs < from + lengthMs).length))

/** The most that were under way at once. */
export const mostAtOnce = (sent: ReadonlyArray<Sent>): number =>
  Math.max(0, ...sent.map(({ atMs: now }) => sent.filter(({ atMs, endMs }) => atMs <= now && now < endMs).length))
