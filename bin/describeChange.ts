/** How is one change of coverage told in a line? */
import { Option } from "effect"
import type { CoverageChange } from "../client/CoverageChange.ts"
import * as Interval from "../protocol/history/Interval.ts"
import type { Range } from "../protocol/history/Range.ts"
import * as RangeMeasure from "../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import { isoTime } from "./isoTime.ts"

type Ranges = ReadonlyArray<Range>

const moreThan = (count: number): string => (count > 0 ? ` and ${count} more` : "")

/** How many bars, and the first stretch of them; empty where there are none. */
const barsText = (what: string, ranges: Ranges, lengthMs: number): string => {
  const [first] = ranges
  if (first === undefined) return ""
  const bars = RangeMeasure.bars(RangeSet.make(ranges), lengthMs)
  const where = `${isoTime(first[0])} to ${isoTime(first[1])}${moreThan(ranges.length - 1)}`
  return `${bars} ${bars === 1 ? "bar" : "bars"} ${what} (${where})`
}

const jobsText = ([first, ...more]: ReadonlyArray<string>): string =>
  first === undefined ? "" : `job ${first}${moreThan(more.length)}`

const missedText = (missed: number): string =>
  missed === 0 ? "" : `${missed} ${missed === 1 ? "version" : "versions"} before it can't be told any more`

/** The change as a line: when, which series, which version, and what it did. */
export const describeChange = (change: CoverageChange): string => {
  const { added, cause, committedAt, interval, jobs, missedVersions, nodeId, removed, revised, source, version } =
    change
  const lengthMs = Option.match(Interval.parse(interval), { onNone: () => 1, onSome: (known) => known.lengthMs })
  const parts = [
    barsText("added", added, lengthMs),
    barsText("removed", removed, lengthMs),
    barsText("revised", revised, lengthMs),
    source === "" ? "" : `by ${source}`,
    cause === "" ? "" : `for ${cause}`,
    jobsText(jobs),
    change.isRolledBack ? "storage was rolled back" : "",
    missedText(missedVersions)
  ].filter((part) => part !== "")
  return `${isoTime(committedAt)}  ${nodeId} ${interval}  version ${version}: ${parts.join("; ")}`
}
