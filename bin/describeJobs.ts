/** How are jobs told of? */
import type { AdminAnswer } from "../client/admin.ts"
import * as RangeMeasure from "../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import { amountText, clockText } from "./amountText.ts"
import { isoTime } from "./isoTime.ts"
import { absent, type ColumnOf, orAbsent, tableOf } from "./tableOf.ts"

type Listed = AdminAnswer<"jobs">
type Job = Listed["jobs"][number]
type Record = AdminAnswer<"job">["job"]

/** In how long a failed window is tried again. */
const nextText = (nextAttemptAt: number | null, nowMs: number): string => {
  if (nextAttemptAt === null) return absent
  return nextAttemptAt <= nowMs ? "due" : `in ${clockText((nextAttemptAt - nowMs) / 1000)}`
}

const failureText = (failure: Job["failure"]): string =>
  failure === null ? "" : `${failure.tag} of ${failure.source}: ${failure.message.split("\n", 1)[0] ?? ""}`

const seriesOf = ({ series }: Job): string => `${series.nodeId} ${series.interval}`

/**
 * One line a job; the series where there are jobs of several, or nobody has named it; and the source whose stored bars
 * a job asks for once more, where there is such a job.
 */
export const jobsTable = (jobs: ReadonlyArray<Job>, nowMs: number, isSeriesNamed = true): string => {
  const series: ColumnOf<Job> = ["series", seriesOf]
  const revises: ColumnOf<Job> = ["revises", ({ revises }) => revises ?? absent]
  return tableOf(jobs, [
    ...(!isSeriesNamed || new Set(jobs.map(seriesOf)).size > 1 ? [series] : []),
    ["window", ({ windowStart }) => isoTime(windowStart)],
    ...(jobs.some((job) => job.revises !== undefined) ? [revises] : []),
    ["run", ({ run }) => String(run), "right"],
    ["state", ({ state }) => state],
    ["class", ({ jobClass }) => jobClass],
    ["bars", ({ broughtBars, wantedBars }) => `${amountText(broughtBars)}/${amountText(wantedBars)}`, "right"],
    ["attempts", ({ attempts }) => String(attempts), "right"],
    ["next attempt", ({ nextAttemptAt }) => nextText(nextAttemptAt, nowMs)],
    ["failure", ({ failure }) => failureText(failure)]
  ])
}

const countsText = (counts: Listed["counts"]): string =>
  Object.entries(counts)
    .flatMap(([state, count]) => (count === 0 ? [] : [`${amountText(count)} ${state}`]))
    .join(", ")

/** The jobs, and how many there are of which state. */
export const listText = ({ counts, jobs, total }: Listed, nowMs: number, isSeriesNamed: boolean): string => {
  const shown =
    total === jobs.length ? `${amountText(total)} shown` : `the newest ${jobs.length} of ${amountText(total)}`
  const all = countsText(counts)
  const last = all === "" ? "there are no jobs" : `${shown}; in all: ${all}`
  return jobs.length === 0 ? last : `${jobsTable(jobs, nowMs, isSeriesNamed)}\n${last}`
}

const rangesText = (ranges: Record["ranges"]): string => {
  const [first, ...more] = ranges
  if (first === undefined) return absent
  const [start, end] = first
  return `${isoTime(start)} to ${isoTime(end)}${more.length === 0 ? "" : ` and ${more.length} more`}`
}

const leaseText = ({ lease, renewals }: Record): string =>
  lease === null ? absent : `${lease.holder}, ${lease.leaseMs / 1000} s at a time, renewed ${renewals} times`

/** The record of a job, a line for each of its parts. */
export const recordText = (job: Record, nowMs: number): string => {
  const left = RangeSet.subtract(RangeSet.make(job.ranges), RangeSet.make(job.completedRanges))
  const leftRanges = Array.from({ length: RangeMeasure.size(left) }, (_, index) => RangeMeasure.at(left, index))
  const lines: ReadonlyArray<readonly [name: string, text: string]> = [
    ["series", `${job.series.nodeId} ${job.series.interval}`],
    ["window", isoTime(job.windowStart)],
    ["revises", job.revises ?? absent],
    ["run", String(job.run)],
    ["state", job.state],
    ["class", job.jobClass],
    ["wanted", rangesText(job.ranges)],
    ["left", rangesText(leftRanges)],
    ["sources", job.sources.join(", ")],
    ["attempts", String(job.attempts)],
    ["next attempt", nextText(job.nextAttemptAt, nowMs)],
    ["failure", orAbsent(failureText(job.failure))],
    ["passed over", orAbsent(job.passedOver.map(failureText).join("; "))],
    ["requests", String(job.requests)],
    ["held by", leaseText(job)],
    ["coverage version", String(job.coverageVersion)],
    ["for", orAbsent(job.cause)]
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join("\n")
}
