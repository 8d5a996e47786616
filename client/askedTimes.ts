/**
 * How long is an answer waited for, and when is it asked for again?
 *
 * A deadline that a caller names is hard: one host has it, and what is lost then can't be had any more. Where
 * none is named the host decides by the defaults of its environment, which only hosts know. Who waits has more patience
 * than those take, and asks again when a host with the defaults of its strategy would long have answered.
 */
import * as SlaPolicy from "../protocol/history/SlaPolicy.ts"
import * as Strategy from "../protocol/history/Strategy.ts"
import { marginMs } from "./Session.ts"

/** What a caller may say of the time. */
export interface TimeOptions {
  readonly strategy?: string | undefined
  readonly sla?: SlaPolicy.SlaPolicy | undefined
}

/** The time of a question, in milliseconds. */
export interface AskedTimes {
  /** As much as the answer may take; the host is told, so that what is waited for in vain has been ended. */
  readonly budgetMs: number
  /** The same where the caller has named it: the wait ends then, whatever happens. */
  readonly deadlineMs?: number
  /** After so long without an answer it is taken for lost, and asked for again; absent where the budget is hard. */
  readonly againMs?: number
}

/** How long an answer is waited for that has no deadline of its own. */
const patienceMs = 30_000

/** How long a host takes that has the defaults of the strategy. */
const usualMs = ({ strategy }: TimeOptions, strategyDefault: Strategy.Strategy): number => {
  // what is no strategy is for the host to refuse
  const named = typeof strategy === "string" ? Strategy.parse(strategy) : undefined
  return SlaPolicy.defaults[named ?? strategyDefault].totalDeadlineMs ?? patienceMs
}

/** The time of a question: as asked, else as long as the client has patience. */
export const askedTimes = (options: TimeOptions, strategyDefault: Strategy.Strategy): AskedTimes => {
  const askedMs = options.sla?.totalDeadlineMs
  if (typeof askedMs === "number") return { budgetMs: askedMs, deadlineMs: askedMs }
  return { budgetMs: patienceMs, againMs: usualMs(options, strategyDefault) + marginMs }
}

/** The time of many reads in one question: how long each has, and after how long a silence the rest is asked for. */
export const batchTimes = (batch: TimeOptions, reads: ReadonlyArray<TimeOptions>) => {
  const times = askedTimes(batch, "seamless")
  const { budgetMs, againMs = budgetMs + marginMs } = times
  const each = reads.map(({ sla, strategy = batch.strategy }) => {
    const ownMs = sla?.totalDeadlineMs
    if (ownMs !== undefined) return Math.min(ownMs, budgetMs) + marginMs
    return batch.sla?.totalDeadlineMs === undefined ? usualMs({ strategy }, "seamless") + marginMs : againMs
  })
  return { ...times, againMs: Math.max(marginMs, ...each) }
}
