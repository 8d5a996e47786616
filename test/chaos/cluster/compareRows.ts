/** Is an answer, bit for bit, what is on record, and is its account of it right? */
import type { HistoryResult } from "../../../client/HistoryResult.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Recording } from "../../support/BarFile.ts"
import { numbersOf } from "../../support/ClusterHarness.ts"

/** The rows of a recording that lie in the ranges, by number. */
const rowsIn = ({ frame }: Recording, covered: RangeSet.RangeSet): ReadonlyArray<number> =>
  Array.from(frame.eventTimeMs.keys()).filter((row) => includes(covered, frame.eventTimeMs[row]!))

/** The columns in which an answer differs from a recording where it says that it covers it; empty where in none. */
export const differences = (
  record: Recording,
  [start, end]: Range,
  { df, meta }: HistoryResult
): ReadonlyArray<string> => {
  const covered = RangeSet.clip(RangeSet.make(meta.coverageRanges), start, end)
  const rows = rowsIn(record, covered)
  const columns = [{ name: "event_time", values: record.frame.eventTimeMs }, ...record.frame.columns]
  return columns
    .filter(({ name, values }) => {
      const got = numbersOf(df, name)
      return got.length !== rows.length || rows.some((row, at) => !Object.is(values[row], got[at]))
    })
    .map(({ name }) => name)
}
