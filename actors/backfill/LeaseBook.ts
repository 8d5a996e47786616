/**
 * Which jobs are in this worker's hands, and are they still?
 *
 * The leases of one errand, renewed together while the work goes on. Every write of a record replaces the revision that
 * this book knows, so renewing and ending never race each other.
 */
import { Effect, Schedule, Semaphore } from "effect"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { BackfillCoordinator, Failure, Held, LeaseLost } from "./BackfillCoordinator.ts"
import type { Progress } from "./jobStep.ts"

/** How long a lease lasts that nobody renews. */
export const leaseMs = 5000
const renewEvery = "1 second"

const nothing: Progress = { completed: RangeSet.empty, coverageVersion: 0, requests: 0, passedOver: [] }

/** The leases of one errand. */
export interface LeaseBook {
  /** The jobs that have not been ended. */
  readonly open: () => ReadonlyArray<Held>
  readonly complete: (key: string, progress: Progress) => Effect.Effect<void, MeshUnavailable | LeaseLost>
  readonly fail: (key: string, progress: Progress, failure: Failure) => Effect.Effect<void, MeshUnavailable | LeaseLost>
  /** Ends what has not been ended as failed. */
  readonly failAll: (failure: Failure) => Effect.Effect<void, MeshUnavailable | LeaseLost>
  /** Gives back what has not been ended. */
  readonly releaseAll: Effect.Effect<void>
  /** Renews for ever; fails when a lease is lost. */
  readonly keepRenewing: Effect.Effect<never, MeshUnavailable | LeaseLost>
}

/** A book of leases that were just claimed; `onRenew` is run with each round of renewals. */
export const open = (
  coordinator: Pick<BackfillCoordinator["Service"], "renew" | "complete" | "fail" | "release">,
  claimed: ReadonlyArray<Held>,
  onRenew: Effect.Effect<void>
): LeaseBook => {
  const book = new Map(claimed.map((held) => [held.key, held]))
  const writing = Semaphore.makeUnsafe(1)

  const end = (key: string, write: (held: Held) => Effect.Effect<void, MeshUnavailable | LeaseLost>) =>
    writing.withPermits(1)(
      Effect.suspend(() => {
        const held = book.get(key)
        book.delete(key)
        return held === undefined ? Effect.void : write(held)
      })
    )

  // suspended: each round renews what is held by then, upon the revisions of the round before
  const renewAll = writing.withPermits(1)(
    Effect.suspend(() =>
      Effect.forEach(
        Array.from(book.values()),
        (held) => Effect.map(coordinator.renew(held), (renewed) => void book.set(held.key, renewed)),
        { concurrency: "unbounded", discard: true }
      )
    )
  )

  return {
    open: () => Array.from(book.values()),
    complete: (key, progress) => end(key, (held) => coordinator.complete(held, progress)),
    fail: (key, progress, failure) => end(key, (held) => coordinator.fail(held, progress, failure)),
    failAll: (failure) =>
      Effect.forEach(Array.from(book.keys()), (key) => end(key, (held) => coordinator.fail(held, nothing, failure)), {
        discard: true
      }),
    releaseAll: Effect.suspend(() =>
      Effect.forEach(Array.from(book.keys()), (key) => Effect.ignore(end(key, coordinator.release)), {
        concurrency: "unbounded",
        discard: true
      })
    ).pipe(Effect.timeoutOption("1 second"), Effect.asVoid),
    keepRenewing: Effect.andThen(onRenew, renewAll).pipe(
      Effect.repeat(Schedule.spaced(renewEvery)),
      Effect.andThen(Effect.never)
    )
  }
}
