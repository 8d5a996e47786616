/**
 * Does an answer say what its version says, and was it waited for as long as was asked?
 *
 * What is called covered is in the root of that version, and what of it is not was not read in time. Who asks for the
 * gap to be filled is not told before his time that it is not filled yet.
 */
import type { HistoryResult } from "../../../client/HistoryResult.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Operation } from "../History.ts"
import type { RunRecord } from "../RunRecord.ts"
import { answerOf } from "./checkReads.ts"
import { saidBy, timeOf } from "./words.ts"

/** A client waits this much longer than the host, and a host keeps so much of the time for reading. */
const marginMs = 1000
const readingMsMax = 500

// in time, or at all: its reason says which
const unread = "stored, but not read"
const unfilled = "not filled yet"

const checkVersion = (
  name: string,
  { meta }: HistoryResult,
  { node, range, roots }: { readonly node: string; readonly range: Range; readonly roots: RunRecord["roots"] }
): ReadonlyArray<string> => {
  const root = roots.find((written) => written.node === node && written.root.version === meta.coverageVersion)
  if (root === undefined) {
    return meta.coverageVersion === 0 ? [] : [`${name}: there never was a version ${meta.coverageVersion}`]
  }
  const wanted = RangeSet.of(...range)
  const stands = RangeSet.intersect(RangeSet.make(root.root.covered), wanted)
  const told = RangeSet.intersect(RangeSet.make(meta.coverageRanges), wanted)
  const notRead = RangeSet.make(
    meta.missingRanges.flatMap(({ end, reason, start }): Array<Range> =>
      reason.startsWith(unread) ? [[start, end]] : []
    )
  )
  const problems: Array<string> = []
  if (!isEmpty(RangeSet.subtract(told, stands))) {
    problems.push(`${name}: more is covered than in version ${meta.coverageVersion}`)
  }
  if (!isEmpty(RangeSet.subtract(RangeSet.subtract(stands, told), notRead))) {
    problems.push(`${name}: less is covered than in version ${meta.coverageVersion}`)
  }
  return problems
}

const checkPatience = (
  name: string,
  { completedAtMs, untilMs }: Operation,
  { meta }: HistoryResult,
  taken: RangeSet.RangeSet
) => {
  const leftMs = untilMs - marginMs - completedAtMs
  const isUnfilled = meta.missingRanges.some(
    // what was covered when it was planned what to wait for is not waited for
    ({ end, reason, start }) => reason === unfilled && !RangeSet.contains(taken, RangeSet.of(start, end))
  )
  if (meta.strategy !== "auto_backfill" || !isUnfilled || leftMs < readingMsMax) return []
  // what could not even be queued is told at once
  if (meta.notes.some((note) => /could not be queued|could not be read|asked for again and again/.test(note))) return []
  return [`${name}: not filled yet, ${leftMs.toFixed(0)} ms before its time was over`]
}

/** Time that operators may have taken out of the coverage while a question was answered. */
const takenDuring = (
  { completedAtMs, invokedAtMs }: Operation,
  node: string,
  operations: ReadonlyArray<Operation>
): RangeSet.RangeSet =>
  timeOf(
    saidBy(operations, { verbs: ["invalidate", "reprocess"], node, atMs: completedAtMs }).filter(
      (word) => word.completedAtMs > invokedAtMs
    )
  )

/** What answers said that their version does not say, or too early. */
export const checkAnswers = (operations: ReadonlyArray<Operation>, { roots }: RunRecord): ReadonlyArray<string> =>
  operations.flatMap((operation) => {
    const answer = answerOf(operation)
    if (answer === undefined || !("meta" in answer.result)) return []
    const name = `read ${operation.id} of ${operation.about}`
    return [
      ...checkVersion(name, answer.result, { ...answer, roots }),
      ...checkPatience(name, operation, answer.result, takenDuring(operation, answer.node, operations))
    ]
  })
