/**
 * Who does the backfilling?
 *
 * Workers that take one window at a time from the queue. What the queue says is a hint: the job's record decides
 * whether there is something to do, and who does it. A worker that got a window claims those that follow it too, or
 * those before it where none follows, so that the source is asked for full pages. Classes of work take turns; one
 * worker is kept for what is urgent, since the others may be busy for long.
 */
import { Effect, Layer, Option } from "effect"
import { type BackfillJob, JobClass, type JobFailure } from "../../protocol/history/BackfillJob.ts"
import { urgentClasses } from "../../protocol/history/classShares.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { windowsPerErrand } from "../../protocol/history/planBackfill.ts"
import { defaults } from "../../protocol/Settings.ts"
import { jobKey } from "../../protocol/messages/Backfill.ts"
import { requestsOff } from "../../protocol/messages/BackfillOff.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Upstream } from "../../protocol/messages/Upstream.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import { monotonicMs } from "../../runtime/Deadline.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import { type Delivery, Mesh } from "../../runtime/Mesh.ts"
import { Switches } from "../../runtime/Switches.ts"
import { withRemoteParent } from "../../runtime/telemetry/Propagation.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import type { DataSources } from "../sources/DataSource.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { AutoBackfillers } from "./AutoBackfiller.ts"
import { BackfillCoordinator, type Held } from "./BackfillCoordinator.ts"
import * as ClassTurns from "./ClassTurns.ts"
import * as LeaseBook from "./LeaseBook.ts"
import { runErrand } from "./runErrand.ts"
import * as SeriesTurns from "./SeriesTurns.ts"

/** Windows that one claim takes along, beside its first. */
const followingMax = windowsPerErrand - 1
/**
 * What could not be stored is fetched again after so long. A stream that lost its leader has another within seconds;
 * what is damaged stays so until somebody mends it. Where a window has moved on, the next run is planned upon what is
 * there now, and at once.
 */
const restMsAfter = (tag: string): number => (tag === "StaleCommit" ? 0 : tag === "StoreDamaged" ? 30_000 : 5000)
const restAfterFailure = "500 millis"
/** The class whose work is waited for where there is none of any. */
const awaited: JobClass = "interactive"
/** A class that had nothing is not looked at again by anyone here for so long. */
const quietMs = 2000

/** What the workers stand on. */
type Services =
  | Mesh
  | HostStatus
  | Coverage
  | Upstream
  | ChunkStore
  | DataSources
  | AutoBackfillers
  | SeriesCatalog
  | BackfillCoordinator

/** Keys of jobs of the kind in the windows that follow (1), or in those before (-1), the nearest first. */
const keysBeside = Effect.fnUntraced(function* (job: BackfillJob, direction: 1 | -1) {
  const { series, windowStart } = job
  const catalog = yield* SeriesCatalog
  const { root } = yield* (yield* Coverage).of(series)
  const { interval } = yield* catalog.find(series.nodeId, series.interval)
  const windowMs = interval.lengthMs * root.windowBars
  return Array.from({ length: followingMax }, (_, index) =>
    jobKey({ ...job, windowStart: windowStart + direction * (index + 1) * windowMs })
  )
})

/** The series of a window, by the window's key. */
const seriesOfWindow = (key: string): string => key.split(".", 2).join(".")

const nobodyToAsk = ({ sources }: BackfillJob): JobFailure => ({
  tag: "SourceUnavailable",
  message: "the configuration has none of the job's sources",
  source: sources.join(", ")
})

/** Asks the job's sources, in order, until one has answered all of it; gives why not, where none could be asked. */
const askSources = Effect.fnUntraced(function* (job: BackfillJob, leases: LeaseBook.LeaseBook) {
  const backfillers = yield* AutoBackfillers
  const entry = yield* (yield* SeriesCatalog).find(job.series.nodeId, job.series.interval)
  const known = job.sources.flatMap((name) => backfillers.get(name) ?? [])
  const passedOver: Array<JobFailure> = []
  const tried = { about: RangeSet.empty }
  for (const [index, source] of known.entries()) {
    if (leases.open().length === 0) return
    const isLastSource = index === known.length - 1
    passedOver.push(...(yield* runErrand({ entry, source, leases, tried, passedOver, isLastSource })))
  }
  if (known.length === 0) yield* leases.failAll({ failure: nobodyToAsk(job), retryAfterMs: 0 })
})

/**
 * Does the work. What keeps rows from being stored is told to those who wait, like what keeps a source from
 * answering.
 */
const workOn = (job: BackfillJob, leases: LeaseBook.LeaseBook) =>
  askSources(job, leases).pipe(
    // no fault of the windows
    Effect.catchIf(
      (error) => error._tag !== "LeaseLost",
      ({ _tag: tag, message }) =>
        leases.failAll({
          failure: { tag, message, source: "storage" },
          retryAfterMs: restMsAfter(tag),
          isAttempt: false
        })
    )
  )

/** The windows beside one that is held, which take a request less where they are asked for with it. */
const claimBeside = Effect.fnUntraced(function* ({ job }: Held) {
  const coordinator = yield* BackfillCoordinator
  // those beside it are a bonus: whatever keeps them from being claimed must not keep the first one waiting, nor the
  // worker that is kept for what is urgent
  const isAwaited = urgentClasses.includes(job.jobClass)
  const classes = isAwaited ? urgentClasses : JobClass.literals
  const claim = (direction: 1 | -1) =>
    keysBeside(job, direction).pipe(
      Effect.flatMap((keys) => coordinator.claimFollowing(keys, LeaseBook.leaseMs, classes)),
      Effect.orElseSucceed((): ReadonlyArray<Held> => [])
    )
  const behind = yield* claim(1)
  // a history that is filled from its end has windows before alone; they are fetched first, so nobody may wait for it
  return behind.length > 0 || isAwaited ? behind : yield* claim(-1)
})

/** Claims the window of an entry, and those beside it. */
const claimFor = Effect.fnUntraced(function* (key: string, delivery: Delivery) {
  const coordinator = yield* BackfillCoordinator
  const claimed = yield* coordinator.claim(key, LeaseBook.leaseMs, { removeEntry: delivery.done })
  if (claimed._tag !== "Held") return claimed
  return { ...claimed, beside: yield* claimBeside(claimed.held) }
})

const run = Effect.fnUntraced(function* (first: Held, beside: ReadonlyArray<Held>, delivery: Delivery) {
  const coordinator = yield* BackfillCoordinator
  const { interval, nodeId } = first.job.series
  yield* Effect.logInfo("backfill started", { nodeId, interval, windows: beside.length + 1 })
  const leases = LeaseBook.open(coordinator, [first, ...beside], delivery.working)
  yield* Effect.raceFirst(workOn(first.job, leases), leases.keepRenewing).pipe(
    withRemoteParent(first.job.traceParent),
    Effect.ensuring(leases.releaseAll)
  )
})

/** What the workers of a host know of each other, and of the classes. */
interface Turns {
  readonly inTurn: SeriesTurns.InTurn
  taken: ClassTurns.ClassTurns
  /** By class: until when it is not looked at, in milliseconds of the monotonic clock. */
  readonly quietUntilMs: Map<JobClass, number>
}

/** The next unit of work of some classes, by their turns; where there is none, what is awaited for a while. */
const takeInTurn = Effect.fnUntraced(function* (mesh: Mesh["Service"], turns: Turns, classes: ReadonlyArray<JobClass>) {
  const nowMs = yield* monotonicMs
  const isQuiet = (jobClass: JobClass): boolean => (turns.quietUntilMs.get(jobClass) ?? 0) > nowMs
  const order = ClassTurns.order(turns.taken, classes).filter((jobClass) => !isQuiet(jobClass))
  const idle = JobClass.literals.filter(isQuiet)
  // where no other is looked at, what is awaited need not be looked at before
  for (const jobClass of order.length === 1 ? [] : order) {
    const delivery = yield* mesh.take(Stream.queue.name, jobClass, { isPatient: false })
    if (Option.isSome(delivery)) {
      turns.taken = ClassTurns.served(turns.taken, jobClass, idle)
      return delivery
    }
    idle.push(jobClass)
    if (jobClass !== awaited) turns.quietUntilMs.set(jobClass, nowMs + quietMs)
  }
  const delivery = yield* mesh.take(Stream.queue.name, awaited)
  if (Option.isSome(delivery)) turns.taken = ClassTurns.served(turns.taken, awaited, idle)
  return delivery
})

/** The next unit of work; a queue that can't be reached has none for now. */
const takeNext = (mesh: Mesh["Service"], turns: Turns, classes: ReadonlyArray<JobClass>) =>
  takeInTurn(mesh, turns, classes).pipe(
    Effect.catchTag("MeshUnavailable", (error) =>
      Effect.logDebug("nothing taken", error.message).pipe(
        Effect.andThen(Effect.sleep(restAfterFailure)),
        Effect.as(Option.none<Delivery>())
      )
    )
  )

/** Takes one unit of work, if there is any, and does it. */
const workOnce = Effect.fnUntraced(function* (turns: Turns, classes: ReadonlyArray<JobClass>) {
  const mesh = yield* Mesh
  // a host that has lost touch takes nothing: what it would do may be someone else's by then. Nor does one that drains
  if ((yield* HostStatus).state() !== "serving") return yield* Effect.sleep(restAfterFailure)
  const current = yield* Switches
  if (requestsOff(current()) !== undefined) return yield* Effect.sleep(restAfterFailure)
  const delivery = yield* takeNext(mesh, turns, classes)
  if (delivery._tag === "None") return
  // it was waited for, and requests may have been turned off meanwhile: the job stays as it is
  if (requestsOff(current()) !== undefined) return yield* delivery.value.later
  const key = QueueSubject.queuedWindow(delivery.value.subject)
  const claimed = yield* turns.inTurn(seriesOfWindow(key))(claimFor(key, delivery.value))
  if (claimed._tag === "Held") return yield* run(claimed.held, claimed.beside, delivery.value)
  // its holder may die: whoever is given the entry then finds that out
  if (claimed._tag === "Taken" || claimed._tag === "Stale") return yield* delivery.value.later
  // whoever ended the run may have died before it took the entry out
  return yield* delivery.value.done
})

const worker = (turns: Turns, classes: ReadonlyArray<JobClass>): Effect.Effect<never, never, Services> =>
  workOnce(turns, classes).pipe(
    Effect.catchCause((cause) =>
      Effect.andThen(Effect.logWarning("backfill interrupted", cause), Effect.sleep(restAfterFailure))
    ),
    Effect.forever
  )

/** Workers of this host, as many as a source may be asked at once; and one that is kept for what is urgent. */
export const layer: Layer.Layer<never, never, Services> = Layer.effectDiscard(
  Effect.gen(function* () {
    const turns: Turns = { inTurn: SeriesTurns.make(), taken: ClassTurns.none, quietUntilMs: new Map() }
    for (let count = 0; count < defaults.concurrency; count++) {
      yield* Effect.forkScoped(worker(turns, JobClass.literals))
    }
    yield* Effect.forkScoped(worker(turns, urgentClasses))
  })
)
