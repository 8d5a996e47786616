/**
 * Who works on a window, and who knows?
 *
 * One job a window, whoever asks: claim, renew, complete, fail, release. The record in KV decides, by
 * compare-and-set; the queue only says that there is work. A claim's revision is its token: a holder whose lease went
 * to another learns it at its next write. What happened is told to whoever listens, once at most.
 */
import { Clock, Context, Data, Effect, Layer, Option, Random } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { type BackfillJob, isFinal, JobClass, type JobFailure } from "../../protocol/history/BackfillJob.ts"
import { jobEvent, jobTtl, readJob, writeJob } from "../../protocol/messages/Backfill.ts"
import { defaults, type RetrySettings } from "../../protocol/Settings.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import { compareAndSet } from "../../runtime/compareAndSet.ts"
import * as LeaseWatch from "../../runtime/LeaseWatch.ts"
import { LiveHosts } from "../../runtime/LiveHosts.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import { randomId } from "../../runtime/randomId.ts"
import * as jobStep from "./jobStep.ts"

/** A job in this host's hands. */
export interface Held {
  /** The key of its record. */
  readonly key: string
  readonly job: BackfillJob
  readonly revision: number
  /** Removes the queue's entry that led to it; where it is absent, the entry is removed by its name. */
  readonly removeEntry?: Effect.Effect<void>
}

/** Another has the job now; whatever this holder still does for it changes nothing. */
export class LeaseLost extends Data.TaggedError("LeaseLost")<{ readonly key: string }> {}

type Outcome = MeshUnavailable | LeaseLost

/** What is known of a window when it is claimed. */
export interface ClaimOptions {
  /** The generation upon which the claim was planned. */
  readonly generation?: number
  /** Removes the queue's entry that led to the claim. */
  readonly removeEntry?: Effect.Effect<void>
}

/** Why a run failed. */
export interface Failure {
  readonly failure: JobFailure
  /** How long its source asks to be left alone, in milliseconds; 0 where it does not. */
  readonly retryAfterMs: number
  /** Whether it brings the window nearer to its quarantine; it does unless told otherwise. */
  readonly isAttempt?: boolean
}

/** What became of a try to get a job. */
export type Claimed =
  | { readonly _tag: "Held"; readonly held: Held }
  /** There is nothing to do for the window any more: its queue entry can go. */
  | { readonly _tag: "Over" }
  /** Someone works on it, or took it first. */
  | { readonly _tag: "Taken" }
  /** The window is not as it was when the claim was planned, but of this generation: plan again. */
  | { readonly _tag: "Stale"; readonly generation: number }

/** One job a window, whoever asks. */
export class BackfillCoordinator extends Context.Service<
  BackfillCoordinator,
  {
    /**
     * Claims the window of a key, for so many milliseconds unless it is renewed. A claim that says upon what it was
     * planned is refused where the job is another by now.
     */
    readonly claim: (key: string, leaseMs: number, options?: ClaimOptions) => Effect.Effect<Claimed, MeshUnavailable>
    /** Claims those of the jobs, of these classes, that wait for someone or whose holder is gone. */
    readonly claimFollowing: (
      keys: ReadonlyArray<string>,
      leaseMs: number,
      classes?: ReadonlyArray<JobClass>
    ) => Effect.Effect<ReadonlyArray<Held>, MeshUnavailable>
    /** Prolongs the lease from now; gives the job as it is held from then on. */
    readonly renew: (held: Held) => Effect.Effect<Held, Outcome>
    /** Ends the run: all that the source has to say was said. To say it again changes nothing. */
    readonly complete: (held: Held, progress: jobStep.Progress) => Effect.Effect<void, Outcome>
    /** Ends the run with what was brought; the rest waits for another, or for a person where too many failed. */
    readonly fail: (held: Held, progress: jobStep.Progress, failure: Failure) => Effect.Effect<void, Outcome>
    /** Gives the job back as it is: the next claim need not wait for the lease's end. */
    readonly release: (held: Held) => Effect.Effect<void, Outcome>
  }
>()("seamless/backfill/BackfillCoordinator") {}

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

/** Tells what happened to whoever listens; nobody waits for it. */
const tell = (mesh: Mesh["Service"], before: BackfillJob, job: BackfillJob): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
    const event = jobEvent(before, job, nowMs)
    return event === undefined ? Effect.void : Effect.ignore(mesh.publish(event.subject, event.data))
  })

const write = (mesh: Mesh["Service"], held: Held, job: BackfillJob): Effect.Effect<Held, Outcome> =>
  compareAndSet(mesh, {
    stream: Stream.jobs.name,
    subject: subjectOf(held.key),
    data: writeJob(job),
    expect: held.revision,
    ...jobTtl(job),
    // a holder may come back after another has ended the run, and its record has had its time
    canExpire: true,
    isOurs: wasWrittenBy(job.nonce)
  }).pipe(
    Effect.map((revision) => ({ ...held, job, revision })),
    Effect.tap(tell(mesh, held.job, job)),
    Effect.catchTag("RevisionConflict", () => Effect.fail(new LeaseLost({ key: held.key })))
  )

/** Claiming: whether a job is to be had, and the write that takes it. */
const makeClaims = Effect.gen(function* () {
  const mesh = yield* Mesh
  const hosts = yield* LiveHosts
  const watch = yield* LeaseWatch.make

  const hasEnded = ({ job: { lease }, key, revision }: Held): Effect.Effect<boolean, MeshUnavailable> =>
    lease === null ? Effect.succeed(true) : watch.hasEnded({ key, revision, ...lease })

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
    watch.forget(standing.key)
    return yield* write(mesh, standing, job).pipe(
      Effect.map(Option.some),
      Effect.catchTag("LeaseLost", () => Effect.succeed(Option.none<Held>()))
    )
  })

  const claim = Effect.fn(Span.backfillClaim)(function* (
    key: string,
    leaseMs: number,
    { generation: planned, removeEntry }: ClaimOptions = {}
  ) {
    const stored = yield* mesh.read(Stream.jobs.name, subjectOf(key))
    const standing = Option.flatMap(stored, standingOf)
    if (Option.isNone(standing) || isFinal(standing.value.job)) {
      watch.forget(key)
      return { _tag: "Over" } as const
    }
    const { generation } = standing.value.job
    if (planned !== undefined && planned !== generation) return { _tag: "Stale", generation } as const
    return Option.match(yield* take(standing.value, leaseMs), {
      onNone: () => ({ _tag: "Taken" }) as const,
      onSome: (held) =>
        ({ _tag: "Held", held: { ...held, ...(removeEntry !== undefined && { removeEntry }) } }) as const
    })
  })

  const claimFollowing = Effect.fnUntraced(function* (
    keys: ReadonlyArray<string>,
    leaseMs: number,
    classes: ReadonlyArray<JobClass> = JobClass.literals
  ) {
    const stored = yield* mesh.readMany(Stream.jobs.name, keys.map(subjectOf))
    const standing = stored.flatMap((found) => Option.toArray(standingOf(found)))
    const gone = yield* deadHolders(standing)
    const isFree = ({ job }: Held): boolean => job.state === "PENDING" || gone.has(job.lease?.holder ?? "")
    const waiting = standing.filter((held) => classes.includes(held.job.jobClass) && isFree(held))
    // all at once: other workers are about to take them one by one, and each that they get splits the run
    const taken = yield* Effect.forEach(waiting, (standing) => take(standing, leaseMs), { concurrency: "unbounded" })
    return taken.flatMap(Option.toArray)
  })
  return { claim, claimFollowing }
})

/** Whether the holder has completed the run before. */
const isCompleted = (mesh: Mesh["Service"], { job, key }: Held): Effect.Effect<boolean, MeshUnavailable> =>
  Effect.map(mesh.read(Stream.jobs.name, subjectOf(key)), (stored) =>
    Option.exists(
      Option.flatMap(stored, standingOf),
      ({ job: standing }) => standing.state === "SUCCEEDED" && standing.run === job.run && standing.fence === job.fence
    )
  )

const make = Effect.fnUntraced(function* (policy: jobStep.RetryPolicy) {
  const mesh = yield* Mesh
  const claims = yield* makeClaims

  const change = (held: Held, next: (nonce: string) => BackfillJob) =>
    Effect.flatMap(randomId, (nonce) => write(mesh, held, next(nonce)))

  // only who has ended the run: an entry is whoever's has it by then. The record has decided: an entry that can't be
  // taken out now is taken out by whoever is given it
  const dequeue = ({ job: { jobClass }, key, removeEntry }: Held) =>
    Effect.ignore(
      removeEntry ?? mesh.dequeue(Stream.queue.name, QueueSubject.queuedJob({ jobClass, partition: 0, windowKey: key }))
    )

  return BackfillCoordinator.of({
    ...claims,
    renew: (held) => change(held, (nonce) => jobStep.renew(held.job, nonce)),
    release: (held) => Effect.asVoid(change(held, (nonce) => jobStep.release(held.job, nonce))),
    complete: (held, progress) =>
      change(held, (nonce) => jobStep.complete(held.job, progress, nonce)).pipe(
        Effect.catchTag("LeaseLost", (lost) =>
          Effect.flatMap(isCompleted(mesh, held), (isDone) => (isDone ? Effect.void : Effect.fail(lost)))
        ),
        Effect.andThen(dequeue(held))
      ),
    fail: Effect.fnUntraced(function* (held: Held, progress: jobStep.Progress, failing: Failure) {
      const at = { nowMs: yield* Clock.currentTimeMillis, jitter: yield* Random.next }
      const why = { isAttempt: true, ...failing, ...at, policy }
      yield* change(held, (nonce) => jobStep.fail(held.job, progress, { ...why, nonce }))
      yield* dequeue(held)
    })
  })
})

/** What the settings say of retries, with what holds where they say nothing. */
const retryPolicy = ({ attempts, baseMs, maxMs }: RetrySettings = {}): jobStep.RetryPolicy => ({
  attemptsMax: attempts ?? defaults.retryAttempts,
  baseMs: baseMs ?? defaults.retryBaseMs,
  maxMs: maxMs ?? defaults.retryMaxMs
})

/** Coordination through job records in KV. */
export const layer = (settings?: RetrySettings): Layer.Layer<BackfillCoordinator, never, Mesh | LiveHosts> =>
  Layer.effect(BackfillCoordinator, make(retryPolicy(settings)))
