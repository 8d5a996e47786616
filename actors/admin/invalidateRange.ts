/**
 * How do operators take time out of the coverage, and have it fetched again?
 *
 * What is stored of it stops counting, and is missing; what is fetched again is a job like any other, of the class that
 * comes right behind readers who wait.
 */
import { Clock, Effect } from "effect"
import { checkRange } from "../../protocol/history/checkRange.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { jobsOff } from "../../protocol/messages/BackfillOff.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { invalidateMessage, operatorsCause } from "../../protocol/messages/Operate.ts"
import { ask } from "../../runtime/ActorSystem.ts"
import { Switches } from "../../runtime/Switches.ts"
import { traceParent } from "../../runtime/telemetry/Propagation.ts"
import { inParts } from "./operateWindows.ts"
import { summaryOf } from "./summaryOf.ts"
import { keyOf, type NamedSeries, seriesOf, untilSeen, windowsIn } from "./windowsOf.ts"

/** Their entries are in some 40 pages, which are made anew. */
const invalidatedMax = 10_000
/** Each of them gets a job. */
const reprocessedMax = 1000
/** Windows in one message, whose answer has a job of each. */
const perMessage = 250
/** Ranges that are told of what was removed. */
const toldMax = 1000

/** What is asked for. */
export interface AskedRange extends NamedSeries {
  readonly start: number
  readonly end: number
  readonly reason: string
}

const askInvalidate = ask(invalidateMessage)

/** The series, its grid, and the range once it has been found right. */
const validRange = Effect.fnUntraced(function* (asked: AskedRange, windowsMax: number) {
  const { entry, grid } = yield* seriesOf(asked)
  const range = RangeSet.of(...(yield* Effect.fromResult(checkRange(asked, entry.interval))))
  const windows = yield* windowsIn(grid, asked, windowsMax)
  return { entry, grid, range, windows }
})

type Valid = Effect.Success<ReturnType<typeof validRange>>

const takeOut = Effect.fnUntraced(function* ({ entry, range }: Valid, { reason }: AskedRange, who: string) {
  const { series } = entry
  const { removed, version } = yield* askInvalidate(keyOf(series), { series, ranges: range, who, reason })
  yield* untilSeen(series, version)
  return {
    version,
    removed: toPairs(removed).slice(0, toldMax),
    removedBars: bars(removed, entry.interval.lengthMs)
  }
})

/** Takes a range out of the coverage. */
export const invalidateRange = Effect.fnUntraced(function* (asked: AskedRange, who: string) {
  return yield* takeOut(yield* validRange(asked, invalidatedMax), asked, who)
})

/** Takes a range out of the coverage, and opens the jobs that bring it again. */
export const reprocessRange = Effect.fnUntraced(function* (asked: AskedRange, who: string) {
  // nothing is taken out that may not be asked for again
  const current = yield* Switches
  const off = jobsOff(current())
  if (off !== undefined) return yield* off
  const valid = yield* validRange(asked, reprocessedMax)
  const taken = yield* takeOut(valid, asked, who)
  const { entry, grid, range, windows } = valid
  const nowMs = yield* Clock.currentTimeMillis
  // of bars that are not final yet no source is asked
  const final = RangeSet.clip(range, -Infinity, Interval.alignDown(entry.interval, nowMs - entry.finalityDelayMs))
  const coverage = yield* Coverage
  const trace = yield* traceParent
  const opened = yield* Effect.forEach(inParts(windows, perMessage), (part) =>
    coverage.ensure({
      series: entry.series,
      ranges: RangeSet.clip(final, part[0] ?? 0, Window.next(grid, part.at(-1) ?? 0)),
      sources: entry.sources,
      jobClass: "repair",
      cause: operatorsCause("reprocess", { who, reason: asked.reason }),
      traceParent: trace
    })
  )
  return {
    ...taken,
    version: Math.max(taken.version, ...opened.map(({ version }) => version)),
    jobs: opened.flatMap(({ jobs }) => jobs).map(summaryOf)
  }
})
