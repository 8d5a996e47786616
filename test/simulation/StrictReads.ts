/**
 * Who reads strictly?
 *
 * In some runs callers ask now and then for a series as its owner confirms it. What was committed before they asked
 * has to be in what they are told, whoever owned the series and whatever their host had heard of it.
 */
import { Effect } from "effect"
import * as HistoryReader from "../../client/read.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as Callers from "./Callers.ts"
import type { History } from "./History.ts"

/** The name of such a question. */
export const strictRead = "strict read"

const share = 0.3

/** One of them: when, of which series, by whom, and how long it may take. */
export interface StrictRead {
  readonly atMs: number
  readonly node: string
  readonly caller: number
  readonly budgetMs: number
}

/** When the run of a seed has them: never in most. Drawn apart, so that others are what they were. */
export const draw = (seed: number): ReadonlyArray<StrictRead> => {
  const next = seededNumbers(seed + 0x57_1c)
  if (next() >= share) return []
  const one = <A>(items: ReadonlyArray<A>): A => items[Math.floor(next() * items.length)]!
  return Array.from({ length: 10 + Math.floor(next() * 20) }, () => ({
    atMs: 2500 + next() * 42_000,
    node: one(Callers.nodes),
    caller: Math.floor(next() * 2),
    budgetMs: one(Callers.budgetsMs)
  }))
}

const [start, end] = Callers.wanted

const questionOf = (caller: Callers.Caller, { budgetMs, node }: Pick<StrictRead, "budgetMs" | "node">) => ({
  what: strictRead,
  about: `${node} ${start}..${end}`,
  budgetMs,
  graceMs: Callers.marginMs,
  put: () =>
    HistoryReader.read(caller.session, [
      node,
      Callers.interval,
      start,
      end,
      { strategy: "partial_fill", consistency: "strict", sla: { totalDeadlineMs: budgetMs, onViolation: "partial" } }
    ]).pipe(Effect.map((result) => ({ node, range: Callers.wanted, minVersion: 0, result })))
})

/** Has series read strictly at these times, and for the last time at `lastAtMs`. */
export const load = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  { reads, lastAtMs }: { readonly reads: ReadonlyArray<StrictRead>; readonly lastAtMs: number }
): void => {
  for (const [index, read] of reads.entries()) {
    const caller = callers[read.caller % callers.length]!
    caller.process.world.at(read.atMs, () =>
      Callers.putQuestion(caller, `strict${index}`, questionOf(caller, read), history)
    )
  }
  const [caller] = callers
  if (reads.length === 0 || caller === undefined) return
  for (const [index, node] of Callers.nodes.entries()) {
    caller.process.world.at(lastAtMs, () =>
      Callers.putQuestion(caller, `strictLast${index}`, questionOf(caller, { node, budgetMs: 3500 }), history)
    )
  }
}
