/**
 * What is told of many jobs, of which few are shown?
 *
 * Records are added in the order in which they were changed, and one that has changed meanwhile comes again. Counted
 * are all of them; kept are the newest of those that are asked for. Pure but for itself.
 */
import { Option, Schema } from "effect"
import { hasEnded, JobState } from "../../protocol/history/BackfillJob.ts"
import type { ListedState } from "../../protocol/messages/JobAdmin.ts"
import type { JobCounts } from "../../protocol/messages/JobErrors.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { Stored } from "../../runtime/Mesh.ts"

/** What of a record says where it is counted: the rest is read of those alone that are shown. */
const Head = Schema.Struct({ state: JobState, nextAttemptAt: Schema.NullOr(Schema.Finite) })
type Head = typeof Head.Type

const readHead = Schema.decodeUnknownOption(Head)

const isListed = (head: Head, wanted: ListedState | undefined): boolean =>
  wanted === undefined || (wanted === "open" ? !hasEnded(head) : head.state === wanted)

/** No job in any state. */
const noCounts: JobCounts = { PENDING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0, EXPIRED: 0, QUARANTINED: 0 }

/** How many of these there are in each state. */
export const countsOf = (states: Iterable<JobState>): JobCounts => {
  const counts = { ...noCounts }
  for (const state of states) counts[state] += 1
  return counts
}

/** What was seen of the jobs so far. */
export interface JobTally {
  readonly add: (records: ReadonlyArray<Stored>) => void
  /** How many records there were. */
  readonly lookedAt: () => number
  readonly counts: () => JobCounts
  /** How many of them are of the state that is asked for. */
  readonly total: () => number
  /** The newest of those, the newest first, as they are stored. */
  readonly newest: () => ReadonlyArray<Uint8Array>
}

/** Counts jobs, and keeps so many of those in the state. */
export const make = (wanted: ListedState | undefined, limit: number): JobTally => {
  const seen = new Map<string, { readonly state: JobState; readonly isListed: boolean }>()
  // in the order in which they were changed
  const kept = new Map<string, Uint8Array>()

  const addOne = ({ subject, value }: Stored): void => {
    kept.delete(subject)
    const bytes = Option.getOrUndefined(value)
    const head = Option.getOrUndefined(
      Option.flatMap(bytes === undefined ? Option.none() : Codec.fromJson(bytes), readHead)
    )
    if (bytes === undefined || head === undefined) {
      seen.delete(subject)
      return
    }
    const listed = isListed(head, wanted)
    seen.set(subject, { state: head.state, isListed: listed })
    if (!listed) return
    kept.set(subject, bytes)
    const [oldest] = kept.keys()
    if (kept.size > limit && oldest !== undefined) kept.delete(oldest)
  }

  return {
    add: (records) => records.forEach(addOne),
    lookedAt: () => seen.size,
    counts: () => countsOf(Array.from(seen.values(), ({ state }) => state)),
    total: () => Array.from(seen.values()).filter(({ isListed }) => isListed).length,
    newest: () => Array.from(kept.values()).toReversed()
  }
}
