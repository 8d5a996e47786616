/**
 * Who works on a window, and who knows?
 *
 * One job a window, whoever asks: claim, renew, complete, fail, release. The record in KV decides, by
 * compare-and-set; the queue only says that there is work. A claim's revision is its token: a holder whose lease went
 * to another learns it at its next write.
 */
import { Clock, Context, Data, Effect, Layer, Option, Random } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { type BackfillJob, isFinal, type JobFailure } from "../../protocol/history/BackfillJob.ts"
import { readJob, writeJob } from "../../protocol/messages/Backfill.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import { compareAndSet } from "../../runtime/compareAndSet.ts"
import { monotonicMs } from "../../runtime/Deadline.ts"
import { LiveHosts } from "../../runtime/LiveHosts.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import { randomId } from "../../runtime/randomId.ts"
import * as jobStep from "./jobStep.ts"

/** A job in this host's hands. */
export interface Held {
  /** The window's key. */
  readonly key: string
  readonly job: BackfillJob
  readonly revision: number
}

/** Another has the job now; whatever this holder still does for it changes nothing. */
export class LeaseLost extends Data.TaggedError("LeaseLost")<{ readonly key: string }> {}

type Outcome = MeshUnavailable | LeaseLost

/** Why a run failed, and how long its source asks to be left alone, in milliseconds. */
export interface Failure {
  readonly failure: JobFailure
  readonly retryAfterMs: number
}

/** What became of a try to get a job. */
export type Claimed =
  | { readonly _tag: "Held"; readonly held: Held }
  /** There is nothing to do for the window any more: its queue entry can go. */
  | { readonly _tag: "Over" }
  /** Someone works on it, or took it first. */
  | { readonly _tag: "Taken" }

/** One job a window, whoever asks. */
export class BackfillCoordinator extends Context.Service<
  BackfillCoordinator,
  {
    readonly claim: (key: string, leaseMs: number) => Effect.Effect<Claimed, MeshUnavailable>
    /** Claims those of the windows that wait for someone, or whose holder is gone. */
    readonly claimFollowing: (
      keys: ReadonlyArray<string>,
      leaseMs: number
    ) => Effect.Effect<ReadonlyArray<Held>, MeshUnavailable>
    readonly renew: (held: Held) => Effect.Effect<Held, Outcome>
    readonly complete: (held: Held, progress: jobStep.Progress) => Effect.Effect<void, Outcome>
    readonly fail: (held: Held, progress: jobStep.Progress, failure: Failure) => Effect.Effect<void, Outcome>
    readonly release: (held: Held) => Effect.Effect<void, Outcome>
  }
>()("seamless/backfill/BackfillCoordinator") {}

/** Ended records are kept for a week. */
const finalTtlSeconds = 7 * 24 * 3600

const wasWrittenBy =
  (nonce: string) =>
  ({ value }: Stored): boolean =>
    Option.exists(readJob(value), (job) => job.nonce === nonce)

const subjectOf = (key: string): string => keySubject(Stream.jobs, key)

const standingOf = (stored: Stored): Option.Option<Held> =>
  Option.map(readJob(stored.value), (job) => ({
    key: keyOf(Stream.jobs, stored.subject),
    job,
    revision: stored.revision
  }))

const write = (mesh: Mesh["Service"], held: Held, job: BackfillJob): Effect.Effect<Held, Outcome> =>
  compareAndSet(mesh, {
    stream: Stream.jobs.name,
    subject: subjectOf(held.key),
    data: writeJob(job),
    expect: held.revision,
    ...(isFinal(job) && job.state !== "QUARANTINED" ? { ttlSeconds: finalTtlSeconds } : {}),
    // a holder may come back after another has ended the run, and its record has had its time
    canExpire: true,
    isOurs: wasWrittenBy(job.nonce)
  }).pipe(
    Effect.map((revision) => ({ key: held.key, job, revision })),
    Effect.catchTag("RevisionConflict", () => Effect.fail(new LeaseLost({ key: held.key })))
  )

/** Claiming: whether a job is to be had, and the write that takes it. */
const makeClaims = Effect.gen(function* () {
  const mesh = yield* Mesh
  const hosts = yield* LiveHosts
  /** When each running record was first seen as it is: a lease also ends when nothing of it moves for its length. */
  const seen = new Map<string, { readonly revision: number; readonly sinceMs: number }>()

  const hasEnded = Effect.fnUntraced(function* ({ job, key, revision }: Held) {
    if (job.lease === null) return true
    if (yield* hosts.isDead(job.lease.holder)) return true
    const nowMs = yield* monotonicMs
    const before = seen.get(key)
    if (before?.revision !== revision) seen.set(key, { revision, sinceMs: nowMs })
    return before?.revision === revision && nowMs - before.sinceMs > job.lease.leaseMs
  })

  /** Which of the jobs' holders are gone; each is looked up once. */
  const deadHolders = Effect.fnUntraced(function* (standing: ReadonlyArray<Held>) {
    const holders = new Set(standing.flatMap(({ job }) => (job.state === "RUNNING" ? (job.lease?.holder ?? []) : [])))
    const dead = yield* Effect.filter(holders, hosts.isDead)
    return new Set(dead)
  })

  const take = Effect.fnUntraced(function* (standing: Held, leaseMs: number) {
    const by = { holder: hosts.incarnation, leaseMs, nonce: yield* randomId }
    const leaseEnded = standing.job.state === "RUNNING" && (yield* hasEnded(standing))
    const job = jobStep.claim(standing.job, by, leaseEnded)
    if (job === undefined) return Option.none<Held>()
    seen.delete(standing.key)
    return yield* write(mesh, standing, job).pipe(
      Effect.map(Option.some),
      Effect.catchTag("LeaseLost", () => Effect.succeed(Option.none<Held>()))
    )
  })

  const claim = Effect.fn(Span.backfillClaim)(function* (key: string, leaseMs: number) {
    const stored = yield* mesh.read(Stream.jobs.name, subjectOf(key))
    const standing = Option.flatMap(stored, standingOf)
    if (Option.isNone(standing) || isFinal(standing.value.job)) {
      seen.delete(key)
      return { _tag: "Over" } as const
    }
    return Option.match(yield* take(standing.value, leaseMs), {
      onNone: () => ({ _tag: "Taken" }) as const,
      onSome: (held) => ({ _tag: "Held", held }) as const
    })
  })

  const claimFollowing = Effect.fnUntraced(function* (keys: ReadonlyArray<string>, leaseMs: number) {
    const stored = yield* mesh.readMany(Stream.jobs.name, keys.map(subjectOf))
    const standing = stored.flatMap((found) => Option.toArray(standingOf(found)))
    const gone = yield* deadHolders(standing)
    const waiting = standing.filter(({ job }) => job.state === "PENDING" || gone.has(job.lease?.holder ?? ""))
    // all at once: other workers are about to take them one by one, and each that they get splits the run
    const taken = yield* Effect.forEach(waiting, (standing) => take(standing, leaseMs), { concurrency: "unbounded" })
    return taken.flatMap(Option.toArray)
  })
  return { claim, claimFollowing }
})

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const claims = yield* makeClaims

  const change = (held: Held, next: (nonce: string) => BackfillJob) =>
    Effect.flatMap(randomId, (nonce) => write(mesh, held, next(nonce)))

  const dequeue = ({ job: { jobClass }, key }: Held) =>
    mesh.dequeue(Stream.queue.name, QueueSubject.queuedJob({ jobClass, partition: 0, windowKey: key }))

  return BackfillCoordinator.of({
    ...claims,
    renew: (held) => change(held, (nonce) => jobStep.renew(held.job, nonce)),
    release: (held) => Effect.asVoid(change(held, (nonce) => jobStep.release(held.job, nonce))),
    complete: (held, progress) =>
      Effect.andThen(
        change(held, (nonce) => jobStep.complete(held.job, progress, nonce)),
        dequeue(held)
      ),
    fail: Effect.fnUntraced(function* (held: Held, progress: jobStep.Progress, failing: Failure) {
      const at = { nowMs: yield* Clock.currentTimeMillis, jitter: yield* Random.next }
      yield* change(held, (nonce) => jobStep.fail(held.job, progress, { ...failing, ...at, nonce }))
      yield* dequeue(held)
    })
  })
})

/** Coordination through job records in KV. */
export const layer: Layer.Layer<BackfillCoordinator, never, Mesh | LiveHosts> = Layer.effect(BackfillCoordinator, make)
