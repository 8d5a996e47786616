/**
 * Does a root go on from what the audit stream says, and if not, how does it go on nevertheless?
 *
 * Pure. A power failure without fsync, or an old backup, can take acknowledged roots away and leave their entries in
 * the audit stream. Their versions were given to readers and are never given again: the next version is far beyond.
 */
import { Option, Schema } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { CoverageRoot, rolledBackBy, rolledBackCause, rootHash } from "../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Codec from "../../protocol/wire/Codec.ts"

/** The last entry of the audit stream. */
export interface Audited {
  readonly version: number
  readonly entry: Option.Option<Uint8Array>
}

/** What is found: `rolledBack` where roots are gone, `broken` where entries of the audit stream are. */
export type Judgement = "fits" | "rolledBack" | "broken"

const decodeRoot = Schema.decodeUnknownOption(CoverageRoot)

const rootIn = ({ entry }: Audited) => Option.flatMap(Option.flatMap(entry, Codec.fromJson), decodeRoot)

const isSame = (root: CoverageRoot, other: CoverageRoot): boolean =>
  root.committedAt === other.committedAt && root.previousRootHash === other.previousRootHash

/** Whether the root names the entry as the one before it: by its bytes, or by what this build reads of them. */
const isNextOf = ({ previousRootHash }: CoverageRoot, audited: Audited): boolean =>
  Option.exists(audited.entry, (bytes) => sha256(bytes) === previousRootHash) ||
  Option.exists(rootIn(audited), (before) => rootHash(before) === previousRootHash)

/** Compares the root that stands with the last one that was audited; one of them may not be audited yet. */
export const judgeHistory = (root: CoverageRoot, audited: Audited): Judgement => {
  if (audited.version > root.version) return "rolledBack"
  if (audited.version === root.version) {
    return Option.exists(rootIn(audited), (entry) => !isSame(root, entry)) ? "rolledBack" : "fits"
  }
  if (root.diff.cause === rolledBackCause) return "fits"
  const isFirst = root.version === 1 && audited.version === 0
  return isFirst || (root.version === audited.version + 1 && isNextOf(root, audited)) ? "fits" : "broken"
}

/** What a root says of time that another root speaks of itself, and has not: as far as the other's own ranges tell. */
const beyond = (
  covered: RangeSet.RangeSet,
  { coveredInPagesBefore, covered: known }: CoverageRoot
): RangeSet.RangeSet => RangeSet.subtract(RangeSet.clip(covered, coveredInPagesBefore ?? -Infinity, Infinity), known)

/** The root with a version that none had before; its diff says how its coverage differs from what was audited. */
export const raiseVersion = (
  root: CoverageRoot,
  audited: Audited,
  given: { readonly covered: RangeSet.RangeSet; readonly nowMs: number }
): CoverageRoot => {
  const before = rootIn(audited)
  const committedAt = Math.max(
    root.committedAt,
    Option.match(before, { onNone: () => 0, onSome: (a) => a.committedAt })
  )
  const known = Option.match(before, { onNone: () => RangeSet.empty, onSome: ({ covered }) => covered })
  // what lost roots had taken away stands again
  const again = Option.match(before, { onNone: () => RangeSet.empty, onSome: (root) => beyond(given.covered, root) })
  return {
    ...root,
    version: Math.max(root.version, audited.version) + rolledBackBy,
    committedAt: Math.max(committedAt + 1, given.nowMs),
    previousRootHash: root.version === 0 ? "" : rootHash(root),
    diff: {
      added: again,
      removed: RangeSet.subtract(known, given.covered),
      jobs: [],
      source: "",
      cause: rolledBackCause
    }
  }
}
