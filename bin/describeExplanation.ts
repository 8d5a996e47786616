/** How is it told what a read would do? */
import type { ReadExplanation } from "../client/explain.ts"
import { amountText, clockText, countText } from "./amountText.ts"
import { describeMissing } from "./describeMissing.ts"
import { isoTime } from "./isoTime.ts"
import { absent, tableOf } from "./tableOf.ts"

type Explanation = ReadExplanation
type Gap = Explanation["gap"]

const causes: Readonly<Record<Gap["because"], string>> = {
  complete: "all that can be had is covered",
  notAskable: "what is not covered can't be asked for now",
  past: "nothing is filled for a point of the past",
  off: "an operator has turned it off",
  strategy: "the strategy does so with each gap",
  small: "the gap is small by the limits of the policy",
  large: "the gap is larger than the limits of the policy"
}

const deeds: Readonly<Record<Gap["mode"], string>> = {
  none: "nothing is filled",
  fail: "the read is refused",
  queue: "the gap is filled, and not waited for",
  wait: "the gap is filled and waited for"
}

const msText = (ms: number | null): string => (ms === null ? "as long as it takes" : `${amountText(ms)} ms at the most`)

const waitsText = ({ phases, totalDeadlineMs }: Explanation["waits"]): string => {
  const each = Object.entries(phases).map(([phase, { budgetMs, retryBackoffMs = 0, rowsMs = budgetMs }]) => {
    const rows = rowsMs === budgetMs ? "" : `, its rows ${msText(rowsMs)}`
    const retry = retryBackoffMs === 0 ? "" : `, ${amountText(retryBackoffMs)} ms of them before a second try`
    return `${phase} ${msText(budgetMs)}${rows}${retry}`
  })
  return [...each, totalDeadlineMs === null ? "no deadline" : `all by ${amountText(totalDeadlineMs)} ms`].join("; ")
}

const failureText = ({ backfill, gap, strict, violation }: Explanation["onFailure"]): string => {
  const told = { error: "an error", partial: "what there is", flag: "a finding" } as const
  return [
    `gap: ${told[gap]}`,
    `backfill fails: ${told[backfill]}`,
    `deadline or minCoverage missed: ${told[violation]}`,
    ...(strict === null ? [] : [`not all bars: ${told[strict]}`])
  ].join("; ")
}

/** What a kind of source would give, and what that takes. */
interface Row {
  readonly kind: string
  readonly bars: number
  readonly windows: number
  readonly cost: string
}

const rowsOf = ({ from: { backfill, cache, live, storage }, gap }: Explanation): ReadonlyArray<Row> => {
  const stored = (kind: string, { bars, bytes, chunks, windows }: typeof cache): Row => ({
    kind,
    bars,
    windows,
    cost: `${countText(chunks, "chunk")}, ${countText(bytes, "byte")}`
  })
  const seconds = backfill.seconds === null ? "time not known" : clockText(backfill.seconds)
  const isUnasked = backfill.bars > 0 && gap.mode !== "wait" && gap.mode !== "queue"
  return [
    stored("cache", cache),
    stored("storage", storage),
    {
      kind: "backfill",
      bars: backfill.bars,
      windows: backfill.windows,
      cost: `${countText(backfill.requests, "request")}, ${seconds}${isUnasked ? "; not asked" : ""}`
    },
    { kind: "live", bars: live.bars, windows: 0, cost: "there are no live sources yet" }
  ]
}

const spanText = (ranges: ReadonlyArray<readonly [number, number]>): string => {
  const [first] = ranges
  const last = ranges.at(-1)
  if (first === undefined || last === undefined) return absent
  const more = ranges.length > 1 ? ` in ${countText(ranges.length, "range")}` : ""
  return `${isoTime(first[0])} to ${isoTime(last[1])}${more}`
}

const contributionsText = ({ sourceContributions }: Explanation): string =>
  Object.entries(sourceContributions)
    .map(([source, ranges]) => `${source} ${spanText(ranges)}`)
    .join("; ") || absent

const jobText = ({ job }: Explanation["windows"][number]): string =>
  job === null ? absent : `run ${job.run} ${job.state.toLowerCase()}, ${job.jobClass}, ${job.attempts} failed`

const windowsText = ({ windows, windowsLeft }: Explanation): ReadonlyArray<string> => {
  if (windows.length === 0) return []
  const table = tableOf(windows, [
    ["window", ({ windowStart }) => isoTime(windowStart)],
    ["bars", ({ bars }) => amountText(bars), "right"],
    ["job", ({ action }) => action],
    ["stands", jobText],
    ["tried again", ({ job }) => (typeof job?.nextAttemptAt === "number" ? isoTime(job.nextAttemptAt) : absent)]
  ])
  return ["", table, ...(windowsLeft === 0 ? [] : [`and ${countText(windowsLeft, "more window")}`])]
}

/** What would come from where, what is missing, what would be waited for, and what on failure; for a person. */
export const describeExplanation = (explanation: Explanation): string => {
  const { coverageVersion, end, from, gap, interval, missingRanges, nodeId, notes, onFailure, start } = explanation
  return [
    `${nodeId} ${interval}, ${isoTime(start)} to ${isoTime(end)}, ${explanation.strategy}, version ${coverageVersion}`,
    `gap         ${deeds[gap.mode]}: ${causes[gap.because]}`,
    `waits       ${waitsText(explanation.waits)}`,
    `on failure  ${failureText(onFailure)}`,
    `stored      ${contributionsText(explanation)}`,
    "",
    tableOf(rowsOf(explanation), [
      ["from", ({ kind }) => kind],
      ["bars", ({ bars }) => amountText(bars), "right"],
      ["windows", ({ windows }) => amountText(windows), "right"],
      ["takes", ({ cost }) => cost]
    ]),
    ...from.backfill.sources
      .filter(({ requests }) => requests > 0)
      .map(({ barsPerRequest, requests, source }) => {
        return `  ${source}: ${countText(requests, "request")} of ${countText(barsPerRequest, "bar")} at the most`
      }),
    ...(missingRanges.length === 0 ? [] : ["", describeMissing(missingRanges, "table")]),
    ...windowsText(explanation),
    ...(notes.length === 0 ? [] : ["", ...notes])
  ].join("\n")
}
