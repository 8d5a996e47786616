/**
 * How are the windows of one claim filled?
 *
 * The wanted time of neighbouring windows is asked for as one, so that pages are full. Whenever all of a window is
 * answered it is committed and its job completed, while the rest goes on; when the source fails, what is proven so far
 * is kept and only the rest fails.
 */
import { Clock, Effect } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { JobClass, type JobFailure } from "../../protocol/history/BackfillJob.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { Upstream } from "../../protocol/messages/Upstream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { mergeFrames } from "../conformance/mergeFrames.ts"
import type { DataSource } from "../sources/DataSource.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import * as Answer from "./Answer.ts"
import type { Held } from "./BackfillCoordinator.ts"
import { budgetGate } from "./budgetGate.ts"
import { commitRows } from "./commitRows.ts"
import { fetchAnswer, type NoAnswer, patienceMs, type Step } from "./fetchAnswer.ts"
import { type Progress, remainingRanges } from "./jobStep.ts"
import type { LeaseBook } from "./LeaseBook.ts"
import * as Question from "./Question.ts"

/** An absence that proves nothing is asked about again after this long: the source may have had a gap. */
const unprovenRetryMs = 15 * 60_000

/** One claim's worth of work. */
export interface Errand {
  readonly entry: CatalogEntry
  readonly source: DataSource
  readonly leases: LeaseBook
  /** Sources that were asked before and gave no answer. */
  readonly passedOver: ReadonlyArray<JobFailure>
  /** Whether there is no other source to ask when this one fails. */
  readonly isLastSource: boolean
}

/** What has come of the errand so far. */
interface Taken {
  readonly rows: ReadonlyArray<Frame>
  readonly proven: RangeSet.RangeSet
  readonly answered: RangeSet.RangeSet
}

const nothing: Taken = { rows: [], proven: RangeSet.empty, answered: RangeSet.empty }

const wantedBy = (held: ReadonlyArray<Held>): RangeSet.RangeSet =>
  RangeSet.unionAll(held.map(({ job }) => remainingRanges(job)))

const withStep = (taken: Taken, { answer, rows }: Step): Taken => ({
  rows: [...taken.rows, rows],
  proven: RangeSet.union(taken.proven, Answer.proven(answer)),
  answered: RangeSet.union(taken.answered, Answer.answered(answer))
})

const unproven = (ranges: RangeSet.RangeSet, { source }: Errand, nowMs: number): ReadonlyArray<MissingRange> =>
  toPairs(ranges).map(([start, end]) => ({
    start,
    end,
    state: "deferred",
    reason:
      `${source.name} gave no bar, and that proves nothing here: ` +
      `an absence counts between two bars, up to ${source.capabilities.maxEmptyBars} bars long`,
    retryAt: nowMs + unprovenRetryMs
  }))

/** The most urgent class of the windows that are still to be filled: what some of them are wanted for helps all. */
const classOf = (held: ReadonlyArray<Held>): JobClass =>
  JobClass.literals.find((each) => held.some(({ job }) => job.jobClass === each)) ?? "interactive"

/** Commits what is proven of the windows; `answered` is the time of them that needs no further asking. */
const commitWindows = Effect.fnUntraced(function* (
  errand: Errand,
  held: ReadonlyArray<Held>,
  { answered, proven, rows }: Taken
) {
  const wanted = wantedBy(held)
  const settled = RangeSet.intersect(wanted, answered)
  const covered = RangeSet.intersect(wanted, proven)
  if (isEmpty(RangeSet.union(settled, covered))) return 0
  const nowMs = yield* Clock.currentTimeMillis
  return yield* commitRows({
    entry: errand.entry,
    source: errand.source.name,
    rows: mergeFrames(rows),
    proven: covered,
    answered: settled,
    exceptions: unproven(RangeSet.subtract(settled, covered), errand, nowMs),
    jobs: new Map(held.map(({ job }) => [job.windowStart, job])),
    cause: held[0]?.job.cause ?? ""
  })
})

const failureOf = ({ reason, source, tag }: NoAnswer): JobFailure => ({ tag, message: reason, source })

const progressOf = (
  { passedOver }: Errand,
  { proven }: Taken,
  coverageVersion: number,
  requests: number
): Progress => ({ completed: proven, coverageVersion, requests, passedOver })

/**
 * Commits and completes the jobs whose time has been answered; `all` of them where the source has nothing more to
 * say.
 */
const completeAnswered = Effect.fnUntraced(function* (errand: Errand, taken: Taken, requests: number, all: boolean) {
  const ready = errand.leases.open().filter((held) => all || RangeSet.contains(taken.answered, wantedBy([held])))
  if (ready.length === 0) return false
  const coverageVersion = yield* commitWindows(errand, ready, taken)
  yield* Effect.forEach(ready, ({ key }, index) =>
    // the requests of an errand are counted once, with its first window
    errand.leases.complete(key, progressOf(errand, taken, coverageVersion, index === 0 ? requests : 0))
  )
  return true
})

const failRest = Effect.fnUntraced(function* (errand: Errand, taken: Taken, requests: number, reason: NoAnswer) {
  const rest = errand.leases.open()
  const coverageVersion = yield* commitWindows(errand, rest, { ...taken, answered: RangeSet.empty })
  yield* Effect.forEach(rest, ({ key }, index) =>
    errand.leases.fail(key, progressOf(errand, taken, coverageVersion, index === 0 ? requests : 0), {
      failure: failureOf(reason),
      retryAfterMs: reason.retryAfterMs,
      isAttempt: reason.wasAsked
    })
  )
})

/**
 * Fills the windows of the errand's leases as far as the source answers. Ends every one of its jobs, unless the source
 * fails and there is another one to ask. Gives why the source failed, if it did.
 */
export const runErrand = Effect.fn(Span.backfillRun)(function* (errand: Errand) {
  const { entry, source } = errand
  const { barsPerRequest, finalityDelayMs, maxEmptyBars } = source.capabilities
  const finalUntil = Interval.alignDown(entry.interval, (yield* Clock.currentTimeMillis) - finalityDelayMs)
  const wanted = RangeSet.clip(wantedBy(errand.leases.open()), -Infinity, finalUntil)
  const coverage = yield* Coverage
  const series = Subject.series(entry.series.nodeId, entry.series.interval)
  const gate = budgetGate(yield* Upstream, () => ({
    source: source.name,
    series,
    jobClass: classOf(errand.leases.open()),
    patienceMs
  }))
  const { covered } = yield* coverage.of(entry.series, { fresh: true })
  yield* Effect.annotateCurrentSpan({
    [Attribute.nodeId]: entry.series.nodeId,
    [Attribute.interval]: entry.series.interval,
    [Attribute.source]: source.name
  })

  let taken = nothing
  let requests = 0
  const onStep = Effect.fnUntraced(function* (step: Step) {
    taken = withStep(taken, step)
    if (yield* completeAnswered(errand, taken, requests, false)) requests = 0
  })

  const fetchAll = Effect.forEach(
    toPairs(RangeSet.subtract(wanted, covered)),
    (stretch) => {
      const ask = Effect.map(coverage.of(entry.series, { fresh: true }), (now) =>
        Question.about(stretch, {
          intervalMs: entry.interval.lengthMs,
          maxEmptyBars,
          barsPerRequest,
          // what the errand has proven by now is not looked into either
          covered: RangeSet.union(now.covered, taken.proven),
          finalUntil
        })
      )
      return fetchAnswer({ source, entry, gate, ask }, onStep, () => void requests++)
    },
    { discard: true }
  )
  const failed = yield* fetchAll.pipe(
    Effect.as(undefined),
    Effect.catchTag("NoAnswer", (reason) => Effect.succeed(reason))
  )
  if (failed === undefined) yield* completeAnswered(errand, taken, requests, true)
  else if (errand.isLastSource) yield* failRest(errand, taken, requests, failed)
  else yield* commitWindows(errand, errand.leases.open(), { ...taken, answered: RangeSet.empty })
  return failed === undefined ? [] : [failureOf(failed)]
})
