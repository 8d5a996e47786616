/**
 * How are the windows of one claim filled?
 *
 * The wanted time of neighbouring windows is asked for as one, so that pages are full. Whenever all of a window is
 * answered it is committed and its job completed, while the rest goes on; when the source fails, what is proven so far
 * is kept and only the rest fails.
 */
import { Clock, Effect, Exit, Option, Result } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { isRevision, JobClass, type JobFailure } from "../../protocol/history/BackfillJob.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import { clipTo, isOwed, type MissingRange, timeOf } from "../../protocol/history/MissingRange.ts"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { Upstream } from "../../protocol/messages/Upstream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import { type DataSources, RequestFailed } from "../sources/DataSource.ts"
import { Gate, type WayOut } from "../sources/Gate.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { type AutoBackfiller, type Known, NoAnswer, type Step } from "./AutoBackfiller.ts"
import type { Held, LeaseLost } from "./BackfillCoordinator.ts"
import { budgetGate } from "./budgetGate.ts"
import { commitRows } from "./commitRows.ts"
import { type Absences, deferAbsences } from "./deferAbsences.ts"
import { patienceMs } from "./pagedBackfiller.ts"
import { beforeFirstBar, findFirstBar, type FirstBar, leadingAbsence, type SendTo, tradedTime } from "./findFirstBar.ts"
import { type Progress, remainingRanges } from "./jobStep.ts"
import type { LeaseBook } from "./LeaseBook.ts"
import { storedBefore } from "./storedBefore.ts"
import { type ErrandPlan, planErrand, scopeOf } from "./planErrand.ts"
import { type Upon, uponNow } from "./standingEntries.ts"
import { storedBars } from "./storedRows.ts"

/** One claim's worth of work. */
export interface Errand {
  readonly entry: CatalogEntry
  readonly source: AutoBackfiller
  readonly leases: LeaseBook
  /** The time that any source has been asked about in vain or not, in this claim. */
  readonly tried: { about: RangeSet.RangeSet }
  /** Sources that were asked before and gave no answer. */
  readonly passedOver: ReadonlyArray<JobFailure>
  /** Whether there is no other source to ask when this one fails. */
  readonly isLastSource: boolean
}

/** An errand under way. */
interface Run extends Errand {
  readonly plan: ErrandPlan
  /** What stood of its windows, where it asks for stored time once more; undefined where it fills what is missing. */
  readonly upon: ReadonlyMap<number, Upon> | undefined
  readonly startedMs: number
  /** The coverage as it was at its begin. */
  readonly view: CoverageView
  /** Where the series begins; asked for at most once. */
  readonly firstBar: Effect.Effect<Option.Option<FirstBar>, never, DataSources>
  /** The way out to its source. */
  readonly gate: WayOut
  /** Requests that no job has been told of yet; and the window that turned out to be another's: that ends all. */
  readonly sent: { requests: number; lost?: LeaseLost }
}

/** What has come of the errand so far. */
interface Taken {
  readonly rows: ReadonlyArray<Frame>
  readonly proven: RangeSet.RangeSet
  readonly answered: RangeSet.RangeSet
  /** What quality rules found in the rows. */
  readonly findings: ReadonlyArray<Findings.Findings>
  /** What the source, or a quality rule, itself said of time that is not proven. */
  readonly told: ReadonlyArray<MissingRange>
}

const nothing: Taken = { rows: [], proven: RangeSet.empty, answered: RangeSet.empty, findings: [], told: [] }

const scopeOfAll = ({ plan }: Run, held: ReadonlyArray<Held>): RangeSet.RangeSet =>
  RangeSet.unionAll(held.map(({ job }) => scopeOf(job, plan.along)))

const withStep = (taken: Taken, { answered, exceptions = [], findings = {}, proven, rows }: Step): Taken => ({
  rows: [...taken.rows, rows],
  proven: RangeSet.union(taken.proven, proven),
  answered: RangeSet.union(taken.answered, answered),
  findings: Findings.isNone(findings) ? taken.findings : [...taken.findings, findings],
  told: exceptions.length === 0 ? taken.told : [...taken.told, ...exceptions]
})

/** What can't be had of an absence before all that is known: by what somebody else has found out, or by asking. */
const beforeBegin = Effect.fnUntraced(function* (
  { entry, firstBar }: Run,
  absence: RangeSet.RangeSet,
  covered: RangeSet.RangeSet
) {
  const { root } = yield* (yield* Coverage).of(entry.series, { fresh: true })
  const found = clipTo(
    root.exceptions.filter((range) => !isOwed(range)),
    absence
  )
  const open = RangeSet.subtract(absence, timeOf(found))
  const first = isEmpty(open) ? Option.none<FirstBar>() : yield* firstBar
  const told = Option.match(first, {
    onNone: () => [],
    onSome: (first) => beforeFirstBar(first, { covered, entry, absence: open })
  })
  return told.length > 0 ? told : found
})

/** What is known from now on of time that was answered, and about which nothing was proven. */
const explain = Effect.fnUntraced(function* (
  run: Run,
  unproven: RangeSet.RangeSet,
  { late, proven }: Required<Pick<Absences, "late" | "proven">>
) {
  const { entry, source, view } = run
  // of what is stored and not proven anew, what is known does not change
  if (run.upon !== undefined || isEmpty(unproven)) return []
  const covered = tradedTime(entry, RangeSet.union(view.covered, proven))
  const absence = leadingAbsence(unproven, covered)
  const never = isEmpty(absence) ? [] : yield* beforeBegin(run, absence, covered)
  const nowMs = yield* Clock.currentTimeMillis
  const absences = { source, waits: entry.absence, known: view.root.exceptions, proven, late, nowMs }
  return [...never, ...deferAbsences(RangeSet.subtract(unproven, timeOf(never)), absences)]
})

/** The most urgent class of the windows that are still to be filled: what some of them are wanted for helps all. */
const classOf = (held: ReadonlyArray<Held>): JobClass =>
  JobClass.literals.find((each) => held.some(({ job }) => job.jobClass === each)) ?? "interactive"

/** What the work on these windows is for. */
const workFor = (held: ReadonlyArray<Held>) => ({ jobClass: classOf(held), cause: held[0]?.job.cause ?? "" })

/** Why it is committed: where a calendar counts as a proof, by which. It is none of what is stored. */
const causeOf = ({ entry: { calendar, interval }, upon }: Run, cause: string, proven: RangeSet.RangeSet): string => {
  const isClosed = (range: Range): boolean => !isEmpty(Calendar.closedBars(calendar, interval, range))
  if (upon !== undefined || calendar.label === undefined || !toPairs(proven).some(isClosed)) return cause
  return [cause, `closed by ${calendar.label}`].filter((each) => each !== "").join(", ")
}

/** Commits what is proven of the windows; `answered` is the time of them that needs no further asking. */
const commitWindows = Effect.fnUntraced(function* (
  errand: Run,
  held: ReadonlyArray<Held>,
  { answered, findings, proven, rows, told }: Taken
) {
  const wanted = scopeOfAll(errand, held)
  const settled = RangeSet.intersect(wanted, answered)
  const covered = RangeSet.intersect(wanted, proven)
  if (isEmpty(RangeSet.union(settled, covered))) return 0
  // what is told of is no absence that anybody has to explain
  const known = clipTo(told, RangeSet.subtract(settled, covered))
  const unproven = RangeSet.subtract(RangeSet.subtract(settled, covered), timeOf(known))
  const found = Findings.unionAll(findings)
  const late = Findings.timeOfStep(found, "dropped")
  const exceptions = [...known, ...(yield* explain(errand, unproven, { late, proven }))]
  return yield* commitRows({
    entry: errand.entry,
    source: errand.source.name,
    rows,
    findings: found,
    proven: covered,
    answered: RangeSet.union(settled, timeOf(exceptions)),
    exceptions,
    isRevision: errand.upon !== undefined,
    ...(errand.upon !== undefined && { upon: errand.upon }),
    askedAtMs: errand.startedMs,
    jobs: new Map(held.map(({ job }) => [job.windowStart, job])),
    cause: causeOf(errand, workFor(held).cause, covered)
  })
})

const failureOf = ({ reason, source, tag }: NoAnswer): JobFailure => ({ tag, message: reason, source })

/** What became of a job; the requests of an errand are counted once, with its first window. */
const progressOf = ({ passedOver, sent }: Run, { proven }: Taken, coverageVersion: number): Progress => {
  const { requests } = sent
  sent.requests = 0
  return { completed: proven, coverageVersion, requests, passedOver }
}

/**
 * Commits and completes the jobs whose time has been answered; `all` of them where the source has nothing more to
 * say.
 */
const completeAnswered = Effect.fnUntraced(function* (errand: Run, taken: Taken, all: boolean) {
  // which stored bars an answer leaves open is known at its end
  const settled = errand.upon === undefined ? taken.answered : taken.proven
  const isOver = ({ job }: Held): boolean =>
    all && isEmpty(RangeSet.intersect(remainingRanges(job), errand.plan.beyond))
  const ready = errand.leases
    .open()
    .filter((held) => isOver(held) || RangeSet.contains(settled, scopeOfAll(errand, [held])))
  if (ready.length === 0) return
  const coverageVersion = yield* commitWindows(errand, ready, taken)
  yield* Effect.forEach(ready, ({ key }) => errand.leases.complete(key, progressOf(errand, taken, coverageVersion)))
})

/** Why bars that are stored are asked for again. */
const notProven = ({ entry, source }: Run, open: RangeSet.RangeSet): JobFailure => ({
  tag: "SourceUnavailable",
  message:
    `it left out ${bars(open, entry.interval.lengthMs)} stored bars, and gave no bars on either side of them ` +
    "that would prove them gone",
  source: source.name
})

/**
 * Ends what is left of a revision whose source is through with what it was asked. What it says nothing of is as it is
 * stored, and asked for again; of time without a bar, of bars that a rule keeps out or leaves out as late, and of those
 * that it does not keep any more it had its last word.
 */
const endRevision = Effect.fnUntraced(function* (errand: Run, taken: Taken, upon: ReadonlyMap<number, Upon>) {
  const held = errand.leases.open()
  const scope = scopeOfAll(errand, held)
  const dropped = Findings.timeOfStep(Findings.unionAll(taken.findings), "dropped")
  const over = RangeSet.unionAll([taken.proven, timeOf(taken.told), dropped, errand.plan.shut])
  const open = yield* storedBars(errand.entry, upon, RangeSet.subtract(scope, over))
  const answered = RangeSet.subtract(scope, open)
  const coverageVersion = yield* commitWindows(errand, held, { ...taken, answered })
  yield* Effect.forEach(held, (each) => {
    const left = RangeSet.intersect(scopeOfAll(errand, [each]), open)
    const progress = progressOf(errand, { ...taken, proven: answered }, coverageVersion)
    return isEmpty(left)
      ? errand.leases.complete(each.key, progress)
      : errand.leases.fail(each.key, progress, { failure: notProven(errand, left), retryAfterMs: 0 })
  })
})

/** Ends what is left as failed; only the windows that were asked about have been tried. */
const failRest = Effect.fnUntraced(function* (errand: Run, taken: Taken, reason: NoAnswer) {
  const rest = errand.leases.open()
  const wasTried = (held: Held): boolean => !isEmpty(RangeSet.intersect(scopeOfAll(errand, [held]), errand.tried.about))
  const coverageVersion = yield* commitWindows(errand, rest, { ...taken, answered: RangeSet.empty })
  yield* Effect.forEach(rest, (held) =>
    errand.leases.fail(held.key, progressOf(errand, taken, coverageVersion), {
      failure: failureOf(reason),
      retryAfterMs: reason.retryAfterMs,
      isAttempt: reason.tag !== "BackfillOff" && wasTried(held)
    })
  )
})

/** Whose windows they are by now asks for them. */
const notOurs = ({ key }: LeaseLost): RequestFailed =>
  new RequestFailed({ reason: `${key} is another's by now`, retryable: false, retryAfterMs: null, unsent: "budget" })

/**
 * Lets nothing out for windows that may be another's by now: who was frozen looks before it asks on. A permit that came
 * meanwhile is given back, since it is for now.
 */
const leasedGate = ({ isSure, makeSure }: LeaseBook, sent: Run["sent"], { enter }: WayOut): WayOut => {
  const enterSure: WayOut["enter"] = Effect.gen(function* () {
    yield* Effect.mapError(makeSure, (lost) => {
      sent.lost = lost
      return notOurs(lost)
    })
    const pass = yield* enter
    if (yield* isSure) return pass
    yield* pass.end(Exit.interrupt())
    return yield* enterSure
  })
  return { enter: enterSure }
}

/** The one after which it makes sense to ask again first. */
const soonest = (reasons: ReadonlyArray<NoAnswer>): NoAnswer | undefined =>
  reasons.toSorted((a, b) => a.retryAfterMs - b.retryAfterMs)[0]

/** Why a source was not asked about what it does not keep any more. */
const keepsNoLonger = ({ source }: Errand): NoAnswer =>
  new NoAnswer({
    tag: "SourceUnavailable",
    source: source.name,
    reason: `it keeps bars for ${source.capabilities.retentionMs} ms, and what is wanted is older`,
    retryAfterMs: 0
  })

/** The errand with its plan, upon what is covered now. */
const prepare = Effect.fnUntraced(function* (errand: Errand) {
  const { entry, source } = errand
  const view = yield* (yield* Coverage).of(entry.series, { fresh: true })
  const jobs = errand.leases.open().map(({ job }) => job)
  const nowMs = yield* Clock.currentTimeMillis
  const grid = Window.makeGrid(entry.interval, view.root.windowBars)
  const windowStarts = jobs.map(({ windowStart }) => windowStart)
  const upstream = yield* Upstream
  const series = Subject.series(entry.series.nodeId, entry.series.interval)
  const sent: Run["sent"] = { requests: 0 }
  const gateTo = ({ name }: { readonly name: string }): WayOut =>
    leasedGate(
      errand.leases,
      sent,
      budgetGate(upstream, () => ({ source: name, series, jobClass: classOf(errand.leases.open()), patienceMs }))
    )
  const sendTo: SendTo = (source) =>
    Effect.fnUntraced(function* (request) {
      const answer = yield* request.pipe(Effect.provideService(Gate, gateTo(source)), Effect.result)
      if (Result.isSuccess(answer) || answer.failure.unsent === undefined) sent.requests += 1
      return yield* Effect.fromResult(answer)
    })
  return {
    ...errand,
    sent,
    upon: jobs.some(isRevision) ? yield* uponNow(view.root, grid, windowStarts, source.name) : undefined,
    startedMs: nowMs,
    gate: gateTo(source),
    view,
    plan: planErrand(jobs, { entry, capabilities: source.capabilities, view, nowMs }),
    firstBar: yield* Effect.cached(findFirstBar(entry, sendTo))
  } satisfies Run
})

/**
 * Fills the windows of the errand's leases as far as the source answers. Ends every one of its jobs, unless the source
 * fails and there is another one to ask. Gives why the source failed, if it did.
 */
export const runErrand = Effect.fn(Span.backfillRun)(function* (given: Errand) {
  const { entry, source } = given
  const coverage = yield* Coverage
  const errand = yield* prepare(given)
  const { gate } = errand
  const { finalUntil, shut, stretches, untraded } = errand.plan
  yield* Effect.annotateCurrentSpan({
    [Attribute.nodeId]: entry.series.nodeId,
    [Attribute.interval]: entry.series.interval,
    [Attribute.source]: source.name
  })

  let taken = nothing
  const onStep = Effect.fnUntraced(function* (step: Step) {
    taken = withStep(taken, step)
    yield* completeAnswered(errand, taken, false)
  })

  const known = Effect.map(
    coverage.of(entry.series, { fresh: true }),
    // what the errand has proven by now is not looked into either
    (now): Known => ({
      covered: RangeSet.unionAll([now.covered, taken.proven, untraded]),
      shut,
      finalUntil,
      byBarsAlone: errand.upon !== undefined
    })
  )
  const onRequest = (about: Range): void => {
    errand.sent.requests += 1
    errand.tried.about = RangeSet.union(errand.tried.about, RangeSet.of(...about))
  }
  const work = workFor(errand.leases.open())
  const store = yield* ChunkStore
  const rowsBefore = ([start]: Range) =>
    storedBefore({ entry, source: source.name, view: errand.view }, start).pipe(
      Effect.provideService(ChunkStore, store)
    )
  const refillOne = (stretch: Range) =>
    source.refill({ entry, stretch, known, before: rowsBefore(stretch), work, gate, onRequest }, onStep).pipe(
      Effect.as(undefined),
      Effect.catchTag("NoAnswer", (reason) => (reason.isLocal === true ? Effect.succeed(reason) : Effect.fail(reason)))
    )
  const failed = yield* Effect.forEach(toPairs(stretches), refillOne).pipe(
    Effect.map((reasons) => soonest(reasons.filter((reason) => reason !== undefined))),
    Effect.catchTag("NoAnswer", (reason) => Effect.succeed(reason))
  )
  // what is left of it is given back as it is
  if (errand.sent.lost !== undefined) return yield* errand.sent.lost
  if (failed === undefined && errand.upon === undefined) yield* completeAnswered(errand, taken, true)
  if (failed === undefined && errand.upon !== undefined) yield* endRevision(errand, taken, errand.upon)
  if (errand.leases.open().length === 0) return []
  const reason = failed ?? keepsNoLonger(errand)
  if (errand.isLastSource) yield* failRest(errand, taken, reason)
  else yield* commitWindows(errand, errand.leases.open(), { ...taken, answered: RangeSet.empty })
  return [failureOf(reason)]
})
