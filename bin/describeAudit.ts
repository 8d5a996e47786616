/** How is it told what has happened to a series, and why a stretch of it is covered or not? */
import { Option } from "effect"
import type { AdminAnswer } from "../client/admin.ts"
import * as Interval from "../protocol/history/Interval.ts"
import type { Range } from "../protocol/history/Range.ts"
import * as RangeMeasure from "../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import type { AuditVerdict, ExplainedJob, ExplainedRange } from "../protocol/messages/AuditReport.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { reasonText } from "./describeMissing.ts"
import { isoTime } from "./isoTime.ts"
import { revisedTable } from "./describeRevised.ts"
import { absent, type ColumnOf, orAbsent, tableOf } from "./tableOf.ts"

type Audit = AdminAnswer<"audit">
type Ranges = ReadonlyArray<Range>

/** So many revised bars are shown, the newest; JSON has all that are told. */
const revisedShown = 20

const rangeText = ([start, end]: Range): string => `${isoTime(start)} to ${isoTime(end)}`

/** The first of them, and how many more there are. */
const shortly = (texts: ReadonlyArray<string>, shown: number): string =>
  texts.length > shown ? `${texts.slice(0, shown).join(", ")} and ${texts.length - shown} more` : texts.join(", ")

const barsText = (count: number): string => `${count} ${count === 1 ? "bar" : "bars"}`

const rangesText = (ranges: Ranges, intervalMs: number): string => {
  if (ranges.length === 0) return absent
  const bars = RangeMeasure.bars(RangeSet.make(ranges), intervalMs)
  return `${barsText(bars)}: ${shortly(ranges.map(rangeText), 1)}`
}

const jobsText = (jobs: ReadonlyArray<string>): string =>
  jobs.length === 0 ? "" : `${jobs.length === 1 ? "job" : "jobs"} ${shortly(jobs, 2)}`

const changeText = ({ cause, committedAt, jobs, source, version }: NonNullable<ExplainedRange["change"]>): string => {
  const parts = [source, cause === "" ? "" : `for ${cause}`, jobsText(jobs)].filter((part) => part !== "")
  return `version ${version} of ${isoTime(committedAt)}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`
}

const timesText = (count: number): string => (count === 1 ? "once" : `${count} times`)

const failureText = ({ attempts, failure }: ExplainedJob): string => {
  if (failure === null) return attempts === 0 ? "" : `failed ${timesText(attempts)}`
  const { message, source, tag } = failure
  return `failed ${timesText(Math.max(1, attempts))}: ${tag}${source === "" ? "" : ` of ${source}`}: ${message}`
}

const againText = (retryAt: number | null): string =>
  retryAt === null ? "" : `asked for again from ${isoTime(retryAt)}`

const jobText = (job: ExplainedJob): string => {
  const { cause, holder, id, nextAttemptAt, state } = job
  const doing = state === "RUNNING" ? `is running${holder === null ? "" : ` on host ${holder}`}` : "is waiting"
  const isOpen = state === "PENDING" || state === "RUNNING" || state === "EXPIRED"
  const parts = [isOpen ? doing : "", failureText(job), againText(nextAttemptAt), cause === "" ? "" : `for ${cause}`]
  return `job ${id} ${parts.filter((part) => part !== "").join("; ")}`
}

const becauseOf = (part: ExplainedRange): string => {
  const { change, exception, job, state } = part
  switch (state) {
    case "covered":
      return change === null ? "since before anything that is on record" : `since ${changeText(change)}`
    case "removed":
      return change === null ? "" : `taken away by ${changeText(change)}`
    case "underway":
    case "failed":
      return job === null ? "" : jobText(job)
    case "missing":
      return job === null ? "nobody has asked for it, as far as is on record" : `job ${job.id} brought nothing of it`
    default: {
      if (exception === null) return job === null ? "" : jobText(job)
      return [reasonText(exception), againText(exception.retryAt)].filter((text) => text !== "").join("; ")
    }
  }
}

/** What took it away before, where something else is the matter by now. */
const beforeThat = ({ change, state }: ExplainedRange): string =>
  change === null || state === "covered" || state === "removed" ? "" : `; taken away by ${changeText(change)}`

const explanationTable = (parts: ReadonlyArray<ExplainedRange>, intervalMs: number): string =>
  tableOf(parts, [
    ["state", ({ state }) => state],
    ["start", ({ start }) => isoTime(start)],
    ["end", ({ end }) => isoTime(end)],
    ["bars", ({ end, start }) => String(RangeMeasure.bars(RangeSet.of(start, end), intervalMs)), "right"],
    ["because", (part) => `${becauseOf(part)}${beforeThat(part)}`]
  ])

/** What was revised, where anything was: most histories have no such column. */
const revisedColumn = (
  changes: Audit["changes"],
  intervalMs: number
): ReadonlyArray<ColumnOf<Audit["changes"][number]>> =>
  changes.some(({ revised }) => revised !== undefined)
    ? [["revised", ({ revised = [] }) => rangesText(revised, intervalMs)]]
    : []

const changesTable = ({ changes }: Audit, intervalMs: number): string =>
  tableOf(changes, [
    ["version", ({ version }) => String(version), "right"],
    ["at", ({ committedAt }) => isoTime(committedAt)],
    ["added", ({ added }) => rangesText(added, intervalMs)],
    ["removed", ({ removed }) => rangesText(removed, intervalMs)],
    ...revisedColumn(changes, intervalMs),
    ["source", ({ source }) => orAbsent(source)],
    ["cause", ({ cause }) => orAbsent(cause)],
    ["jobs", ({ jobs }) => orAbsent(shortly(jobs, 2))]
  ])

/** What the bars were that changes revised, and what they are. */
const revisedText = ({ changes }: Audit): ReadonlyArray<string> => {
  const bars = changes.flatMap(({ revisedBars = [], version }) => revisedBars.map((bar) => ({ ...bar, version })))
  if (bars.length === 0) return []
  const shown = revisedTable(bars.slice(-revisedShown), [["version", ({ version }) => String(version), "right"]])
  return ["", shown, ...(bars.length > revisedShown ? [`${bars.length - revisedShown} more with --format json`] : [])]
}

const changesText = (audit: Audit, intervalMs: number): string => {
  if (audit.changes.length > 0) return changesTable(audit, intervalMs)
  return audit.explanation === undefined ? "nothing has changed" : "no change has touched the range"
}

const entryText = (sequence: number | null): string =>
  sequence === null ? "the root that stands" : `message ${sequence} of the stream ${Stream.audit.name}`

const differingText = (what: string, ranges: Ranges): string =>
  ranges.length === 0 ? "" : `; ${what} ${shortly(ranges.map(rangeText), 3)}`

/** Whether the history holds, in a sentence. */
export const verdictText = ({ entries, firstBreak, fromVersion }: AuditVerdict): string => {
  const from = fromVersion === undefined ? "from the first" : `from version ${fromVersion}, the oldest that is kept,`
  const changes = `${entries} ${entries === 1 ? "change" : "changes"}`
  if (firstBreak === null) return `the history holds: ${changes} ${from} add up to just what is covered`
  const { beyond, lost, problem, sequence, version } = firstBreak
  const where = `at version ${version} (${entryText(sequence)})`
  const differing = `${differingText("it lacks", lost)}${differingText("it has beyond them", beyond)}`
  return `the history does not hold ${where}, after ${changes}: ${problem}${differing}`
}

/** What has happened, and why it is as it is, for a person. */
export const auditText = (audit: Audit): string => {
  const { explanation, interval, nodeId, olderBefore, verdict, version } = audit
  const intervalMs = Option.match(Interval.parse(interval), { onNone: () => 1, onSome: ({ lengthMs }) => lengthMs })
  return [
    `${nodeId} ${interval}, coverage version ${version}`,
    ...(explanation === undefined ? [] : ["", explanationTable(explanation.parts, intervalMs)]),
    "",
    changesText(audit, intervalMs),
    ...revisedText(audit),
    ...(olderBefore === null ? [] : [`older changes: --before ${olderBefore}`]),
    ...(verdict?.holds === true ? ["", verdictText(verdict)] : [])
  ].join("\n")
}
