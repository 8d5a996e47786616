/** Which job records do the tests run on? */
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Series } from "../../protocol/history/Series.ts"

/** The series of the tests. */
export const series: Series = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }

/** A job that waits to be claimed, and is to bring `[0, 100)`, unless told otherwise. */
export const jobOf = (changes: Partial<BackfillJob> = {}): BackfillJob => ({
  format: 1,
  series,
  windowStart: 0,
  run: 1,
  state: "PENDING",
  jobClass: "interactive",
  ranges: RangeSet.of(0, 100),
  completedRanges: RangeSet.empty,
  sources: ["binance"],
  generation: 0,
  fence: 0,
  lease: null,
  renewals: 0,
  attempts: 0,
  failure: null,
  passedOver: [],
  requests: 0,
  coverageVersion: 0,
  nextAttemptAt: null,
  cause: "request-1",
  traceParent: "",
  nonce: "opened",
  ...changes
})

/** The set of these ranges. */
export const rangesOf = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet => RangeSet.make(pairs)
