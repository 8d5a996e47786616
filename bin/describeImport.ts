/** What is told of files that are imported? */
import type { Described } from "../actors/sources/describeFiles.ts"
import type { LakeSettings } from "../protocol/SourceSettings.ts"
import { alignColumns } from "./alignColumns.ts"
import type { ImportPlan } from "./importPlan.ts"
import { isoTime } from "./isoTime.ts"

/** What was stored of a plan. */
export interface Stored {
  /** Bars that the files make. */
  readonly bars: number
  /** Bars that can be read from the cluster by now. */
  readonly stored: number
  readonly coverageVersion: number
  /** Rows of bars that say what others say, and gave way. */
  readonly again?: number
}

const unitNames = {
  s: "seconds since 1970",
  ms: "milliseconds since 1970",
  us: "microseconds since 1970",
  ns: "nanoseconds since 1970",
  iso: "dates"
} as const

const timeText = (
  { columns, unit }: Described,
  { stamped = "open", timeFormat, zone = "UTC" }: LakeSettings
): string => {
  const zoned = unit === "iso" ? `, ${zone} where they name no zone` : ""
  const end = stamped === "open" ? "a bar's beginning" : "a bar's end"
  const written = timeFormat === undefined ? unitNames[unit] : `as ${timeFormat}`
  return `${columns.find(([ours]) => ours === "time")?.[1]}: ${written}${zoned}; ${end}`
}

/** What was understood of the files, for a person. */
export const understoodText = (described: Described, plan: ImportPlan, settings: LakeSettings): string => {
  const { columns, files, kind, leftOut, rows, span } = described
  const others = columns.filter(([ours]) => ours !== "time")
  const facts = [
    ["rows", `${rows} ${kind} in ${files === 1 ? "1 file" : `${files} files`}`],
    ["time", kind === "trades" ? timeText(described, settings).replace(/;[^;]*$/, "") : timeText(described, settings)],
    ["columns", others.map(([ours, theirs]) => (ours === theirs ? ours : `${ours} from ${theirs}`)).join(", ")],
    ...(leftOut.length > 0
      ? [["left out", `${leftOut.join(", ")} (--column 'NAME=${leftOut[0]}' takes it along)`] as const]
      : []),
    ["first", isoTime(span[0])],
    ["last", isoTime(span[1])],
    ["series", `${plan.node} ${plan.interval.text}`]
  ] as const
  return alignColumns([
    { name: "understood", texts: facts.map(([name]) => name), side: "left" },
    { name: "as", texts: facts.map(([, text]) => text), side: "left" }
  ])
}

/** What is stored now, and how to go on, for a person. */
export const storedText = (
  { again = 0, bars, stored }: Stored,
  { interval, node, range }: ImportPlan,
  places: { readonly config: string; readonly dataDir: string }
): string => {
  const { config, dataDir } = places
  return [
    `stored ${stored} of ${bars} bars of ${node} ${interval.text} in ${dataDir}`,
    ...(again > 0 ? [`${again} rows say what others say, and count once`] : []),
    `serve them: seamless up --config ${config} --data-dir ${dataDir}`,
    `read them:  seamless read ${node} ${interval.text} ${range.map(isoTime).join(" ")} --data-dir ${dataDir}`
  ].join("\n")
}
