/**
 * What is done upon an operator's word?
 *
 * It is noted in the history of the series first, and then done: nothing that an operator does is without its trace.
 */
import { Effect, Result } from "effect"
import { jobId } from "../../protocol/history/BackfillJob.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type * as Messages from "../../protocol/messages/Operate.ts"
import { operatorsCause } from "../../protocol/messages/Operate.ts"
import type { CoverageRecord } from "./CoverageRecord.ts"
import type { JobRecords } from "./JobRecords.ts"
import { operateJob } from "./operateJob.ts"

/** Records that are looked at or changed at once. */
const concurrency = 32

const operateIn = (record: CoverageRecord, jobs: JobRecords) =>
  Effect.fnUntraced(function* (word: Messages.Operate) {
    const { source } = word
    const windows = [...new Set(word.windows)]
    const change = (windowStart: number, next: Parameters<JobRecords["change"]>[1]) =>
      jobs.change({ windowStart, ...(source !== undefined && { revises: source }) }, next)
    const looked = yield* Effect.forEach(
      windows,
      (windowStart) =>
        Effect.map(
          change(windowStart, () => undefined),
          (job) => operateJob(job, word, windowStart)
        ),
      { concurrency }
    )
    // workers go on meanwhile: what does not suit by now is passed over, unless nothing does
    const planned = looked.flatMap((operated) => (Result.isSuccess(operated) ? [operated.success] : []))
    const refused = looked.find(Result.isFailure)
    if (planned.length === 0 && refused !== undefined) return yield* refused.failure
    const time = RangeSet.unionAll(planned.map(({ job }) => job.ranges))
    const { version } = yield* record.note({
      // of stored bars nothing is known that would be in the way
      about: source === undefined ? time : RangeSet.empty,
      // else what has settled by now would be asked for again at once
      ...(source !== undefined && word.verb === "cancel" && { settled: { source, ranges: time } }),
      exceptions: planned.flatMap(({ exceptions }) => exceptions),
      jobs: planned.map(({ job }) => jobId(job)),
      cause: operatorsCause(word.verb, word)
    })
    const after = yield* Effect.forEach(
      planned,
      ({ job: { windowStart } }) =>
        change(windowStart, (job) =>
          Result.match(operateJob(job, word, windowStart), {
            onFailure: () => undefined,
            onSuccess: (operated) => operated.job
          })
        ),
      { concurrency }
    )
    return { version, jobs: after.filter((job) => job !== undefined) }
  })

const invalidateIn = (record: CoverageRecord, jobs: JobRecords) =>
  Effect.fnUntraced(function* (word: Messages.Invalidate) {
    // what is on its way to any part of a window was planned upon what does not count any more
    const lost = new Set(Window.split(record.grid, word.ranges).map(({ windowStart }) => windowStart))
    const planned = jobs.unfinished().filter(({ windowStart }) => lost.has(windowStart))
    const windows = planned.map(({ windowStart }) => windowStart)
    const done = yield* record.invalidate(word.ranges, windows, {
      cause: operatorsCause("invalidate", word),
      ...(word.source !== undefined && { source: word.source })
    })
    const generations = yield* record.generations(windows)
    yield* Effect.forEach(planned, (each) =>
      jobs.change(each, (job) => {
        const generation = generations.get(each.windowStart) ?? job.generation
        const isWaiting = job.state === "PENDING" || job.state === "EXPIRED"
        return isWaiting && job.generation !== generation ? { ...job, state: "PENDING", generation } : undefined
      })
    )
    return done
  })

/** What operators do to a series, for one activation. */
export const operations = (record: CoverageRecord, jobs: JobRecords) => ({
  operate: operateIn(record, jobs),
  invalidate: invalidateIn(record, jobs)
})
