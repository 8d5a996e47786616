/**
 * What has changed below, as the finer series' history tells it?
 *
 * Pure. Versions are taken in their order, each once; between two that follow each other nothing is left out. Where one
 * is missing (storage was rolled back, or the history does not reach so far back any more) nobody knows what changed,
 * and all may have.
 */
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { AuditedRoot } from "../../protocol/messages/LoggedRoot.ts"

/** What is looked at in a root: which it is, and what it changed. */
export interface ChangedRoot extends Pick<AuditedRoot, "version"> {
  readonly diff: Pick<AuditedRoot["diff"], "removed" | "revised">
}

/** How far changes have been taken, and what they come to. */
export interface Taken {
  readonly version: number
  /** Time of bars that are not there any more, or not as they were. */
  readonly touched: RangeSet.RangeSet
  /** Whether anything may have changed besides. */
  readonly isBroken: boolean
}

/** Nothing taken yet behind a version. */
export const from = (version: number): Taken => ({ version, touched: RangeSet.empty, isBroken: false })

/** With one more root of the history; one that was taken before changes nothing. */
export const take = (taken: Taken, { diff: { removed, revised = RangeSet.empty }, version }: ChangedRoot): Taken => {
  if (version <= taken.version) return taken
  return {
    version,
    touched: RangeSet.unionAll([taken.touched, removed, revised]),
    isBroken: taken.isBroken || version !== taken.version + 1
  }
}
