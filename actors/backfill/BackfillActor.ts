/**
 * Who does the backfilling?
 *
 * Workers that take one window at a time from the queue. What the queue says is a hint: the job's record decides
 * whether there is something to do, and who does it. A worker that got a window claims those that follow it too, so
 * that the source is asked for full pages.
 */
import { Effect, Layer, Option } from "effect"
import type { BackfillJob, JobFailure } from "../../protocol/history/BackfillJob.ts"
import { defaults } from "../../protocol/Settings.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Upstream } from "../../protocol/messages/Upstream.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import { type Delivery, Mesh } from "../../runtime/Mesh.ts"
import { withRemoteParent } from "../../runtime/telemetry/Propagation.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { DataSources } from "../sources/DataSource.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { BackfillCoordinator, type Held } from "./BackfillCoordinator.ts"
import * as LeaseBook from "./LeaseBook.ts"
import { runErrand } from "./runErrand.ts"

/** Windows that one claim takes along, beside its first. */
const followingMax = 15
const restAfterFailure = "500 millis"
const jobClass = "interactive"

type Services = Mesh | HostStatus | Coverage | Upstream | ChunkStore | DataSources | SeriesCatalog | BackfillCoordinator

const followingKeys = Effect.fnUntraced(function* ({ series, windowStart }: BackfillJob) {
  const catalog = yield* SeriesCatalog
  const { root } = yield* (yield* Coverage).of(series)
  const { interval } = yield* catalog.find(series.nodeId, series.interval)
  const windowMs = interval.lengthMs * root.windowBars
  const seriesKey = Subject.series(series.nodeId, series.interval)
  return Array.from({ length: followingMax }, (_, index) =>
    Subject.window(seriesKey, windowStart + (index + 1) * windowMs)
  )
})

const nobodyToAsk = ({ sources }: BackfillJob): JobFailure => ({
  tag: "SourceUnavailable",
  message: "the configuration has none of the job's sources",
  source: sources.join(", ")
})

/** Asks the job's sources, in order, until one has answered all of it; gives why not, where none could be asked. */
const askSources = Effect.fnUntraced(function* (job: BackfillJob, leases: LeaseBook.LeaseBook) {
  const sources = yield* DataSources
  const entry = yield* (yield* SeriesCatalog).find(job.series.nodeId, job.series.interval)
  const known = job.sources.flatMap((name) => sources.get(name) ?? [])
  const passedOver: Array<JobFailure> = []
  for (const [index, source] of known.entries()) {
    if (leases.open().length === 0) return
    const isLastSource = index === known.length - 1
    passedOver.push(...(yield* runErrand({ entry, source, leases, passedOver, isLastSource })))
  }
  if (known.length === 0) yield* leases.failAll(nobodyToAsk(job))
})

/**
 * Does the work. What keeps rows from being stored is told to those who wait, like what keeps a source from
 * answering.
 */
const workOn = (job: BackfillJob, leases: LeaseBook.LeaseBook) =>
  askSources(job, leases).pipe(
    Effect.catchIf(
      (error) => error._tag !== "LeaseLost",
      ({ _tag: tag, message }) => leases.failAll({ tag, message, source: "storage" })
    )
  )

const run = Effect.fnUntraced(function* (first: Held, delivery: Delivery) {
  const coordinator = yield* BackfillCoordinator
  // those that follow are a bonus: whatever keeps them from being claimed must not keep the first one waiting
  const following = yield* followingKeys(first.job).pipe(
    Effect.flatMap((keys) => coordinator.claimFollowing(keys, LeaseBook.leaseMs)),
    Effect.orElseSucceed((): ReadonlyArray<Held> => [])
  )
  const { interval, nodeId } = first.job.series
  yield* Effect.logInfo("backfill started", { nodeId, interval, windows: following.length + 1 })
  const leases = LeaseBook.open(coordinator, [first, ...following], delivery.working)
  yield* Effect.raceFirst(workOn(first.job, leases), leases.keepRenewing).pipe(
    withRemoteParent(first.job.traceParent),
    Effect.ensuring(leases.releaseAll)
  )
})

/** The next unit of work; a queue that can't be reached has none for now. */
const takeNext = (mesh: Mesh["Service"]) =>
  mesh
    .take(Stream.queue.name, jobClass)
    .pipe(
      Effect.catchTag("MeshUnavailable", (error) =>
        Effect.logDebug("nothing taken", error.message).pipe(
          Effect.andThen(Effect.sleep(restAfterFailure)),
          Effect.as(Option.none<Delivery>())
        )
      )
    )

/** Takes one unit of work, if there is any, and does it. */
const workOnce = Effect.gen(function* () {
  const mesh = yield* Mesh
  const coordinator = yield* BackfillCoordinator
  // a host that has lost touch takes nothing: what it would do may be someone else's by then. Nor does one that drains
  if ((yield* HostStatus).state() !== "serving") return yield* Effect.sleep(restAfterFailure)
  const delivery = yield* takeNext(mesh)
  if (delivery._tag === "None") return
  const key = QueueSubject.queuedWindow(delivery.value.subject)
  const claimed = yield* coordinator.claim(key, LeaseBook.leaseMs)
  if (claimed._tag === "Held") return yield* run(claimed.held, delivery.value)
  // its holder may die: whoever is given the entry then finds that out
  if (claimed._tag === "Taken") return yield* delivery.value.later
  // whoever ended the run may have died before it took the entry out
  return yield* mesh.dequeue(Stream.queue.name, delivery.value.subject)
})

const worker: Effect.Effect<never, never, Services> = workOnce.pipe(
  Effect.catchCause((cause) =>
    Effect.andThen(Effect.logWarning("backfill interrupted", cause), Effect.sleep(restAfterFailure))
  ),
  Effect.forever
)

/** Workers of this host, as many as a source may be asked at once. */
export const layer: Layer.Layer<never, never, Services> = Layer.effectDiscard(
  Effect.forEach(Array.from({ length: defaults.concurrency }), () => Effect.forkScoped(worker), { discard: true })
)
