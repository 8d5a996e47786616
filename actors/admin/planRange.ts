/** What would it take to fill a range, as its series is covered now? */
import { Clock, Effect } from "effect"
import { RangeNotFinal } from "../../protocol/history/BackfillErrors.ts"
import type { BackfillPlan } from "../../protocol/history/BackfillPlan.ts"
import { type AskedRange, checkRange } from "../../protocol/history/checkRange.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { costOfFilling } from "../sources/costOfFilling.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"

/** A range of a series, as an operator names it. */
export interface AskedSeriesRange extends AskedRange {
  readonly nodeId: string
  readonly interval: string
}

/** The series and the range, once they have been found right: a source may be asked for all of it. */
export const validRange = Effect.fnUntraced(function* ({ interval, nodeId, ...asked }: AskedSeriesRange) {
  if (Interval.parse(interval)._tag === "None") {
    const problem = `${JSON.stringify(interval)} is no interval: a whole number and s, m, h, d or w, such as 1m`
    return yield* new InvalidRequest({ field: "interval", problem })
  }
  const entry = yield* (yield* SeriesCatalog).find(nodeId, interval)
  const range = yield* Effect.fromResult(checkRange(asked, entry.interval))
  const [start, end] = range
  const nowMs = yield* Clock.currentTimeMillis
  const finalEnd = Interval.alignDown(entry.interval, nowMs - entry.finalityDelayMs)
  if (isRange(finalEnd, end)) return yield* new RangeNotFinal({ start, end, finalEnd })
  return { entry, range }
})

/** What of a range is covered, and what of the rest may be asked for now. */
const shares = (entry: CatalogEntry, { covered, root }: CoverageView, [start, end]: Range, nowMs: number) => {
  const known = Reach.classify(entry, RangeSet.missing(covered, start, end), root.exceptions, nowMs)
  const inState = (state: MissingRange.MissingState) =>
    MissingRange.timeOf(known.filter((missing) => missing.state === state))
  const askable = MissingRange.askable(known, nowMs)
  return {
    askable,
    covered: RangeSet.clip(covered, start, end),
    unavailable: inState("unavailable"),
    quarantined: inState("quarantined"),
    deferred: RangeSet.subtract(inState("deferred"), askable)
  }
}

/** The plan of a range. */
export const planRange = Effect.fnUntraced(function* (asked: AskedSeriesRange) {
  const { entry, range } = yield* validRange(asked)
  const view = yield* (yield* Coverage).of(entry.series)
  const nowMs = yield* Clock.currentTimeMillis
  const share = shares(entry, view, range, nowMs)
  const { lengthMs } = entry.interval
  const own = { entry, sources: entry.sources, wanted: share.askable, windowBars: view.root.windowBars }
  const cost = yield* costOfFilling(own, nowMs)
  const count = (set: RangeSet.RangeSet) => RangeMeasure.bars(set, lengthMs)
  const plan: BackfillPlan = {
    ...entry.series,
    start: range[0],
    end: range[1],
    coveredBars: count(share.covered),
    unavailableBars: count(share.unavailable),
    quarantinedBars: count(share.quarantined),
    deferredBars: count(share.deferred),
    ...cost
  }
  return plan
})
