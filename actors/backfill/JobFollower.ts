/**
 * How does one who waits for a job learn that it has ended?
 *
 * Every change of a job record is announced on core NATS. One subscription a host serves all who wait; announcements
 * can get lost, so the records that are waited for are also looked at now and then.
 */
import { Deferred, Effect, Layer, Option, Schedule } from "effect"
import { type BackfillJob, isFinal } from "../../protocol/history/BackfillJob.ts"
import { Backfill, jobKey, readJob } from "../../protocol/messages/Backfill.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import { Mesh } from "../../runtime/Mesh.ts"

const lookEvery = "1 second"

interface Waiter {
  readonly run: number
  readonly settled: Deferred.Deferred<BackfillJob>
}

const hasSettled = (job: BackfillJob, run: number): boolean => job.run > run || (job.run === run && isFinal(job))

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const waiting = new Map<string, Set<Waiter>>()

  const tell = (job: BackfillJob): void => {
    for (const waiter of waiting.get(jobKey(job)) ?? []) {
      if (hasSettled(job, waiter.run)) Deferred.doneUnsafe(waiter.settled, Effect.succeed(job))
    }
  }

  const newest = (keys: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<BackfillJob>, MeshUnavailable> =>
    keys.length === 0
      ? Effect.succeed([])
      : Effect.map(
          mesh.readMany(
            Stream.jobs.name,
            keys.map((key) => keySubject(Stream.jobs, key))
          ),
          (stored) => stored.flatMap(({ value }) => Option.toArray(readJob(value)))
        )

  const look = (keys: ReadonlyArray<string>) => Effect.map(newest(keys), (jobs) => jobs.forEach(tell))

  const register = (job: BackfillJob): Effect.Effect<Waiter> =>
    Effect.sync(() => {
      const waiter: Waiter = { run: job.run, settled: Deferred.makeUnsafe() }
      const waiters = waiting.get(jobKey(job)) ?? new Set()
      waiting.set(jobKey(job), waiters.add(waiter))
      return waiter
    })

  const leave = (job: BackfillJob, waiter: Waiter): Effect.Effect<void> =>
    Effect.sync(() => {
      const waiters = waiting.get(jobKey(job))
      waiters?.delete(waiter)
      if (waiters?.size === 0) waiting.delete(jobKey(job))
    })

  const settledOne = (job: BackfillJob): Effect.Effect<BackfillJob> =>
    isFinal(job)
      ? Effect.succeed(job)
      : Effect.acquireUseRelease(
          register(job),
          ({ settled }) => Deferred.await(settled),
          (waiter) => leave(job, waiter)
        )

  yield* mesh.subscribe(Announcement.changed("jobs"), ({ data, subject }) => {
    // every change of every job passes here, and somebody waits for few of them
    if (!waiting.has(Option.getOrElse(Announcement.changedKey("jobs", subject), () => ""))) return
    Option.map(readJob(Option.some(data)), tell)
  })
  yield* Effect.suspend(() => look(Array.from(waiting.keys()))).pipe(
    Effect.ignore,
    Effect.repeat(Schedule.spaced(lookEvery)),
    Effect.forkScoped
  )

  return Backfill.of({
    settled: (jobs) =>
      Effect.gen(function* () {
        const all = Effect.forEach(jobs, settledOne, { concurrency: "unbounded" })
        // a run may have ended between the moment it was told of and this one
        const keys = jobs.filter((job) => !isFinal(job)).map(jobKey)
        const [settled] = yield* Effect.all([all, Effect.ignore(Effect.suspend(() => look(keys)))], { concurrency: 2 })
        return settled
      }),
    newest: (series, windowStarts) => newest(windowStarts.map((windowStart) => jobKey({ series, windowStart })))
  })
})

/** Follows all jobs of the cluster. */
export const layer: Layer.Layer<Backfill, MeshUnavailable, Mesh> = Layer.effect(Backfill, make)
