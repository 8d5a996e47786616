/**
 * Does the history of a series' roots hold together, and what does it add up to?
 *
 * Pure. Entry after entry from the first: each has the next version, names the one before by its hash, and its changes
 * make the coverage before it into its own; what it revises is covered. Where one does not, nothing behind it is looked
 * at any more. Where some are missing it begins anew behind them: the oldest may have been swept, also while the
 * history was read, and only who has read all of it can say whether they were.
 */
import { Option } from "effect"
import { type CoverageRoot, rolledBackBy, rolledBackCause, rootHash } from "../../protocol/history/CoverageRoot.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { arePairsOf, toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { AuditBreak } from "../../protocol/messages/AuditReport.ts"
import type { AuditedRoot } from "../../protocol/messages/LoggedRoot.ts"
import { type AuditEntry, claimedBy, fromRoot, isNamedBy } from "./AuditEntry.ts"

/** Where a history begins anew: the entry behind versions that are missing. */
interface Gap extends Pick<AuditBreak, "version" | "sequence"> {
  /** The version before them; 0 for none. */
  readonly after: number
  /** How many entries held before. */
  readonly entries: number
  /** The gap before this one. */
  readonly earlier: Gap | undefined
}

/** A history as far as it has been replayed. */
export interface Replay {
  /** How many entries hold, from where it last began. */
  readonly entries: number
  /** The last of them; undefined before the first. */
  readonly last: { readonly bytes: Uint8Array; readonly root: AuditedRoot } | undefined
  /** What their changes add up to. */
  readonly covered: RangeSet.RangeSet
  readonly firstBreak: AuditBreak | undefined
  /** Where it last began with a later root than the first: whether those before it were swept is not in it. */
  readonly late: Gap | undefined
  /** From where on its coverage is known: what a root leaves to its pages is not in its entry. */
  readonly knownFrom: number
}

/** Of what differs, so many ranges are told at most. */
const differingMax = 20

/** A history before its first entry. */
export const begin: Replay = {
  entries: 0,
  last: undefined,
  covered: RangeSet.empty,
  firstBreak: undefined,
  late: undefined,
  knownFrom: -Infinity
}

type Problem = Pick<AuditBreak, "kind" | "problem"> & Partial<Pick<AuditBreak, "lost" | "beyond">>

const versionText = (version: number): string => (version === 0 ? "nothing" : `version ${version}`)

const isRaised = ({ diff }: AuditedRoot): boolean => diff.cause === rolledBackCause

const lastVersionOf = ({ last }: Replay): number => last?.root.version ?? 0

/** The version that the root has where it is the one after the last; where storage was rolled back it is far beyond. */
const nextVersion = (replay: Replay, root: AuditedRoot): number =>
  lastVersionOf(replay) + (isRaised(root) ? rolledBackBy : 1)

const outOfOrder = (version: number, after: number): Problem => ({
  kind: "version",
  problem: `version ${version} comes after ${versionText(after)}`
})

const versionProblem = (replay: Replay, root: AuditedRoot): Problem | undefined =>
  root.version === nextVersion(replay, root) ? undefined : outOfOrder(root.version, lastVersionOf(replay))

const linkProblem = ({ last }: Replay, root: AuditedRoot): Problem | undefined => {
  // it follows what was left, which is in the history further before, or not at all
  if (isRaised(root)) return undefined
  const isLinked = last === undefined ? root.previousRootHash === "" : isNamedBy(last, root.previousRootHash)
  if (isLinked) return undefined
  const before = versionText(last?.root.version ?? 0)
  return { kind: "link", problem: `version ${root.version} does not name ${before} as the one before it` }
}

/** What differs between what is claimed and what the changes add up to. */
const difference = (claimed: RangeSet.RangeSet, added: RangeSet.RangeSet) => {
  const [lost, beyond] = [RangeSet.subtract(added, claimed), RangeSet.subtract(claimed, added)]
  if (isEmpty(lost) && isEmpty(beyond)) return undefined
  return { lost: toPairs(lost).slice(0, differingMax), beyond: toPairs(beyond).slice(0, differingMax) }
}

const after = (covered: RangeSet.RangeSet, { diff }: AuditedRoot): RangeSet.RangeSet =>
  RangeSet.subtract(RangeSet.union(covered, diff.added), diff.removed)

const noRoot: Problem = { kind: "unreadable", problem: "the entry is no coverage root of format 1" }

const from = (set: RangeSet.RangeSet, timeMs: number): RangeSet.RangeSet => RangeSet.clip(set, timeMs, Infinity)

const coverageProblem = (covered: RangeSet.RangeSet, root: AuditedRoot, knownFrom: number): Problem | undefined => {
  // what a root leaves to its pages can't be seen in its entry
  const seen = from(covered, Math.max(root.coveredInPagesBefore ?? -Infinity, knownFrom))
  if (arePairsOf(root.covered, seen)) return undefined
  const claimed = claimedBy(root)
  if (Option.isNone(claimed)) return noRoot
  const found = difference(from(claimed.value, knownFrom), seen)
  if (found === undefined && knownFrom !== -Infinity) return undefined
  const problem = `the changes up to version ${root.version} do not add up to the coverage that it claims`
  return { kind: "coverage", problem, ...found }
}

/** Bars of time that is not covered can't have changed. */
const revisionProblem = (
  covered: RangeSet.RangeSet,
  { diff, version }: AuditedRoot,
  knownFrom: number
): Problem | undefined => {
  const beyond = RangeSet.subtract(from(diff.revised ?? RangeSet.empty, knownFrom), covered)
  if (isEmpty(beyond)) return undefined
  const problem = `version ${version} revises bars of time that is not covered`
  return { kind: "coverage", problem, beyond: toPairs(beyond).slice(0, differingMax) }
}

const broken = (
  replay: Replay,
  { sequence, version }: Pick<AuditBreak, "version" | "sequence">,
  problem: Problem
): Replay => ({
  ...replay,
  firstBreak: { version, sequence, lost: [], beyond: [], ...problem }
})

/** A history that begins anew behind a gap: what the root covers is taken as it is. */
const beginWith = (replay: Replay, { bytes, sequence }: AuditEntry, root: AuditedRoot): Replay =>
  Option.match(claimedBy(root), {
    onNone: () => broken(replay, { version: root.version, sequence }, noRoot),
    onSome: (covered) => ({
      ...replay,
      entries: 1,
      last: { bytes, root },
      covered,
      late: {
        version: root.version,
        sequence,
        after: lastVersionOf(replay),
        entries: replay.entries,
        earlier: replay.late
      },
      knownFrom: root.coveredInPagesBefore ?? -Infinity
    })
  })

/** The history with one more entry. */
export const replayEntry = (replay: Replay, entry: AuditEntry): Replay => {
  const { bytes, root: read, sequence } = entry
  if (replay.firstBreak !== undefined) return replay
  if (Option.isNone(read)) return broken(replay, { version: lastVersionOf(replay) + 1, sequence }, noRoot)
  const root = read.value
  if (root.version > nextVersion(replay, root)) return beginWith(replay, entry, root)
  const covered = after(replay.covered, root)
  const chainProblem = versionProblem(replay, root) ?? linkProblem(replay, root)
  const coveredProblem = coverageProblem(covered, root, replay.knownFrom)
  const problem = chainProblem ?? coveredProblem ?? revisionProblem(covered, root, replay.knownFrom)
  if (problem !== undefined) return broken(replay, { version: root.version, sequence }, problem)
  return { ...replay, entries: replay.entries + 1, last: { bytes, root }, covered }
}

/** The root that stands, and all that it covers. */
export interface Standing {
  readonly root: CoverageRoot
  readonly covered: RangeSet.RangeSet
}

/** The history up to the root that stands, which may be the last entry's, or the one after it. */
const upTo = (replay: Replay, { root }: Standing): Replay => {
  const { version } = root
  const lastVersion = lastVersionOf(replay)
  const at = { version, sequence: null }
  if (version > lastVersion) return replayEntry(replay, fromRoot(root))
  if (version < lastVersion) {
    const problem = `${versionText(version)} stands, and the history goes on to version ${lastVersion}`
    return broken(replay, at, { kind: "standing", problem })
  }
  if (replay.last === undefined || isNamedBy(replay.last, rootHash(root))) return replay
  return broken(replay, at, { kind: "standing", problem: `another version ${version} stands than the history has` })
}

/** The first gap that sweeps don't account for: they took what was older than `keptFrom`. */
const firstLoss = (late: Gap | undefined, keptFrom: number): Gap | undefined => {
  let loss: Gap | undefined
  for (let gap = late; gap !== undefined && gap.version > keptFrom; gap = gap.earlier) loss = gap
  return loss
}

/**
 * The whole history, held against what stands: its changes add up to just the coverage that there is. It may begin
 * anew with a version as late as `keptFrom`, since those before that were swept.
 */
export const conclude = (replay: Replay, standing: Standing, keptFrom = 1): Replay => {
  const all = replay.firstBreak === undefined ? upTo(replay, standing) : replay
  const loss = firstLoss(all.late, keptFrom)
  if (loss !== undefined) {
    const { after, earlier, entries } = loss
    return broken({ ...begin, entries, late: earlier }, loss, outOfOrder(loss.version, after))
  }
  if (all.firstBreak !== undefined) return all
  const found = difference(from(standing.covered, all.knownFrom), from(all.covered, all.knownFrom))
  if (found === undefined) return all
  const problem = "all changes together do not add up to the coverage that stands"
  return broken(all, { version: standing.root.version, sequence: null }, { kind: "coverage", problem, ...found })
}
