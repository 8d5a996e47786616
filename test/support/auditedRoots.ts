/** Which histories of roots do the tests run on? */
import * as fc from "fast-check"
import { Option, Schema } from "effect"
import { type AuditEntry, fromStored } from "../../actors/admin/AuditEntry.ts"
import { CoverageRoot, initial, rootHash } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { series } from "./jobs.ts"
import { rangeSet } from "./rangeSets.ts"

const encode = Schema.encodeSync(CoverageRoot)

/** The root of the series before anything. */
export const none = initial(series, { windowBars: 10, schemaVersion: 1 })

/** What a commit adds or takes away; by which source, job and request is told from its version. */
export interface Step {
  readonly added?: RangeSet.RangeSet
  readonly removed?: RangeSet.RangeSet
  readonly changes?: Partial<CoverageRoot>
}

/** The root after a commit; its diff has no more than really changes. */
export const rootAfter = (
  before: CoverageRoot,
  { added = RangeSet.empty, changes = {}, removed = RangeSet.empty }: Step
): CoverageRoot => {
  const covered = RangeSet.subtract(RangeSet.union(before.covered, added), removed)
  const version = before.version + 1
  return {
    ...before,
    version,
    committedAt: before.committedAt + 10,
    ...InlineCoverage.split(covered),
    previousRootHash: before.version === 0 ? "" : rootHash(before),
    diff: {
      added: RangeSet.subtract(covered, before.covered),
      removed: RangeSet.subtract(before.covered, covered),
      jobs: [`0.${version}`],
      source: "binance",
      cause: `request-${version}`
    },
    ...changes
  }
}

/** The roots after each of these commits. */
export const rootsOf = (steps: ReadonlyArray<Step>): ReadonlyArray<CoverageRoot> => {
  const roots: Array<CoverageRoot> = []
  for (const step of steps) roots.push(rootAfter(roots.at(-1) ?? none, step))
  return roots
}

/** A root in the bytes that it has in the audit stream, with whatever a later build has in it. */
export const bytesOfRoot = (root: CoverageRoot, more: object = {}): Uint8Array =>
  Codec.toJson({ ...encode(root), ...more })

/** The entries of the audit stream in which the roots are, each at ten times its place. */
export const entriesOf = (roots: ReadonlyArray<CoverageRoot>): ReadonlyArray<AuditEntry> =>
  roots.map((root, index) =>
    fromStored({ subject: "", revision: (index + 1) * 10, value: Option.some(bytesOfRoot(root)) })
  )

/** Commits that add and take away time of a short stretch. */
export const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: rangeSet.map((added): Step => ({ added })) },
    { weight: 1, arbitrary: rangeSet.map((removed): Step => ({ removed })) },
    { weight: 1, arbitrary: fc.record({ added: rangeSet, removed: rangeSet }) }
  ),
  { maxLength: 8 }
)
