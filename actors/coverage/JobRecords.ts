/** How are a series' job records opened and queued? */
import { Effect } from "effect"
import { type BackfillJob, isFinal } from "../../protocol/history/BackfillJob.ts"
import type { Series } from "../../protocol/history/Series.ts"
import type { WindowRanges } from "../../protocol/history/Window.ts"
import { writeJob } from "../../protocol/messages/Backfill.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as KnownJobs from "./KnownJobs.ts"
import { type JobDemand, type JobPlan, planJob } from "./planJobs.ts"

/** Opening a window's run is tried this often against others who change its record at the same time. */
const openTries = 10
const openConcurrency = 32

/** The job records of one series. */
export interface JobRecords {
  /** Opens, joins or widens the run of each window; gives the plans that came true. */
  readonly demand: (
    demand: JobDemand,
    windows: ReadonlyArray<WindowRanges>
  ) => Effect.Effect<ReadonlyArray<JobPlan>, MeshUnavailable>
  /** Puts every run that has not ended into the queue again, where it is missing; gives their windows. */
  readonly republish: Effect.Effect<ReadonlyArray<number>, MeshUnavailable>
}

/** The job records of a series, for as long as the scope lives. */
export const open = Effect.fnUntraced(function* (series: Series) {
  const mesh = yield* Mesh
  const known = yield* KnownJobs.follow(series)
  const seriesKey = Subject.series(series.nodeId, series.interval)

  /**
   * Puts jobs into the queue, up to the first that it does not take: the records stand, and whatever is open is put
   * there again each second, while the actor has more to do than to wait for a queue.
   */
  const enqueueAll = (jobs: ReadonlyArray<BackfillJob>) =>
    Effect.forEach(
      jobs,
      ({ jobClass, windowStart }) =>
        mesh.enqueue(
          QueueSubject.queuedJob({ jobClass, partition: 0, windowKey: Subject.window(seriesKey, windowStart) }),
          new Uint8Array(0)
        ),
      { discard: true }
    ).pipe(
      Effect.catch((error) => Effect.logWarning("jobs not queued yet", { series: seriesKey, reason: error.message }))
    )

  /** Writes the planned record; false means that someone was faster, and that it is known again what stands there. */
  const write = ({ expect, job }: Extract<JobPlan, { action: "write" }>) =>
    mesh.write(known.subjectOf(job.windowStart), writeJob(job), { expect }).pipe(
      Effect.map((revision) => {
        known.set({ job, revision })
        return true
      }),
      Effect.catchTag("RevisionConflict", () => Effect.as(known.look(job.windowStart), false))
    )

  const demandWindow = Effect.fnUntraced(function* (demand: JobDemand, wanted: WindowRanges) {
    for (let tries = 0; tries < openTries; tries++) {
      const plan = planJob(demand, wanted, known.get(wanted.windowStart))
      if (plan.action !== "write" || (yield* write(plan))) return plan
    }
    return yield* new MeshUnavailable({
      operation: `open the job of ${Subject.window(seriesKey, wanted.windowStart)}`,
      reason: "others keep changing its record"
    })
  })

  const demand: JobRecords["demand"] = Effect.fnUntraced(function* (demanded, windows) {
    // a run that has ended may have been followed by another that was opened elsewhere
    const unsure = windows.filter(({ windowStart }) => {
      const job = known.get(windowStart)?.job
      return job === undefined || isFinal(job)
    })
    yield* known.refresh(unsure.map(({ windowStart }) => windowStart))
    const plans = yield* Effect.forEach(windows, (wanted) => demandWindow(demanded, wanted), {
      concurrency: openConcurrency
    })
    // after all records are there: who takes the first window can claim those that follow
    yield* enqueueAll(plans.flatMap((plan) => (plan.action === "write" ? [plan.job] : [])))
    return plans
  })

  const republish = Effect.gen(function* () {
    yield* known.refresh(known.unfinished())
    known.prune()
    const windowStarts = known.unfinished()
    yield* enqueueAll(windowStarts.flatMap((windowStart) => known.get(windowStart)?.job ?? []))
    return windowStarts
  })

  return { demand, republish } satisfies JobRecords
})
