/** How is a sweep told to a person? */
import type { SweepReport, SweepRun } from "../protocol/messages/Sweep.ts"
import { amountText } from "./amountText.ts"
import { isoTime } from "./isoTime.ts"
import { tableOf } from "./tableOf.ts"

const kinds = ["chunks", "pages", "roots"] as const

const bytesText = (bytes: number): string => {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  const power = Math.min(units.length - 1, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

const amount = ({ bytes, count }: { readonly count: number; readonly bytes: number }): string =>
  `${amountText(count)}, ${bytesText(bytes)}`

/** What a run has done, or would do. */
export const runText = (run: SweepRun): string => {
  const { by, endedAt, isDry, series, seriesDone, seriesTotal, startedAt, tally, troubles } = run
  const what = series === null ? `${seriesTotal} series` : `${series.nodeId} ${series.interval}`
  const ended = endedAt === null ? `, ${seriesDone} of ${seriesTotal} series done` : `, ended ${isoTime(endedAt)}`
  const rows = kinds.map((kind) => ({ kind, ...tally[kind] }))
  const table = tableOf(rows, [
    ["", ({ kind }) => kind],
    [isDry ? "would be deleted" : "deleted", ({ swept }) => amount(swept), "right"],
    ["named, kept", ({ kept }) => amount(kept), "right"],
    ["less than a day old", ({ young }) => amount(young), "right"]
  ])
  const title = `${isDry ? "dry run" : "sweep"} of ${what} by ${by}, begun ${isoTime(startedAt)}${ended}`
  return [title, "", table, ...troubles.map((trouble) => `not swept: ${trouble}`)].join("\n")
}

/** What the sweeper does, did last, and when it begins by itself. */
export const reportText = ({ last, nextAt, run }: SweepReport): string =>
  [
    ...(run === null ? [] : [runText(run), ""]),
    ...(last === null ? ["nothing was swept yet"] : [runText(last)]),
    "",
    `by itself: ${isoTime(nextAt)}`
  ].join("\n")
