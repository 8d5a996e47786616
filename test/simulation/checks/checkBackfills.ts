/**
 * Does a backfill that has a name come to its end, and is it told truly how it stands?
 *
 * It is done when nothing is left that can be had; what is called off stays so; one that is held up asks for nothing.
 * What it says of its figures is so by the coverage.
 */
import { Schema } from "effect"
import { BackfillReport } from "../../../protocol/history/NamedBackfill.ts"
import { bars, isEmpty } from "../../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Operation } from "../History.ts"
import * as Market from "../Market.ts"
import type { RootWritten, RunRecord } from "../RunRecord.ts"
import { windowOf } from "./words.ts"

const isReport = Schema.is(BackfillReport)

const ends = { pauseBackfill: "paused", resumeBackfill: "running", cancelBackfill: "cancelled" } as const
const isChange = (what: string): what is keyof typeof ends => what in ends

/** A root's time, of these states. */
const timeOf = ({ root }: RootWritten, states: ReadonlyArray<string>): RangeSet.RangeSet =>
  RangeSet.make(
    root.exceptions.flatMap(({ end, start, state }): ReadonlyArray<Range> =>
      states.includes(state) ? [[start, end]] : []
    )
  )

const coveredBy = ({ root }: RootWritten): RangeSet.RangeSet => RangeSet.make(root.covered)

/** Time of windows that have waited for a person at some time. */
const everAside = ({ jobs }: RunRecord, node: string): RangeSet.RangeSet =>
  RangeSet.unionAll(
    jobs.flatMap(({ job }) => (job.series.nodeId === node && job.state === "QUARANTINED" ? [windowOf(job)] : []))
  )

/** Time of windows that have failed, and are tried again later. */
const failing = ({ jobs }: RunRecord, node: string): RangeSet.RangeSet => {
  const last = new Map(jobs.flatMap(({ job, subject }) => (job.series.nodeId === node ? [[subject, job]] : [])))
  return RangeSet.unionAll(Array.from(last.values()).flatMap((job) => (job.state === "FAILED" ? [windowOf(job)] : [])))
}

/** What has to stand in the end, where the last word is certain; undefined where it is not. */
const lastWord = (operations: ReadonlyArray<Operation>): string | undefined => {
  const changes = operations.filter(({ what }) => isChange(what))
  if (changes.some(({ outcome, what }) => what === "cancelBackfill" && outcome === "ok")) return "cancelled"
  const last = changes.at(-1)
  if (last?.outcome !== "ok" || !isChange(last.what)) return undefined
  const others = changes.filter((change) => change !== last)
  // one without an answer may still take effect
  const areOver = others.every(({ completedAtMs, outcome, untilMs }) =>
    outcome === "ok" || outcome === "BackfillEnded" ? completedAtMs < last.invokedAtMs : untilMs < last.invokedAtMs
  )
  return areOver ? ends[last.what] : undefined
}

const checkStatus = (report: BackfillReport, operations: ReadonlyArray<Operation>): ReadonlyArray<string> => {
  const wanted = lastWord(operations)
  const isSo = wanted === undefined || report.status === wanted || (wanted !== "cancelled" && report.status === "done")
  return isSo ? [] : [`the backfill is ${report.status}, and was to be ${wanted}`]
}

/** How old what a host knows of coverage may be on a good day. */
const heardWithinMs = 1000

/** Whether what it says is left is so by some root that stood while it looked, or that it ended upon. */
const checkLeft = (
  report: BackfillReport,
  run: RunRecord,
  {
    askedAtMs,
    isScarce,
    toldAtMs
  }: { readonly isScarce: boolean; readonly askedAtMs: number; readonly toldAtMs: number }
): ReadonlyArray<string> => {
  const { figures, nodeId, status } = report
  const range = RangeSet.of(report.start, report.end)
  const roots = run.roots.filter(({ atMs, node }) => node === nodeId && atMs <= toldAtMs)
  const aside = everAside(run, nodeId)
  const leftBy = (root: RootWritten): RangeSet.RangeSet =>
    RangeSet.subtract(range, RangeSet.union(coveredBy(root), timeOf(root, ["unavailable", "quarantined"])))
  const last = roots.at(-1)
  if (status === "done") {
    const isDone = roots.some((root) => isEmpty(RangeSet.subtract(leftBy(root), aside)))
    // what was taken out of the coverage since is missing by its figures of now
    return isDone ? [] : ["the backfill is done, and something has always been left"]
  }
  if (last === undefined) return []
  if (status === "paused") {
    const told = figures.leftBars + figures.unavailableBars + figures.quarantinedBars
    const since = roots.findLastIndex(({ atMs }) => atMs <= askedAtMs - heardWithinMs)
    const missing = roots
      .slice(Math.max(0, since))
      .map((root) => bars(RangeSet.subtract(range, coveredBy(root)), Market.barMs))
    return missing.includes(told) ? [] : [`the backfill tells of ${told} bars that are missing, not ${missing.join()}`]
  }
  if (status !== "running" || isScarce) return []
  const excused = RangeSet.unionAll([timeOf(last, ["deferred"]), failing(run, nodeId)])
  const left = RangeSet.subtract(leftBy(last), excused)
  return isEmpty(left) ? [] : [`the backfill still runs, and lacks ${bars(left, Market.barMs)} bars`]
}

/** How long after it was held up what it had asked for before may still be opened. */
const asksOnMs = 12_000

/** Runs that were opened anew for a backfill. */
const openedFor = ({ jobs }: RunRecord): ReadonlyArray<RunRecord["jobs"][number]> => {
  const runs = new Map<string, number>()
  return jobs.filter(({ job, subject }) => {
    const before = runs.get(subject) ?? 0
    runs.set(subject, job.run)
    // one that follows a failed one by itself remembers why
    return job.run > before && job.failure === null && job.cause.startsWith("backfill:")
  })
}

/** Whether a run follows one that was under way at that moment, and that did not bring all that was wanted. */
const isFollowing = (
  { atOrder, job, subject }: RunRecord["jobs"][number],
  { jobs }: RunRecord,
  atMs: number
): boolean => {
  const before = jobs.filter((written) => written.subject === subject && written.atOrder < atOrder)
  const [first, last] = [before.find((written) => written.job.run === job.run - 1), before.at(-1)]
  return first !== undefined && first.atMs <= atMs + asksOnMs && last !== undefined && last.atMs > atMs
}

/** Runs that were opened for it while it was held up. */
const checkHeldUp = (run: RunRecord, operations: ReadonlyArray<Operation>): ReadonlyArray<string> => {
  const held = operations.find(
    ({ completedAtMs, outcome, what }) =>
      outcome === "ok" &&
      (what === "pauseBackfill" || what === "cancelBackfill") &&
      !operations.some((each) => each.what === "resumeBackfill" && each.untilMs > completedAtMs)
  )
  if (held === undefined) return []
  return openedFor(run)
    .filter(({ atMs }) => atMs > held.completedAtMs + asksOnMs)
    .filter((opened) => !isFollowing(opened, run, held.completedAtMs))
    .map(({ revision, subject }) => `job ${subject} at revision ${revision}: opened by a backfill that is held up`)
}

/** What of a run's backfill is not as it was ordered, or not as it is told. */
export const checkBackfills = (
  run: RunRecord,
  operations: ReadonlyArray<Operation>,
  isScarce: boolean
): ReadonlyArray<string> => {
  const stands = operations.find(({ id }) => id === "stands")
  if (stands === undefined) return []
  const { answer, completedAtMs: toldAtMs, invokedAtMs: askedAtMs, outcome } = stands
  const isCreated = operations.some((each) => each.what === "createBackfill" && each.outcome === "ok")
  if (outcome === "UnknownBackfill") return isCreated ? ["the backfill was created, and is not known"] : []
  if (!isReport(answer)) return [`nobody says how the backfill stands: ${outcome}`]
  return [
    ...checkStatus(answer, operations),
    ...checkLeft(answer, run, { isScarce, askedAtMs, toldAtMs }),
    ...checkHeldUp(run, operations)
  ]
}
