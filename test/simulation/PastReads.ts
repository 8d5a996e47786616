/**
 * Who reads again what was read before, as it was then?
 *
 * In some runs a caller now and then picks one of the answers that came, to whomever, and asks for the same range as of
 * its version. What came is written down beside what came before.
 */
import { Effect } from "effect"
import * as HistoryReader from "../../client/read.ts"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as Callers from "./Callers.ts"
import { answerOf } from "./checks/checkReads.ts"
import type { History, Operation } from "./History.ts"

/** What was read a second time. */
export interface PastRead {
  readonly node: string
  readonly first: HistoryResult
  /** When the first answer came, in milliseconds of the run. */
  readonly firstAtMs: number
  readonly again: HistoryResult
}

/** A version that was read, and is asked for. */
interface Noted {
  readonly operation: Operation
  readonly node: string
  readonly range: readonly [number, number]
  readonly result: HistoryResult
}

/** The name of such a question. */
export const pastRead = "read as of"

const share = 0.35
// in time, or at all: its reason says which
const unread = "stored, but not read"

/** When past versions are read in the run of a seed: never in most. Drawn apart, so that others are what they were. */
export const draw = (seed: number): ReadonlyArray<number> => {
  const next = seededNumbers(seed + 0xa5_0f)
  if (next() >= share) return []
  return Array.from({ length: 4 + Math.floor(next() * 6) }, () => 6000 + next() * 40_000)
}

/** Whether all that the version has of the range has come. */
export const isWhole = ({ meta }: HistoryResult): boolean =>
  meta.missingRanges.every(({ reason }) => !reason.startsWith(unread))

/** What was read by now and can be read again. */
const noted = ({ operations }: History): ReadonlyArray<Noted> =>
  operations.flatMap((operation) => {
    const answer = answerOf(operation)
    if (answer === undefined || !("meta" in answer.result)) return []
    const { node, range, result } = answer
    return result.meta.coverageVersion > 0 && isWhole(result) ? [{ operation, node, range, result }] : []
  })

const questionOf = (caller: Callers.Caller, budgetMs: number, { node, operation, range, result }: Noted) => {
  const version = result.meta.coverageVersion
  const [start, end] = range
  return {
    what: pastRead,
    about: `${node} ${start}..${end} as of version ${version}`,
    budgetMs,
    graceMs: Callers.marginMs,
    put: () =>
      HistoryReader.read(caller.session, [
        node,
        Callers.interval,
        start,
        end,
        { strategy: "seamless", asOf: { version }, sla: { totalDeadlineMs: budgetMs, onViolation: "partial" } }
      ]).pipe(Effect.map((again) => ({ node, first: result, firstAtMs: operation.completedAtMs, again })))
  }
}

/** Has past versions read at these times, and for the last time at `lastAtMs`. */
export const load = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  { atMs, lastAtMs }: { readonly atMs: ReadonlyArray<number>; readonly lastAtMs: number }
): void => {
  const put = (caller: Callers.Caller, id: string, budgetMs: number): void => {
    const known = noted(history)
    if (known.length === 0) return
    const chosen = Callers.choose(caller.process.world, known)
    Callers.putQuestion(caller, id, questionOf(caller, budgetMs, chosen), history)
  }
  for (const [index, ms] of atMs.entries()) {
    const caller = callers[index % callers.length]!
    const { world } = caller.process
    world.at(ms, () => put(caller, `past${index}`, Callers.choose(world, Callers.budgetsMs)))
  }
  if (atMs.length === 0) return
  const [caller] = callers
  for (let last = 0; last < 3; last++) {
    caller!.process.world.at(lastAtMs, () => put(caller!, `pastLast${last}`, 4000))
  }
}
