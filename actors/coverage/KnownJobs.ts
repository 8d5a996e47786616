/**
 * What is known here of a series' job records?
 *
 * What was last seen of them, so that most demands need no read. The records themselves are the truth: a change is
 * written upon the revision that is known here, and a conflict means that it is time to look again.
 */
import { Effect, Option } from "effect"
import { type BackfillJob, hasEnded, jobId } from "../../protocol/history/BackfillJob.ts"
import type { Series } from "../../protocol/history/Series.ts"
import { jobKey, readJob } from "../../protocol/messages/Backfill.ts"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { revisionOf } from "../../runtime/compareAndSet.ts"
import { clockMs } from "../../runtime/Deadline.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import type { KnownJob } from "./planJobs.ts"

/** The job records of one series, as last seen; each by its key. */
export interface KnownJobs {
  readonly get: (key: string) => KnownJob | undefined
  readonly set: (known: KnownJob) => void
  /** Nobody knows what became of a change of the record: it is looked at when records are read again. */
  readonly doubt: (key: string) => void
  /** Reads these records again, and those in doubt. */
  readonly refresh: (keys: ReadonlyArray<string>) => Effect.Effect<void, MeshUnavailable>
  /** Lists all records again, unless they have been listed often enough to have all that an earlier owner opened. */
  readonly relist: Effect.Effect<void, MeshUnavailable>
  /** Whether they have. */
  readonly isListed: () => boolean
  /** Reads one record from the leader, whatever was known of it. */
  readonly look: (key: string) => Effect.Effect<void, MeshUnavailable>
  /** The jobs that have not come to their end: whose runs go on, and those that wait for the next. */
  readonly unfinished: () => ReadonlyArray<KnownJob>
  /** The jobs that wait for a person. */
  readonly quarantined: () => ReadonlyArray<KnownJob>
  /** Forgets jobs that have ended, which are read again when they are asked for. */
  readonly prune: () => void
  readonly subjectOf: (key: string) => string
}

/** A list is from any replica, which may lack what was written last; a second one, some time later, has it. */
const listingsMin = 2
/** Records in doubt that are looked at together. */
const looksAtOnce = 32
/** One that was the leader may go on for so long to say what it knew then: what was seen since stands. */
const leaderBehindMs = 5000

/**
 * Whether a run that had succeeded did not stay as it was. A record that is expired is followed by one that waits, and
 * counts its runs from 1 again.
 */
const isUndone = (before: BackfillJob, next: BackfillJob): boolean =>
  before.state === "SUCCEEDED" && before.run === next.run && before.nonce !== next.nonce && next.state !== "PENDING"

/** Lists records until they have been listed often enough. */
const makeListing = (list: Effect.Effect<unknown, MeshUnavailable>): Pick<KnownJobs, "relist" | "isListed"> => {
  let listings = 0
  const isListed = (): boolean => listings >= listingsMin
  const listOnce = Effect.map(list, () => void (listings += 1))
  return { isListed, relist: Effect.suspend(() => (isListed() ? Effect.void : listOnce)) }
}

/** What is remembered of records, and since when. */
const makeMemory = Effect.fnUntraced(function* (seriesKey: string) {
  const note = yield* Invariants.noting
  const nowMs = yield* clockMs
  const known = new Map<string, KnownJob>()
  /** When each was last seen to stand, on the monotonic clock. */
  const seenAtMs = new Map<string, number>()

  const set = (next: KnownJob): void => {
    const key = jobKey(next.job)
    const before = known.get(key)
    if (before !== undefined && before.revision > next.revision) return
    seenAtMs.set(key, nowMs())
    // storage that was rolled back gives a revision again, to another record
    if (before?.revision === next.revision && before.job.nonce === next.job.nonce) return
    note("completedOnce", before === undefined || !isUndone(before.job, next.job), () => ({
      series: seriesKey,
      job: jobId(next.job),
      before: { revision: before?.revision, fence: before?.job.fence, state: before?.job.state },
      after: { revision: next.revision, fence: next.job.fence, state: next.job.state }
    }))
    known.set(key, next)
  }
  return {
    known,
    set,
    remember: ({ revision, value }: Pick<Stored, "revision" | "value">): void => {
      Option.map(readJob(value), (job) => set({ job, revision }))
    },
    isJustSeen: (key: string): boolean => nowMs() - (seenAtMs.get(key) ?? -Infinity) < leaderBehindMs,
    prune: (): void => {
      for (const [key, { job }] of known) {
        if (hasEnded(job) && job.state !== "QUARANTINED") known.delete(key)
      }
      for (const key of seenAtMs.keys()) if (!known.has(key)) seenAtMs.delete(key)
    }
  }
})

/** Records of which nobody knows what became of a change, until they are looked at. */
const makeDoubts = (look: KnownJobs["look"]) => {
  const inDoubt = new Set<string>()
  return {
    add: (key: string): void => void inDoubt.add(key),
    settle: Effect.suspend(() =>
      Effect.forEach(Array.from(inDoubt), (key) => Effect.map(look(key), () => void inDoubt.delete(key)), {
        concurrency: looksAtOnce,
        discard: true
      })
    )
  }
}

const notListed =
  (series: string) =>
  ({ message: reason }: MeshUnavailable) =>
    Effect.logWarning("jobs not listed", { series, reason })

const subjectOf = (key: string): string => keySubject(Stream.jobs, key)

/** Follows the job records of a series for as long as the scope lives. */
export const follow = Effect.fnUntraced(function* (series: Series) {
  const mesh = yield* Mesh
  const seriesKey = Subject.series(series.nodeId, series.interval)
  const { isJustSeen, known, prune, remember, set } = yield* makeMemory(seriesKey)
  const readAll = (subjects: ReadonlyArray<string>) =>
    Effect.map(mesh.readMany(Stream.jobs.name, subjects), (stored) => {
      stored.forEach(remember)
      return new Map(stored.map(({ revision, subject }) => [subject, revision]))
    })

  yield* mesh.subscribe(Announcement.changedUnder("jobs", seriesKey), (message) => {
    const revision = Number(message.headers.get("Nats-Sequence"))
    if (Number.isFinite(revision)) remember({ revision, value: Option.some(message.data) })
  })
  const listing = makeListing(readAll([keySubject(Stream.jobs, `${seriesKey}.*`)]))
  // more records than one read gives is no fault: what is not seen here is seen when it is asked for
  yield* Effect.catchTag(listing.relist, "MeshUnavailable", notListed(seriesKey))

  const take = (key: string, stored: Option.Option<Stored>): void => {
    known.delete(key)
    Option.map(stored, remember)
  }
  const readOne = (key: string) => mesh.read(Stream.jobs.name, subjectOf(key))
  const look = (key: string) => Effect.map(readOne(key), (stored) => take(key, stored))
  /** Reads one record from the leader, which may lack what was seen just now. */
  const confirm = Effect.fnUntraced(function* (key: string) {
    const stored = yield* readOne(key)
    if (!isJustSeen(key) || revisionOf(stored) >= (known.get(key)?.revision ?? 0)) take(key, stored)
  })
  const doubts = makeDoubts(look)
  const refresh = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
    yield* doubts.settle
    if (keys.length === 0) return
    const found = yield* readAll(keys.map(subjectOf))
    // what had its time, or was lost, is nobody's job any more, and what was rolled back is as it was; but a replica
    // may only lag, so the leader is asked
    for (const key of keys) {
      const before = known.get(key)
      if (before !== undefined && (found.get(subjectOf(key)) ?? 0) < before.revision) yield* confirm(key)
    }
  })

  return {
    get: (key) => known.get(key),
    set,
    doubt: doubts.add,
    refresh,
    ...listing,
    look,
    unfinished: () => Array.from(known.values()).filter(({ job }) => !hasEnded(job)),
    quarantined: () => Array.from(known.values()).filter(({ job }) => job.state === "QUARANTINED"),
    prune,
    subjectOf
  } satisfies KnownJobs
})
