/**
 * How does the coverage of a series look?
 *
 * A row is a stretch of time and a mark a part of it. A mark tells the worst that its time holds, so that no gap is too
 * small to be seen; the totals below it count in bars.
 */
import { Option } from "effect"
import type { CoverageReport } from "../client/HistoryResult.ts"
import * as Interval from "../protocol/history/Interval.ts"
import * as MissingRange from "../protocol/history/MissingRange.ts"
import * as RangeMeasure from "../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import { reasonText } from "./describeMissing.ts"
import { isoTime } from "./isoTime.ts"
import { chooseScale, rowStarts, type Scale } from "./timelineScale.ts"

/** Time by what is known of it; no two overlap. */
type States = Readonly<Record<"covered" | MissingRange.MissingState, RangeSet.RangeSet>>

/** What there is to draw. */
interface Picture {
  readonly states: States
  /** The time that the rows span; none where nothing is known. */
  readonly extent: ReturnType<typeof RangeMeasure.bounds>
}

const marks = { covered: "█", partly: "▒", missing: "·", deferred: "~", unavailable: "-", quarantined: "!" } as const

const dayMs = 86_400_000

const pictureOf = ({ coverageRanges, missingRanges }: CoverageReport): Picture => {
  const covered = RangeSet.make(coverageRanges)
  const told = MissingRange.without(missingRanges, covered)
  const inState = (state: MissingRange.MissingState) =>
    MissingRange.timeOf(told.filter((range) => range.state === state))
  const explained = {
    deferred: inState("deferred"),
    unavailable: inState("unavailable"),
    quarantined: inState("quarantined")
  }
  const { deferred, quarantined, unavailable } = explained
  const drawn = RangeSet.unionAll([covered, deferred, quarantined, inState("missing")])
  // the time before a listing can be long: it makes rows only where there is nothing else
  const extent = RangeMeasure.bounds(RangeMeasure.isEmpty(drawn) ? unavailable : drawn)
  const known = RangeSet.unionAll([covered, deferred, quarantined, unavailable])
  const missing = Option.match(extent, {
    onNone: () => RangeSet.empty,
    onSome: ({ end, start }) => RangeSet.missing(known, start, end)
  })
  return { states: { covered, missing, ...explained }, extent }
}

/** The mark for `[from, from + lengthMs)`. */
const markAt = (states: States, from: number, lengthMs: number): string => {
  const has = (state: keyof States) => RangeMeasure.size(RangeSet.clip(states[state], from, from + lengthMs)) > 0
  if (has("quarantined")) return marks.quarantined
  if (has("missing")) return has("covered") ? marks.partly : marks.missing
  if (has("deferred")) return marks.deferred
  if (has("covered")) return marks.covered
  return has("unavailable") ? marks.unavailable : " "
}

const labelOf = ({ row }: Scale, start: number): string => {
  const text = isoTime(start)
  return row.lengthMs < dayMs ? text.replace(/:00Z$/, "Z") : text.slice(0, text.indexOf("T"))
}

const rowText = (states: States, scale: Scale, start: number): string => {
  const { mark, row } = scale
  const line = Array.from({ length: row.lengthMs / mark.lengthMs }, (_, at) =>
    markAt(states, start + at * mark.lengthMs, mark.lengthMs)
  )
  return `${labelOf(scale, start)}  ${line.join("")}`.trimEnd()
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

const reasonsOf = ({ missingRanges }: CoverageReport, state: keyof States): string => {
  const reasons = new Set(missingRanges.filter((range) => range.state === state).map(reasonText))
  return reasons.size === 0 ? "" : ` (${Array.from(reasons).join("; ")})`
}

const stateOrder = ["covered", "missing", "deferred", "unavailable", "quarantined"] as const

const totals = (report: CoverageReport, states: States, intervalMs: number): ReadonlyArray<string> =>
  stateOrder.flatMap((state) => {
    const set = states[state]
    if (RangeMeasure.isEmpty(set) && state !== "covered") return []
    const bars = counted(RangeMeasure.bars(set, intervalMs), "bar")
    const ranges = counted(RangeMeasure.size(set), "range")
    return [`${state.padEnd(11)}  ${bars} in ${ranges}${reasonsOf(report, state)}`]
  })

/** How many covered bars may still change. */
const unsettledText = ({ unsettledRanges = [] }: CoverageReport, intervalMs: number): ReadonlyArray<string> => {
  const set = RangeSet.make(unsettledRanges.map(({ end, start }) => [start, end] as const))
  if (RangeMeasure.isEmpty(set)) return []
  return [`unsettled    ${counted(RangeMeasure.bars(set, intervalMs), "bar")} may still change`]
}

/** What is counted: what was taken out at the ends is in no list, and would pass for not being missing. */
const outside = (extent: Picture["extent"]): ReadonlyArray<string> =>
  Option.match(extent, {
    onNone: () => [],
    onSome: ({ end, start }) => [`counted      ${isoTime(start)} to ${isoTime(end)}`, "outside      nothing is covered"]
  })

const legend = Object.entries(marks)
  .map(([meaning, mark]) => `${mark} ${meaning}`)
  .join("  ")

// the longest label is that of a row shorter than a day: 2022-12-13T00:00Z, and two spaces
const labelColumns = 19

const draw = ({ extent, states }: Picture, interval: Interval.Interval, columns: number): ReadonlyArray<string> => {
  if (Option.isNone(extent)) return ["nothing is known of this series yet"]
  const scale = chooseScale({ ...extent.value, interval, marksMax: Math.max(1, columns - labelColumns) })
  const rows = rowStarts(extent.value, scale.row).map((start) => rowText(states, scale, start))
  return [...rows, "", `a row is ${scale.row.text}, a mark ${scale.mark.text}`, legend]
}

/**
 * The picture, what its marks mean, and the totals. Rows are no wider than `columns`, where those are enough for a time
 * and one mark.
 */
export const timeline = (report: CoverageReport, columns: number): string => {
  const title = `${report.nodeId} ${report.interval}, coverage version ${report.coverageVersion}`
  const interval = Option.getOrUndefined(Interval.parse(report.interval))
  if (interval === undefined) return title
  const picture = pictureOf(report)
  const { lengthMs } = interval
  return [
    title,
    "",
    ...draw(picture, interval, columns),
    ...totals(report, picture.states, lengthMs),
    ...unsettledText(report, lengthMs),
    ...outside(picture.extent)
  ].join("\n")
}
