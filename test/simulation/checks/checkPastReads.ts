/**
 * Is a version read again what it was when it was first read?
 *
 * Bit for bit, as long as it is kept. One that is not kept any more is refused as such, and no other: what has not been
 * replaced for longer than roots count is there, unless storage has lost it.
 */
import type { HistoryFrame } from "../../../client/HistoryFrame.ts"
import type { HistoryResult } from "../../../client/HistoryResult.ts"
import type { Operation } from "../History.ts"
import { isWhole, type PastRead, pastRead } from "../PastReads.ts"
import type { RunRecord } from "../RunRecord.ts"

/** How it was in the run with what no longer stands. */
interface Kept {
  /** How long roots count that no longer stand. */
  readonly rootsMs: number
  /** How wrong clocks may be. */
  readonly skewMs: number
  readonly isRolledBack: boolean
}

const isPastRead = (answer: unknown): answer is PastRead =>
  typeof answer === "object" && answer !== null && "again" in answer && "first" in answer

const rowsOf = (frame: HistoryFrame): string => JSON.stringify(frame.toColumns())

const checkSame = (name: string, first: HistoryResult, again: PastRead["again"]): ReadonlyArray<string> => {
  const { coverageVersion, fingerprint } = again.meta
  if (coverageVersion !== first.meta.coverageVersion) {
    return [`${name}: version ${coverageVersion} for who asked for ${first.meta.coverageVersion}`]
  }
  // what of it was not read in time has no part in it
  if (!isWhole(again)) return []
  const problems: Array<string> = []
  if (fingerprint !== first.meta.fingerprint) problems.push(`${name}: another fingerprint than at first`)
  if (rowsOf(again.df) !== rowsOf(first.df)) problems.push(`${name}: other rows than at first`)
  return problems
}

const aboutVersion = /^(\S+) .* as of version (\d+)$/

/** Whether there is a reason not to know a version any more: another took its place long ago, or it is lost. */
const mayBeGone = ({ about, completedAtMs }: Operation, { roots }: RunRecord, kept: Kept): boolean => {
  const [, node, version = ""] = aboutVersion.exec(about) ?? []
  const ofNode = roots.filter((written) => written.node === node)
  const next = ofNode.find(({ root }) => root.version > Number(version))
  const isKnown = ofNode.some(({ root }) => root.version === Number(version))
  if (!isKnown) return kept.isRolledBack
  return next !== undefined && next.atMs < completedAtMs - kept.rootsMs + kept.skewMs
}

/** Past versions that are not what they were, or are refused though they are kept. */
export const checkPastReads = (
  operations: ReadonlyArray<Operation>,
  run: RunRecord,
  kept: Kept
): ReadonlyArray<string> =>
  operations.flatMap((operation) => {
    const { about, answer, id, outcome, what } = operation
    if (what !== pastRead) return []
    const name = `read ${id} of ${about}`
    if (isPastRead(answer)) return checkSame(name, answer.first, answer.again)
    if (outcome === "UnknownPoint" && !mayBeGone(operation, run, kept)) return [`${name}: refused though it is kept`]
    return id.startsWith("pastLast") && outcome !== "ok" && outcome !== "UnknownPoint"
      ? [`at the end, ${name} gives ${outcome}`]
      : []
  })
