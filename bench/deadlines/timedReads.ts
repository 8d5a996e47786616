/** What becomes of many reads, each with a budget of its own? */
import { headers as makeHeaders, RequestError, TimeoutError, type NatsConnection } from "@nats-io/transport-node"
import { Header } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { budgetOf } from "./budgets.ts"
import { inTurns } from "./inTurns.ts"

/** What is read, and how much of it at once. */
export interface Load {
  readonly nodeId: string
  readonly interval: string
  /** The ranges that are read in turn. */
  readonly ranges: ReadonlyArray<readonly [start: number, end: number]>
  readonly count: number
  readonly atOnce: number
}

/** How one of them ended. */
export interface Ended {
  readonly budgetMs: number
  /** From when it was sent until its answer was here. */
  readonly tookMs: number
  /** `whole`, `partial` or `untold`: something is missing and the account names no violation; or an error's tag. */
  readonly outcome: string
}

/** Who reads: a host takes so many requests of one caller at once, and no more. */
const callers = 16

/** By then an answer counts as lost. */
const lostAfterMs = 10_000

/** The part of an account that is looked at. */
interface Account {
  readonly meta: {
    readonly missingRanges: ReadonlyArray<unknown>
    readonly slaReport: { readonly violation: unknown }
  }
}

const outcomeOf = ({ missingRanges, slaReport }: Account["meta"]): string => {
  if (missingRanges.length === 0) return "whole"
  return slaReport.violation === null ? "untold" : "partial"
}

/** The name of an answer that never came. */
export const unanswered = "unanswered"

/** Reads all of it; gives how each read ended. */
export const timedReads = async (nc: NatsConnection, load: Load): Promise<ReadonlyArray<Ended>> => {
  const { interval, nodeId, ranges } = load
  const ended: Array<Ended> = []
  await inTurns(load, async (number) => {
    const budgetMs = budgetOf(number)
    const [start, end] = ranges[number % ranges.length]!
    const sla = { totalDeadlineMs: budgetMs, onViolation: "partial", onBackfillFailure: "partial" }
    const body = JSON.stringify({ nodeId, interval, start, end, strategy: "auto_backfill", sla })
    const headers = makeHeaders()
    headers.set(Header.caller, `reader-${number % callers}`)
    const startedMs = performance.now()
    const outcome = await nc.request(Subject.service.read, body, { headers, timeout: budgetMs + lostAfterMs }).then(
      (reply) => ({
        atMs: performance.now(),
        what: () => reply.headers?.get(Header.error) || outcomeOf(reply.json<Account>().meta)
      }),
      (cause: unknown) => {
        if (!(cause instanceof TimeoutError) && !(cause instanceof RequestError)) throw cause
        return { atMs: performance.now(), what: () => unanswered }
      }
    )
    ended.push({ budgetMs, tookMs: outcome.atMs - startedMs, outcome: outcome.what() })
  })
  return ended
}
