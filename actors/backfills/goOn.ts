/**
 * How does a backfill come one step further?
 *
 * A look at the coverage of its series, and a demand for each lot of windows that planWork.ts names. Nothing is saved
 * here, and everything may be done again: to demand what was demanded before changes nothing.
 */
import { Clock, Effect, Result } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import type { BackfillFigures, NamedBackfill } from "../../protocol/history/NamedBackfill.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { traceParent } from "../../runtime/telemetry/Propagation.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { changedByItself } from "./backfillStep.ts"
import * as Outstanding from "./Outstanding.ts"
import * as Pace from "./Pace.ts"
import { planWork, type WorkPlan } from "./planWork.ts"
import type { Knowledge } from "./reportOf.ts"

/** How often it looks while something is under way. */
export const lookEveryMs = 1000
/** How seldom it looks at the least: operators and other readers change what is left, too. */
const lookAgainMsMax = 60_000
/** How often it asks about windows that are under way: a run may have failed, and wait for its next attempt. */
const askAgainMs = 5000
/** How long one demand may take: the coverage actor answers within milliseconds, unless it moves. */
const demandWithinMs = 5000
/** With more windows than that in quarantine it pauses: something is wrong that trying others will not mend. */
const quarantinedWindowsMax = 1000

/** How a backfill stands in the hands of its activation. */
export interface Standing {
  readonly backfill: NamedBackfill
  readonly knowledge: Knowledge
  /** When it asked about all of its outstanding windows. */
  readonly askedAtMs: number
}

/** A standing, and when to look next. */
interface Gone extends Standing {
  readonly nextLookAt: number
}

/** A plan, and what it was made upon. */
interface Looked {
  readonly plan: WorkPlan
  readonly entry: CatalogEntry
  readonly grid: Window.Grid
  readonly quarantined: RangeSet.RangeSet
}

/** All time of the windows that have any of it. */
const windowsOf = (time: RangeSet.RangeSet, grid: Window.Grid): RangeSet.RangeSet =>
  RangeSet.make(Window.split(grid, time).map(({ windowStart }) => Window.windowRange(grid, windowStart)))

/** The time of windows whose jobs are quarantined. */
const quarantinedBy = (jobs: ReadonlyArray<BackfillJob>, grid: Window.Grid): RangeSet.RangeSet =>
  RangeSet.make(
    jobs.filter(({ state }) => state === "QUARANTINED").map(({ windowStart }) => Window.windowRange(grid, windowStart))
  )

/** What is left as the series is covered now, and what to ask for; `heard` is what was told of jobs meanwhile. */
export const look = Effect.fnUntraced(function* (
  { backfill, knowledge }: Pick<Standing, "backfill" | "knowledge">,
  heard: ReadonlyArray<BackfillJob> = []
) {
  const entry = yield* (yield* SeriesCatalog).find(backfill.nodeId, backfill.interval)
  const { covered, root } = yield* (yield* Coverage).of(entry.series)
  const nowMs = yield* Clock.currentTimeMillis
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const ours = heard.filter(({ windowStart }) => knowledge.outstanding.has(windowStart))
  // the root says so soon of some of each window, and no longer: an operator may have had one tried again
  const aside = windowsOf(MissingRange.timeOf(root.exceptions.filter(({ state }) => state === "quarantined")), grid)
  const quarantined = RangeSet.union(RangeSet.intersect(backfill.quarantined, aside), quarantinedBy(ours, grid))
  const outstanding = Outstanding.heard(knowledge.outstanding, ours)
  const missing = RangeSet.missing(covered, backfill.start, backfill.end)
  const exceptions = Reach.classify(entry, missing, root.exceptions, nowMs)
  const plan = planWork({ backfill: { ...backfill, quarantined }, covered, exceptions, grid, outstanding, nowMs })
  return { plan, entry, grid, quarantined } satisfies Looked
})

/** Has the coverage actor fill these ranges; gives the jobs that do it, or why it could not be asked. */
const demand = Effect.fnUntraced(function* (
  { jobClass, name }: NamedBackfill,
  { series, sources }: CatalogEntry,
  ranges: RangeSet.RangeSet
) {
  const coverage = yield* Coverage
  const request = { series, ranges, sources, jobClass, cause: `backfill:${name}`, traceParent: yield* traceParent }
  return yield* coverage.ensure(request).pipe(withBudget(demandWithinMs), Effect.result)
})

/** What the answers to demands told. */
interface Told {
  readonly outstanding: Outstanding.Outstanding
  readonly quarantined: RangeSet.RangeSet
  readonly trouble: string
}

/** Makes the demands, one after another: the workers take windows in the order in which they are queued. */
const makeDemands = Effect.fnUntraced(function* (
  backfill: NamedBackfill,
  { entry, grid, plan, quarantined }: Looked,
  demands: ReadonlyArray<RangeSet.RangeSet>
) {
  let told: Told = { outstanding: plan.outstanding, quarantined, trouble: "" }
  for (const ranges of demands) {
    const answer = yield* demand(backfill, entry, ranges)
    if (Result.isFailure(answer)) return { ...told, trouble: answer.failure.message }
    const { jobs } = answer.success
    const windowStarts = Window.split(grid, ranges).map(({ windowStart }) => windowStart)
    told = {
      outstanding: Outstanding.heard(Outstanding.asked(told.outstanding, windowStarts), jobs),
      quarantined: RangeSet.union(told.quarantined, quarantinedBy(jobs, grid)),
      trouble: ""
    }
  }
  return told
})

/** When something may be different: soon while a run is under way, else when the first thing that waits is due. */
const waitsUntil = ({ plan }: Looked, { outstanding, trouble }: Told, nowMs: number): number | null => {
  if (trouble !== "" || Outstanding.isUnderWay(outstanding, nowMs)) return null
  const dueAt = Math.min(Outstanding.nextAttemptAt(outstanding), plan.deferredUntil)
  return dueAt > nowMs + lookEveryMs && dueAt < Infinity ? dueAt : null
}

/** What is there of a range: not what can't be had, nor what was set aside. */
const broughtBars = ({ bars, leftBars, quarantinedBars, unavailableBars }: BackfillFigures): number =>
  bars - leftBars - quarantinedBars - unavailableBars

const tooManyQuarantined = `over ${quarantinedWindowsMax} windows are quarantined: see why, retry or skip, then resume`

/** The backfill after a look that found something left. */
const ask = Effect.fnUntraced(function* (standing: Standing, looked: Looked) {
  const { askable, demands, figures, outstanding } = looked.plan
  const nowMs = figures.at
  const known = Outstanding.timeOf(outstanding, looked.grid)
  const isDue = nowMs - standing.askedAtMs >= askAgainMs
  const again = isDue && !isEmpty(known) ? [RangeSet.intersect(askable, known)] : []
  const told = yield* makeDemands(standing.backfill, looked, [...again, ...demands])
  const backfill: NamedBackfill = {
    ...standing.backfill,
    figures,
    failing: Outstanding.failing(told.outstanding).first,
    quarantined: told.quarantined
  }
  const dueAt = waitsUntil(looked, told, nowMs)
  const quarantined = RangeSet.union(looked.plan.quarantined, told.quarantined)
  const isTooMany = Window.count(looked.grid, quarantined) > quarantinedWindowsMax
  return {
    backfill: isTooMany ? changedByItself(backfill, { status: "paused", reason: tooManyQuarantined }, nowMs) : backfill,
    knowledge: {
      outstanding: told.outstanding,
      pace: Pace.seen(standing.knowledge.pace, { atMs: nowMs, done: broughtBars(figures) }),
      trouble: told.trouble,
      quarantined,
      waitsUntil: dueAt
    },
    askedAtMs: isDue ? nowMs : standing.askedAtMs,
    nextLookAt: dueAt === null ? nowMs + lookEveryMs : Math.min(dueAt, nowMs + lookAgainMsMax)
  } satisfies Gone
})

/**
 * One step of a backfill that runs: it asks for what comes next, and is done where nothing is left. `heard` is what was
 * told of jobs since the last step.
 */
export const goOn = Effect.fnUntraced(function* (standing: Standing, heard: ReadonlyArray<BackfillJob>) {
  const looked = yield* Effect.result(look(standing, heard))
  if (Result.isFailure(looked)) {
    const nowMs = yield* Clock.currentTimeMillis
    const { _tag, message } = looked.failure
    const waitMs = _tag === "UnknownSeries" ? lookAgainMsMax : lookEveryMs
    const knowledge = { ...standing.knowledge, trouble: message, waitsUntil: null }
    return { ...standing, knowledge, nextLookAt: nowMs + waitMs } satisfies Gone
  }
  const { plan, quarantined: known } = looked.success
  const { figures, outstanding, quarantined } = plan
  if (figures.leftBars > 0) return yield* ask(standing, looked.success)
  const done = { ...standing.backfill, figures, quarantined: known, failing: [] }
  return {
    ...standing,
    backfill: changedByItself(done, { status: "done", reason: "" }, figures.at),
    knowledge: { ...standing.knowledge, outstanding, trouble: "", quarantined, waitsUntil: null },
    nextLookAt: Infinity
  } satisfies Gone
})
