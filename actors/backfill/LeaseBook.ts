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
import { type BackfillCoordinator, type Failure, type Held, LeaseLost } from "./BackfillCoordinator.ts"
import type { Progress } from "./jobStep.ts"

/** How long a lease lasts that nobody renews. */
export const leaseMs = 5000
const renewEvery = "1 second"
/**
 * Before a session of a host can be over (3 s), and so before anybody else can have claimed: what was renewed longer
 * ago is renewed before anything is done upon it.
 */
const sureMs = 2500

const isUnreachable = ({ _tag: tag }: MeshUnavailable | LeaseLost): boolean => tag === "MeshUnavailable"

const nothing: Progress = { completed: RangeSet.empty, coverageVersion: 0, requests: 0, passedOver: [] }

/** The leases of one errand. */
export interface LeaseBook {
  /** The jobs that have not been ended. */
  readonly open: () => ReadonlyArray<Held>
  /** Ends the job of a key; one that another has by now is left to it. */
  readonly complete: (key: string, progress: Progress) => Effect.Effect<void, MeshUnavailable>
  readonly fail: (key: string, progress: Progress, failure: Failure) => Effect.Effect<void, MeshUnavailable>
  /** Ends what has not been ended as failed. */
  readonly failAll: (failure: Failure) => Effect.Effect<void, MeshUnavailable>
  /** Gives back what has not been ended. */
  readonly releaseAll: Effect.Effect<void>
  /**
   * Waits until the leases are held for sure: at once, unless this process was kept from renewing them. Fails where
   * another has got any of them since, or none is left.
   */
  readonly makeSure: Effect.Effect<void, LeaseLost>
  /** Whether they are held for sure now. */
  readonly isSure: Effect.Effect<boolean>
  /** Renews for ever, without those that are lost; fails when all are. */
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
        return held === undefined ? Effect.void : Effect.catchTag(write(held), "LeaseLost", () => Effect.void)
      })
    )

  // what is another's now is left to it; the other windows go on
  const renewOne = (held: Held) =>
    coordinator.renew(held).pipe(
      Effect.map((renewed) => void book.set(held.key, renewed)),
      Effect.catchTag("LeaseLost", () => Effect.sync(() => void book.delete(held.key)))
    )

  // suspended: each round renews what is held by then, upon the revisions of the round before
  const renewAll = writing.withPermits(1)(
    Effect.gen(function* () {
      const startedMs = yield* monotonicMs
      const standing = Array.from(book.values())
      yield* Effect.forEach(standing, renewOne, { concurrency: "unbounded", discard: true })
      const [first] = standing
      if (first !== undefined && book.size === 0) return yield* new LeaseLost({ key: first.key })
      // as of its sending: an answer may have been long under way
      renewedAtMs = startedMs
    })
  )
  const isSure = Effect.map(monotonicMs, (nowMs) => nowMs - renewedAtMs < sureMs)
  const renewSoon = Effect.gen(function* () {
    const keys = Array.from(book.keys())
    yield* Effect.retry(renewAll, { schedule: Schedule.spaced(renewEvery), while: isUnreachable }).pipe(
      Effect.catchTag("MeshUnavailable", Effect.die)
    )
    const lost = keys.find((key) => !book.has(key))
    if (lost !== undefined) return yield* new LeaseLost({ key: lost })
  })

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
    isSure,
    // behind a round that is under way
    makeSure: Effect.flatMap(writing.withPermits(1)(isSure), (sure) => (sure ? Effect.void : renewSoon)),
    keepRenewing: Effect.andThen(onRenew, renewAll).pipe(
      Effect.repeat(Schedule.spaced(renewEvery)),
      Effect.andThen(Effect.never)
    )
  }
}
