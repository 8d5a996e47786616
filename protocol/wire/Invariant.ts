/**
 * What must always hold in a host, and what is it called where a host tells that it did not?
 *
 * Each has a sentence that says what it claims, and the number of the design's invariant that it stands for. The names
 * are in reports, logs and metrics: one that is there stays.
 */
import { Schema } from "effect"

/** What must always hold, by name. A violation is counted and told, and changes nothing by itself. */
export const invariants = {
  /** Whoever is fenced finds a later epoch, never another write of its own. */
  oneWriter: { claim: "one activation writes a record in its epoch", design: 1 },
  epochGrows: { claim: "the epoch of a record never goes back", design: 2 },
  revisionGrows: { claim: "a write that was acknowledged has a later revision than what it replaced", design: 2 },
  /** Broken where storage was rolled back: by a power failure without fsync, or by an old backup. */
  storageKept: { claim: "what was acknowledged is still stored", design: 3 },
  coverageKept: { claim: "a chunk that replaces another covers all that the other covered", design: 3 },
  auditContinues: { claim: "the audit stream has every root, each linked to the one before it", design: 3 },
  completedOnce: { claim: "a run of a window that has succeeded stays as it was", design: 4 },
  coverageForward: { claim: "a root that is known on a host is followed by later versions only", design: 5 },
  endedOnce: { claim: "a message ends once", design: 6 },
  startedInTime: { claim: "nothing is begun with after its deadline", design: 7 },
  firedOnce: { claim: "a timer that took effect is gone", design: 9 },
  withinLimits: { claim: "what is held is not more than its limit", design: 10 },
  drainLosesNothing: { claim: "a host that has drained holds nothing", design: 11 }
} as const

/** The name of an invariant. */
export type Invariant = keyof typeof invariants

/** How often each invariant did not hold, by name; those that always held are absent. */
export const ViolationCounts = Schema.Record(Schema.String, Schema.Int)
export type ViolationCounts = typeof ViolationCounts.Type
