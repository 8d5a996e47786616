/**
 * Which jobs are in this worker's hands, and are they still?
 *
 * The leases of one errand, renewed together while the work goes on. Every write of a record replaces the revision that
 * this book knows, so renewing and ending never race each other.
 */
import { Effect, Schedule, Semaphore } from "effect"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { monotonicMs } from "../../runtime/Deadline.ts"
import type { BackfillCoordinator, Failure, Held, LeaseLost } from "./BackfillCoordinator.ts"
import type { Progress } from "./jobStep.ts"

/** How long a lease lasts that nobody renews. */
export const leaseMs = 5000
const renewEvery = "1 second"
/**
 * Before a session of a host can be over (3 s), and so before anybody else can have claimed: what was renewed longer
 * ago is renewed before anything is done upon it.
 */
const sureMs = 2500

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
  /**
   * Waits until the leases are held for sure: at once, unless this process was kept from renewing them. Who has lost
   * them waits for ever, until `keepRenewing` fails.
   */
  readonly makeSure: Effect.Effect<void>
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
  let renewedAtMs = -Infinity

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
    Effect.gen(function* () {
      const startedMs = yield* monotonicMs
      yield* Effect.forEach(
        Array.from(book.values()),
        (held) => Effect.map(coordinator.renew(held), (renewed) => void book.set(held.key, renewed)),
        { concurrency: "unbounded", discard: true }
      )
      // as of its sending: an answer may have been long under way
      renewedAtMs = startedMs
    })
  )
  // behind a round that is under way
  const isSure = writing.withPermits(1)(Effect.map(monotonicMs, (nowMs) => nowMs - renewedAtMs < sureMs))
  const renewSoon = Effect.retry(renewAll, { schedule: Schedule.spaced(renewEvery) })

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
    makeSure: Effect.flatMap(isSure, (sure) => (sure ? Effect.void : Effect.orDie(renewSoon))),
    keepRenewing: Effect.andThen(onRenew, renewAll).pipe(
      Effect.repeat(Schedule.spaced(renewEvery)),
      Effect.andThen(Effect.never)
    )
  }
}
