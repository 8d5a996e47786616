/** How is a named backfill told of? */
import type { AdminAnswer } from "../client/admin.ts"
import { amountText, clockText, percentText } from "./amountText.ts"
import { isoTime } from "./isoTime.ts"
import type { Progress } from "./progressLine.ts"
import { tableOf } from "./tableOf.ts"

type Report = AdminAnswer<"backfill">
type List = AdminAnswer<"backfills">
type Summary = List["backfills"][number]

/** What is there. */
const doneBars = ({ figures }: Summary): number =>
  figures.bars - figures.leftBars - figures.unavailableBars - figures.quarantinedBars

/** What there can be at all. */
const wantedBars = ({ figures }: Summary): number => figures.bars - figures.unavailableBars

const donePercent = (summary: Summary): string => percentText(doneBars(summary), wantedBars(summary))

/** What it is at, where that is not simply running. */
const notesOf = ({ failing, figures, reason, status, waitsUntil }: Report): string => {
  const waits = waitsUntil === null ? "" : `waits until ${isoTime(waitsUntil)}`
  // what it waits for, if anything keeps failing
  const [failure] = failing
  const why = waitsUntil === null || failure === undefined ? reason : failure.message.split("\n", 1)[0]!
  const aside = figures.quarantinedBars === 0 ? "" : `${amountText(figures.quarantinedBars)} bars quarantined`
  return [status === "running" ? waits : status, why, aside].filter((note) => note !== "").join(": ")
}

/** How far it has come, for a line of progress. */
export const progressOf = (report: Report): Progress => ({
  done: doneBars(report),
  wanted: wantedBars(report),
  perSecond: report.barsPerSecond,
  secondsLeft: report.secondsLeft,
  note: notesOf(report)
})

const failingTable = ({ failing }: Report): string =>
  tableOf(failing, [
    ["window", ({ windowStart }) => isoTime(windowStart)],
    ["attempts", ({ attempts }) => String(attempts), "right"],
    ["next attempt", ({ nextAttemptAt }) => (nextAttemptAt === null ? "under way" : isoTime(nextAttemptAt))],
    ["source", ({ source }) => source],
    ["reason", ({ message, tag }) => `${tag}: ${message.split("\n", 1)[0]}`]
  ])

const quarantinedTable = ({ quarantinedRanges }: Report): string =>
  tableOf(quarantinedRanges, [
    ["quarantined from", ([start]) => isoTime(start)],
    ["to", ([, end]) => isoTime(end)]
  ])

type Line = readonly [name: string, text: string]

const rateText = (barsPerSecond: number | null): string =>
  barsPerSecond === null ? "?" : `${amountText(barsPerSecond)} bars/s over the last minute`

const paceLines = ({ barsPerSecond, secondsLeft, status, waitsUntil }: Report): ReadonlyArray<Line> =>
  status === "running" && waitsUntil === null
    ? [
        ["rate", rateText(barsPerSecond)],
        ["ETA", clockText(secondsLeft)]
      ]
    : []

/** A line about bars of some kind, where there are any. */
const barsLine = (kind: string, bars: number, meaning: string): ReadonlyArray<Line> =>
  bars === 0 ? [] : [[kind, `${amountText(bars)} bars, ${meaning}`]]

const progressLines = (report: Report): ReadonlyArray<Line> => {
  const { failingWindows, figures, outstandingWindows } = report
  const { deferredBars, leftWindows, quarantinedBars, unavailableBars, windows } = figures
  const underWay = outstandingWindows === 0 ? "" : `; ${outstandingWindows} asked for`
  return [
    ["bars", `${amountText(doneBars(report))} of ${amountText(wantedBars(report))} are there`],
    ["windows", `${amountText(leftWindows)} of ${amountText(windows)} left${underWay}`],
    ...paceLines(report),
    ...barsLine("deferred", deferredBars, "which may not be asked for yet"),
    ...barsLine("unavailable", unavailableBars, "which no source has"),
    ...barsLine("quarantined", quarantinedBars, "which wait for an operator"),
    ...(failingWindows === 0 ? [] : [["failing", `${amountText(failingWindows)} windows`] as const])
  ]
}

const identityLines = (report: Report): ReadonlyArray<Line> => {
  const { by, changedAt, changedBy, createdAt, end, interval, jobClass, nodeId, order, reason, start } = report
  return [
    ["status", `${report.status}, ${donePercent(report)}`],
    ...(reason === "" ? [] : [["reason", reason] as const]),
    ...(report.waitsUntil === null ? [] : [["waits until", isoTime(report.waitsUntil)] as const]),
    ["series", `${nodeId} ${interval}`],
    ["range", `${isoTime(start)} to ${isoTime(end)}, ${order.replace("_", " ")}, ${jobClass}`],
    ["created", `${isoTime(createdAt)} by ${by}`],
    ...(changedAt === createdAt ? [] : [["changed", `${isoTime(changedAt)} by ${changedBy}`] as const])
  ]
}

/** All of a report, for a person. */
export const reportText = (report: Report): string => {
  const lines = [...identityLines(report), ...progressLines(report)]
  const width = Math.max(...lines.map(([line]) => line.length))
  return [
    report.name,
    ...lines.map(([line, text]) => `  ${line.padEnd(width)}  ${text}`),
    ...(report.failing.length === 0 ? [] : ["", failingTable(report)]),
    ...(report.quarantinedRanges.length === 0 ? [] : ["", quarantinedTable(report)])
  ].join("\n")
}

/** One line a backfill. */
export const backfillsText = ({ backfills, total }: List): string => {
  const table = tableOf(backfills, [
    ["name", ({ name }) => name],
    ["status", ({ status }) => status],
    ["done", donePercent, "right"],
    ["bars left", ({ figures }) => amountText(figures.leftBars), "right"],
    ["windows left", ({ figures }) => amountText(figures.leftWindows), "right"],
    ["bars quarantined", ({ figures }) => amountText(figures.quarantinedBars), "right"],
    ["series", ({ interval, nodeId }) => `${nodeId} ${interval}`],
    ["from", ({ start }) => isoTime(start)],
    ["to", ({ end }) => isoTime(end)],
    ["order", ({ order }) => order.replace("_", " ")],
    ["class", ({ jobClass }) => jobClass],
    ["created", ({ createdAt }) => isoTime(createdAt)],
    ["by", ({ by }) => by]
  ])
  return total === backfills.length ? table : `${table}\nthe newest ${backfills.length} of ${total}`
}
