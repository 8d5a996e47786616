/**
 * Which roots are known here, and which of them may still be told to a reader?
 *
 * The newest that was read of each series, until a newer one is announced, or nobody has looked for a while. A root
 * never gives way to an earlier one.
 */
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import type { Note } from "../../runtime/Invariants.ts"

// announcements can get lost: no root is trusted for longer without a look
const trustedMs = 5000

/** A root as it was read. */
export interface KnownRoot {
  readonly view: CoverageView
  readonly revision: number
  readonly readAtMs: number
}

/** The roots that are known, by the keys of their series. */
interface KnownRoots {
  /** A record of this revision was announced. */
  readonly announce: (key: string, revision: number) => void
  /** Keeps what was read, unless a later one is known. */
  readonly add: (key: string, read: KnownRoot) => void
  /** The root that may be told now; undefined where it has to be read. */
  readonly fresh: (key: string, minVersion: number, nowMs: number) => KnownRoot | undefined
  /** The root that was read last, whether or not it may still be told as what stands. */
  readonly last: (key: string) => KnownRoot | undefined
  /**
   * Gives up what was announced or known of a series where what stands, as its leader says, is of an earlier revision
   * again and again: storage was rolled back, and what stands counts.
   */
  readonly yieldTo: (key: string, standing: KnownRoot) => void
  /** Trusts none any more, for announcements may have been missed, and what they said may be void. */
  readonly clear: () => void
}

/** Asserts that a reader may go from one root to the other. */
const checkFollowing = (note: Note, key: string, before: KnownRoot, next: KnownRoot): void => {
  const [from, to] = [before.view.root, next.view.root]
  const details = () => ({
    series: key,
    before: { version: from.version, revision: before.revision },
    after: { version: to.version, revision: next.revision }
  })
  note("storageKept", next.revision >= before.revision, () => ({ ...details(), alarm: "StorageRolledBack" }))
  note("coverageForward", to.version >= from.version, details)
  // of steps that were not seen here nobody knows what they removed
  if (to.version !== from.version + 1 || !isEmpty(to.diff.removed)) return
  note("coverageKept", RangeSet.contains(next.view.covered, before.view.covered), details)
}

/** Nothing is known yet. */
export const make = (note: Note): KnownRoots => {
  const known = new Map<string, KnownRoot>()
  /** Those that are trusted no more, too: the last resort of who can't read what stands. */
  const last = new Map<string, KnownRoot>()
  const announced = new Map<string, number>()

  const add = (key: string, read: KnownRoot): void => {
    const before = known.get(key)
    if (before !== undefined) {
      const isEarlier = read.revision < before.revision
      const isLater = read.view.root.version > before.view.root.version
      // versions never go back: an older answer than the one that is known came from a replica that lags
      if (isEarlier && !isLater) return
      checkFollowing(note, key, before, read)
      // storage was rolled back, and its owner goes on: what was announced before is void
      if (isEarlier) announced.set(key, read.revision)
    }
    known.set(key, read)
    last.set(key, read)
  }
  return {
    announce: (key, revision) => void announced.set(key, Math.max(revision, announced.get(key) ?? 0)),
    add,
    fresh: (key, minVersion, nowMs) => {
      const found = known.get(key)
      if (found === undefined || found.revision < (announced.get(key) ?? 0)) return undefined
      return found.view.root.version >= minVersion && nowMs - found.readAtMs < trustedMs ? found : undefined
    },
    last: (key) => last.get(key),
    yieldTo: (key, standing) => {
      const before = known.get(key)
      const expected = Math.max(before?.revision ?? 0, announced.get(key) ?? 0)
      if (standing.revision >= expected) return
      note("storageKept", false, () => ({
        series: key,
        alarm: "StorageRolledBack",
        known: { version: before?.view.root.version, revision: expected },
        stands: { version: standing.view.root.version, revision: standing.revision }
      }))
      announced.delete(key)
      known.set(key, standing)
      last.set(key, standing)
    },
    clear: () => {
      known.clear()
      announced.clear()
    }
  }
}
