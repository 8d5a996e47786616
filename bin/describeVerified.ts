/** How is it told what a comparison of stored bars with their source has found? */
import * as RangeMeasure from "../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import type { Verified, VerifiedPart } from "../protocol/messages/Verify.ts"
import { amountText } from "./amountText.ts"
import { revisedTable } from "./describeRevised.ts"
import { isoTime } from "./isoTime.ts"
import { tableOf } from "./tableOf.ts"

/** What was found of some windows, and how they were chosen. */
export interface Findings {
  /** By which a sample was drawn; null where there was none. */
  readonly seed: number | null
  /** Windows that were to be looked at, and those that there are. */
  readonly chosen: number
  readonly covered: number
  readonly windows: ReadonlyArray<Verified>
  /** Windows about which nobody could be asked, and why. */
  readonly unasked: ReadonlyArray<{ readonly windowStart: number; readonly reason: string }>
}

/** Counts of all windows together. */
export interface Totals {
  readonly sameBars: number
  readonly changedBars: number
  readonly absentBars: number
  readonly extraBars: number
  readonly repairedBars: number
}

const shownMax = 50

/** Bars that are not as the source gives them. */
const differing = ({ absentBars, changedBars, extraBars }: Omit<VerifiedPart, "bars">): number =>
  changedBars + absentBars + extraBars

/** The counts of all windows. */
export const totalsOf = ({ windows }: Pick<Findings, "windows">): Totals => {
  const parts = windows.flatMap((window) => window.parts)
  const sum = (countOf: (part: VerifiedPart) => number): number => parts.reduce((all, part) => all + countOf(part), 0)
  return {
    sameBars: sum(({ sameBars }) => sameBars),
    changedBars: sum(({ changedBars }) => changedBars),
    absentBars: sum(({ absentBars }) => absentBars),
    extraBars: sum(({ extraBars }) => extraBars),
    repairedBars: windows.reduce((all, { repairedBars }) => all + repairedBars, 0)
  }
}

/** Whether all that was chosen was compared, and is, or is now, as its sources give it. */
export const isAsItShould = (findings: Findings): boolean => {
  const { absentBars, changedBars, extraBars, repairedBars } = totalsOf(findings)
  const isWhole = findings.unasked.length === 0 && findings.windows.length === findings.chosen
  const failed = findings.windows.some(({ parts }) => parts.some(({ failure }) => failure !== null))
  return isWhole && !failed && changedBars + absentBars + extraBars <= repairedBars
}

interface Row extends VerifiedPart {
  readonly windowStart: number
  readonly repairedBars: number
}

/** What a person has to know of: what differs, and what was not answered. */
const isTold = (row: Row): boolean => differing(row) > 0 || row.failure !== null || row.unproven.length > 0

const barsOf = (ranges: VerifiedPart["unproven"], intervalMs: number): number =>
  RangeMeasure.bars(RangeSet.make(ranges), intervalMs)

const rowsTable = (rows: ReadonlyArray<Row>, intervalMs: number): string =>
  tableOf(rows, [
    ["window", ({ windowStart }) => isoTime(windowStart)],
    ["source", ({ source }) => source],
    ["same", ({ sameBars }) => String(sameBars), "right"],
    ["changed", ({ changedBars }) => String(changedBars), "right"],
    ["absent", ({ absentBars }) => String(absentBars), "right"],
    ["extra", ({ extraBars }) => String(extraBars), "right"],
    ["not proven", ({ unproven }) => String(barsOf(unproven, intervalMs)), "right"],
    ["failure", ({ failure }) => (failure === null ? "" : `${failure.tag}: ${failure.message}`)]
  ])

const sampleText = ({ chosen, covered, seed }: Findings): string =>
  seed === null
    ? `all ${amountText(covered)} covered ${covered === 1 ? "window" : "windows"}`
    : `${amountText(chosen)} of ${amountText(covered)} covered windows, drawn by seed ${seed}`

const moreText = (count: number): ReadonlyArray<string> =>
  count > shownMax ? [`${count - shownMax} more with --format json`] : []

/** What was found, for a person. */
export const verifiedText = (findings: Findings, intervalMs: number): string => {
  const { absentBars, changedBars, extraBars, repairedBars, sameBars } = totalsOf(findings)
  const rows = findings.windows
    .flatMap(({ parts, repairedBars, windowStart }) => parts.map((part) => ({ ...part, windowStart, repairedBars })))
    .filter(isTold)
  const bars = rows.flatMap((row) => row.bars)
  const looked = findings.windows.length < findings.chosen ? `; looked at ${findings.windows.length}` : ""
  return [
    `${sampleText(findings)}${looked}`,
    `${amountText(sameBars)} bars are the same, ${changedBars} changed, ${absentBars} are absent in the source, ` +
      `${extraBars} are extra in the source${repairedBars > 0 ? `; ${repairedBars} repaired` : ""}`,
    ...(rows.length === 0 ? [] : ["", rowsTable(rows.slice(0, shownMax), intervalMs), ...moreText(rows.length)]),
    ...(bars.length === 0 ? [] : ["", revisedTable(bars.slice(0, shownMax)), ...moreText(bars.length)]),
    ...findings.unasked.map(({ reason, windowStart }) => `${isoTime(windowStart)}: ${reason}`)
  ].join("\n")
}
