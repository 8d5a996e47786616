/**
 * What becomes of a gap while an answer is made?
 *
 * The coverage actor is asked to make it available, and the jobs that it names are waited for, within the budget.
 * Ending the wait never ends a job. A failed job is tried once more where the budget allows it.
 */
import { Clock, Effect, Option } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import { hasEnded, isFinal } from "../../protocol/history/BackfillJob.ts"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Backfill } from "../../protocol/messages/Backfill.ts"
import { BackfillOff } from "../../protocol/messages/BackfillOff.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { monotonicMs, withBudget } from "../../runtime/Deadline.ts"
import { traceParent } from "../../runtime/telemetry/Propagation.ts"
import type { Undelivered } from "../../protocol/wire/Envelope.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Reach from "../sources/Reach.ts"
import type { Budget } from "./Budget.ts"
import { settleBelow } from "./settleBelow.ts"
import type { ValidRequest } from "./validRequest.ts"
import { backfillWaitMs } from "./waits.ts"

/** What the cluster did about a gap. */
export interface Filled {
  /** The newest record of each job, by window. */
  readonly jobs: ReadonlyArray<BackfillJob>
  /** Whether the wait ended before the jobs did. */
  readonly timedOut: boolean
  /** Why nobody could be asked to fill it: the coordination is out of reach, or an operator has turned it off. */
  readonly notAsked?: Undelivered | MeshUnavailable | BackfillOff
  /** What the caller should know beside that. */
  readonly notes: ReadonlyArray<string>
  /** The newest version that was heard of meanwhile: the answer is of no earlier one. */
  readonly version: number
}

/** A gap about which nothing was done. */
export const untouched: Filled = { jobs: [], timedOut: false, notes: [], version: 0 }

/** A gap that nobody is asked to fill, by an operator's word. */
export const notAskedBy = (off: BackfillOff, missingBars: number): Filled => ({
  ...untouched,
  notAsked: off,
  notes: [`${missingBars} missing bars were not asked for: ${off.message}`]
})

/** The actor answers within milliseconds; a caller without a deadline does not wait longer for it to be found. */
const queueWaitMsMax = 30_000
/**
 * Rounds of asking and waiting. One or two do, unless others' runs keep coming first; the time ends them in any case.
 */
const roundsMax = 100
/** A round in which nothing was under way learns nothing from the next one at once. */
const idleRoundPause = "50 millis"
/** The share of the wait for what a series is made of: the rest is enough to have it made, or at least asked for. */
const belowShare = 0.8
/** A reader without a deadline waits for that no longer than this; the work above goes on with what is there. */
const belowMsMax = 3_600_000

const demandOf = Effect.fnUntraced(function* ({ entry, requestId, sources }: ValidRequest, gap: RangeSet.RangeSet) {
  const { series } = entry
  const trace = yield* traceParent
  return { series, ranges: gap, sources, jobClass: "interactive", cause: requestId, traceParent: trace } as const
})

/** Asks that the gap be filled; the jobs that it takes are not waited for. */
const queueGap = Effect.fnUntraced(function* (request: ValidRequest, gap: RangeSet.RangeSet, budget: Budget) {
  const coverage = yield* Coverage
  const remainingMs = Math.min(yield* budget.remainingMs, queueWaitMsMax)
  const asked = yield* coverage.ensure(yield* demandOf(request, gap)).pipe(withBudget(remainingMs), Effect.result)
  if (asked._tag === "Success") {
    const { jobs, version } = asked.success
    return { jobs, timedOut: false, notes: [], version } satisfies Filled
  }
  // turned off as the actor's host knows it, and not known here yet
  if (asked.failure instanceof BackfillOff) {
    return notAskedBy(asked.failure, bars(gap, request.entry.interval.lengthMs))
  }
  const note = `the backfill could not be queued: ${asked.failure.message}`
  const timedOut = asked.failure._tag === "DeadlineExceeded"
  // that the time was over is judged as such
  const why = timedOut ? {} : { notAsked: asked.failure }
  return { jobs: [], timedOut, notes: [note], version: 0, ...why } satisfies Filled
})

/** Asks that the gap be filled, and says that the answer does not wait for it. */
export const detachGap = Effect.fnUntraced(function* (request: ValidRequest, gap: RangeSet.RangeSet, budget: Budget) {
  const budgetMs = Math.min(yield* budget.remainingMs, queueWaitMsMax)
  const startedMs = yield* monotonicMs
  const queued = yield* queueGap(request, gap, budget)
  const waitedMs = (yield* monotonicMs) - startedMs
  if (queued.timedOut) budget.noted("backfill", { budgetMs, waitedMs, timedOut: true })
  const underWay = RangeSet.unionAll(queued.jobs.filter((job) => !isFinal(job)).map(({ ranges }) => ranges))
  const missing = bars(RangeSet.intersect(gap, underWay), request.entry.interval.lengthMs)
  const note = `${missing} missing bars are being filled, and were not waited for: ask again`
  return queued.notes.length > 0 || missing === 0 ? queued : { ...queued, notes: [note] }
})

const merged = (before: ReadonlyArray<BackfillJob>, after: ReadonlyArray<BackfillJob>): ReadonlyArray<BackfillJob> => {
  const byWindow = new Map([...before, ...after].map((job) => [job.windowStart, job]))
  return Array.from(byWindow.values())
}

/** What of the gap is still worth asking for. */
const leftOf = ({ entry }: ValidRequest, gap: RangeSet.RangeSet, { covered, root }: CoverageView, nowMs: number) =>
  Reach.askable(entry, RangeSet.subtract(gap, covered), root.exceptions, nowMs)

/** Failures of a window that a reader waits out: the one that it finds, and that of its one retry. */
const failuresMax = 2

/** Of which windows this reader expects nothing any more. */
const makePatience = ({ entry }: ValidRequest) => {
  /** How often a window had failed when the reader met it, by its start. */
  const metAt = new Map<number, number>()
  const isGivenUp = (job: BackfillJob): boolean => {
    // they wait for a person, or were called off
    if (hasEnded(job)) return job.state !== "SUCCEEDED"
    return job.state === "FAILED" && job.attempts - (metAt.get(job.windowStart) ?? 0) >= failuresMax
  }
  return {
    meet: (jobs: ReadonlyArray<BackfillJob>): void => {
      for (const { attempts, state, windowStart } of jobs) {
        if (!metAt.has(windowStart)) metAt.set(windowStart, state === "FAILED" ? attempts - 1 : attempts)
      }
    },
    givenUp: (jobs: ReadonlyArray<BackfillJob>, { root }: CoverageView): RangeSet.RangeSet => {
      const grid = Window.makeGrid(entry.interval, root.windowBars)
      return RangeSet.make(jobs.filter(isGivenUp).map(({ windowStart }) => Window.windowRange(grid, windowStart)))
    },
    /** How long until the last of the failed windows is tried again; none where none is. */
    retryInMs: (jobs: ReadonlyArray<BackfillJob>, nowMs: number): Option.Option<number> => {
      const times = jobs.flatMap((job) =>
        job.nextAttemptAt === null || isGivenUp(job) ? [] : [job.nextAttemptAt - nowMs]
      )
      return times.length === 0 ? Option.none() : Option.some(Math.max(0, ...times))
    }
  }
}

/**
 * Asks that the gap be filled and waits until it is, or cannot be, or the time is over. Gives whether whoever was asked
 * said that it is: a host that was held up for a while takes no message for which there may be no time left.
 */
const fillRounds = Effect.fnUntraced(function* (
  request: ValidRequest,
  gap: RangeSet.RangeSet,
  budget: Budget,
  seen: (filled: Filled) => void
) {
  const coverage = yield* Coverage
  const backfill = yield* Backfill
  const patience = makePatience(request)
  let jobs: ReadonlyArray<BackfillJob> = []
  let left = gap
  let version = 0
  for (let round = 0; round < roundsMax && !isEmpty(left); round++) {
    const asked = yield* queueGap(request, left, budget)
    patience.meet(asked.jobs)
    jobs = merged(jobs, asked.jobs)
    version = Math.max(version, asked.version)
    seen({ ...asked, jobs, timedOut: !jobs.every(isFinal), version })
    if (asked.notes.length > 0) return asked.timedOut
    if (asked.jobs.every(isFinal)) yield* Effect.sleep(idleRoundPause)
    const settled = yield* backfill.settled(asked.jobs)
    jobs = merged(jobs, settled)
    // what the actor knew when it was asked is there to be read, too
    version = Math.max(version, ...settled.map(({ coverageVersion }) => coverageVersion))
    seen({ jobs, timedOut: false, notes: [], version })
    const nowMs = yield* Clock.currentTimeMillis
    const view = yield* coverage.of(request.entry.series, { minVersion: version })
    version = Math.max(version, view.root.version)
    seen({ jobs, timedOut: false, notes: [], version })
    left = RangeSet.subtract(leftOf(request, gap, view, nowMs), patience.givenUp(jobs, view))
    const retry = patience.retryInMs(settled, nowMs)
    if (Option.isNone(retry) || isEmpty(left)) continue
    // a retry that lies beyond the budget gives the stored error at once
    if (retry.value > (yield* budget.remainingMs)) return false
    budget.retried("backfill")
    yield* Effect.sleep(Math.max(retry.value, request.sla.retryBackoffMs ?? 0))
  }
  const missing = bars(left, request.entry.interval.lengthMs)
  if (missing > 0)
    seen({
      jobs,
      timedOut: false,
      notes: [`${missing} bars were asked for again and again: others came first`],
      version
    })
  return false
})

/** Asks that the gap be filled and waits for it, within the backfill budget. */
export const fillGap = Effect.fnUntraced(function* (request: ValidRequest, gap: RangeSet.RangeSet, budget: Budget) {
  let filled: Filled = { ...untouched, timedOut: true }
  const startedMs = yield* monotonicMs
  const waitMs = backfillWaitMs(request.sla, yield* budget.remainingMs)
  const withinMs = Math.min(waitMs * belowShare, belowMsMax)
  const below = settleBelow(request.entry, gap, { cause: request.requestId, withinMs })
  const rounds = fillRounds(request, gap, budget, (seen) => {
    filled = seen
  })
  const done = yield* budget.phase("backfill", waitMs)(Effect.result(Effect.andThen(below, rounds)))
  if (Option.isSome(done)) {
    if (done.value._tag === "Success") {
      const waitedMs = (yield* monotonicMs) - startedMs
      if (done.value.success) budget.late("backfill", { budgetMs: Math.min(waitMs, queueWaitMsMax), waitedMs })
      return { ...filled, timedOut: done.value.success }
    }
    // the rows that are there are an answer, also when nobody can say what became of the rest
    const note = `what became of the backfill could not be read: ${done.value.failure.message}`
    return { ...filled, timedOut: true, notes: [...filled.notes, note] }
  }
  const note = "the wait for the backfill ended before it did: it goes on, and what it brings is kept"
  return { ...filled, timedOut: true, notes: [...filled.notes, note] }
})
