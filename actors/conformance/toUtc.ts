/**
 * When was each row, in epoch milliseconds UTC?
 */
import { Result } from "effect"
import type { TimeRules } from "../../protocol/frame/ConformanceRules.ts"
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { ConformanceFailed, quote } from "./ConformanceFailed.ts"
import { readTimes, type Times } from "./readTimes.ts"

/**
 * The times of all rows in whole milliseconds, as `readTimes` reads them. A `Float64Array` of them is checked and
 * passed on as it is. Fails at the first row whose time is missing, is none, or that no rule decides.
 */
export const toUtc = (
  eventTime: RawRows["eventTime"],
  rules: TimeRules = {}
): Result.Result<Times, ConformanceFailed> =>
  Result.mapError(
    Result.flatMap(readTimes(eventTime, rules), (times) => {
      const row = firstMissing(times.timeMs)
      return row === -1 ? Result.succeed(times) : Result.fail({ row, problem: "is no time" })
    }),
    ({ problem, row }) => {
      const column = reservedColumns.eventTime
      const message = `${column}, row ${row}: ${quote(eventTime[row])} ${problem}`
      return new ConformanceFailed({ step: "toUtc", column, row, message })
    }
  )

const firstMissing = (timeMs: Float64Array): number => {
  for (let row = 0; row < timeMs.length; row++) if (Number.isNaN(timeMs[row])) return row
  return -1
}
