/**
 * Does a root go on from what the audit stream says, and if not, how does it go on nevertheless?
 *
 * Pure. A power failure without fsync, or an old backup, can take acknowledged roots away and leave their entries in
 * the audit stream. Their versions were given to readers and are never given again: the next version is far beyond.
 */
import { Option, Schema } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { CoverageRoot, rootHash } from "../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Codec from "../../protocol/wire/Codec.ts"

/** Beyond all versions that may have been given to readers and lost from the audit stream as well. */
const raiseBy = 2 ** 20

/** The cause of a root that only raises the version. */
const raiseCause = "storageRolledBack"

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
  if (root.diff.cause === raiseCause) return "fits"
  const isFirst = root.version === 1 && audited.version === 0
  return isFirst || (root.version === audited.version + 1 && isNextOf(root, audited)) ? "fits" : "broken"
}

/** The root with a version that none had before; its diff says what of the audited coverage is lost. */
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
  return {
    ...root,
    version: Math.max(root.version, audited.version) + raiseBy,
    committedAt: Math.max(committedAt + 1, given.nowMs),
    previousRootHash: root.version === 0 ? "" : rootHash(root),
    diff: {
      added: RangeSet.empty,
      removed: RangeSet.subtract(known, given.covered),
      jobs: [],
      source: "",
      cause: raiseCause
    }
  }
}
