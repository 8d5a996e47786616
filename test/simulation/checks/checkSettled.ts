/**
 * Is every bar asked for once more that its source may have changed, and is it read as the source has it in the end?
 *
 * When faults have stopped, no bar is left to settle whose time has come, but in windows that wait for a person or for
 * a source that does not answer; and the last answer has the last word on it.
 */
import { reservedColumns } from "../../../protocol/frame/DataSchema.ts"
import { hasEnded } from "../../../protocol/history/BackfillJob.ts"
import type { Operation } from "../History.ts"
import * as Callers from "../Callers.ts"
import * as Market from "../Market.ts"
import type { Restated } from "../Restated.ts"
import type { RunRecord } from "../RunRecord.ts"
import { answerOf } from "./checkReads.ts"

/** Whether the window of the bar is in trouble at a moment, of which others tell. */
const isInTrouble = ({ jobs }: RunRecord, node: string, { bar }: Restated, untilMs = Infinity): boolean => {
  const windowMs = Callers.windowBars * Market.barMs
  const last = jobs.findLast(
    ({ atMs, job: { series, windowStart } }) =>
      atMs <= untilMs && series.nodeId === node && windowStart === Math.floor(bar / windowMs) * windowMs
  )
  return (
    last !== undefined && (last.job.state === "QUARANTINED" || (last.job.state === "FAILED" && !hasEnded(last.job)))
  )
}

const isLeft = ({ roots }: RunRecord, node: string, { bar }: Restated): boolean =>
  roots
    .findLast((written) => written.node === node)
    ?.root.unsettled?.some(({ end, start }) => start <= bar && bar < end) === true

/** What the last answers say of the bar that is not the last word on it. */
const wrongAtTheEnd = (
  run: RunRecord,
  operations: ReadonlyArray<Operation>,
  node: string,
  restated: Restated
): ReadonlyArray<string> => {
  const { bar } = restated
  return operations
    .filter(({ completedAtMs, id }) => id.startsWith("last") && !isInTrouble(run, node, restated, completedAtMs))
    .flatMap((operation) => {
      const answer = answerOf(operation)
      if (answer?.node !== node || !("meta" in answer.result)) return []
      const { columns } = answer.result.df
      const row = Array.from(columns[reservedColumns.eventTime] ?? [], Number).indexOf(bar)
      const close = row === -1 ? undefined : columns["close"]?.[row]
      const word = Market.closeOf(Callers.nodes.indexOf(node), bar)
      return close === undefined || close === word
        ? []
        : [`at the end, ${node} has ${String(close)} for bar ${bar}, of which ${word} is the last word`]
    })
}

/** Bars that changed, and of which nobody has heard. */
export const checkSettled = (
  run: RunRecord,
  operations: ReadonlyArray<Operation>,
  restated: Restated | undefined
): ReadonlyArray<string> => {
  if (restated === undefined) return []
  return Callers.nodes
    .filter((node) => !isInTrouble(run, node, restated))
    .flatMap((node) => [
      ...(isLeft(run, node, restated)
        ? [`at the end, bar ${restated.bar} of ${node} has not been asked for again`]
        : []),
      ...wrongAtTheEnd(run, operations, node, restated)
    ])
}
