/**
 * Is what is said to be covered there, and does it stay? (Invariants 3 and 5)
 *
 * Each root holds all that the one before it held but for what an operator has taken out, is one version later, and
 * names pages and chunks that were stored before it. The audit stream has every version.
 */
import { rolledBackBy } from "../../../protocol/history/CoverageRoot.ts"
import { derivedSource } from "../../../actors/sources/SeriesCatalog.ts"
import { bars } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keyOf } from "../../../protocol/wire/StreamSpec.ts"
import * as Callers from "../Callers.ts"
import * as Market from "../Market.ts"
import type { Operation } from "../History.ts"
import type { RootWritten, RunRecord } from "../RunRecord.ts"
import { invalidatedBy } from "./words.ts"

const isFollowing = ({ interval, root: { diff } }: RootWritten): boolean =>
  interval !== Callers.interval && diff.cause.startsWith(`invalidated by ${derivedSource(Callers.interval)}: `)

const checkStep = (
  before: RootWritten,
  after: RootWritten,
  operations: ReadonlyArray<Operation>
): ReadonlyArray<string> => {
  const [old, next] = [before.root, after.root]
  const name = `root of ${after.subject} at revision ${after.revision}`
  const problems: Array<string> = []
  if (next.version < old.version) problems.push(`${name}: version ${next.version} after ${old.version}`)
  const gone = RangeSet.subtract(RangeSet.make(old.covered), RangeSet.make(next.covered))
  // what is rolled up is made anew where what it is made of has changed
  const lost = isFollowing(after) ? RangeSet.empty : RangeSet.subtract(gone, invalidatedBy(after, operations))
  const lostBars = bars(lost, Market.barMs)
  if (lostBars > 0) problems.push(`${name}: ${lostBars} covered bars were lost`)
  const isSame = JSON.stringify(old) === JSON.stringify(next)
  const step = next.version - old.version
  if (!isSame && step !== 1 && step < rolledBackBy) problems.push(`${name}: another root of version ${next.version}`)
  return problems
}

const checkNamed = ({ atOrder, root, subject, revision }: RootWritten, run: RunRecord): ReadonlyArray<string> => {
  const problems: Array<string> = []
  for (const { id } of root.pages) {
    const page = run.pages.get(id)
    if (page === undefined || page.atOrder > atOrder) {
      problems.push(`root of ${subject} at revision ${revision}: page ${id} was not stored before it`)
      continue
    }
    for (const chunk of page.chunkIds) {
      const storedAt = run.chunks.get(chunk)
      if (storedAt === undefined || storedAt > page.atOrder) {
        problems.push(`page ${id}: chunk ${chunk} was not stored before it`)
      }
    }
  }
  return problems
}

/** Whether the audit stream has each version of each series, in order. */
const checkAudit = (run: RunRecord): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const last = new Map<string, number>()
  for (const { revision, subject, version } of run.audited) {
    const before = last.get(subject) ?? 0
    const step = version - before
    if (step !== 1 && step < rolledBackBy) {
      problems.push(`audit ${subject} at ${revision}: version ${version} after ${before}`)
    }
    last.set(subject, Math.max(before, version))
  }
  return problems
}

/** Roots that have the version of another: also where storage was rolled back, which takes nothing from the audit. */
const checkVersions = ({ audited, roots }: RunRecord): ReadonlyArray<string> => {
  const known = new Map<string, string>()
  for (const { covered, subject, version } of audited) {
    if (covered !== undefined)
      known.set(`${subject.slice(subject.indexOf(".audit.") + 7)} ${version}`, JSON.stringify(covered))
  }
  return roots.flatMap(({ revision, root, subject }) => {
    const other = known.get(`${keyOf(Stream.coverage, subject)} ${root.version}`)
    return other === undefined || other === JSON.stringify(root.covered)
      ? []
      : [`root of ${subject} at revision ${revision}: the audit has another root of version ${root.version}`]
  })
}

/** What roots say that can't be, or that others said before. */
export const checkCoverage = (run: RunRecord, operations: ReadonlyArray<Operation> = []): ReadonlyArray<string> => {
  const problems: Array<string> = [...checkAudit(run), ...checkVersions(run)]
  const last = new Map<string, RootWritten>()
  for (const written of run.roots) {
    const before = last.get(written.subject)
    if (before !== undefined) problems.push(...checkStep(before, written, operations))
    problems.push(...checkNamed(written, run))
    last.set(written.subject, written)
  }
  return problems
}
