/**
 * How many requests does it take to bring missing bars, and how long?
 *
 * Pure. Windows that follow each other are claimed together, and what they lack is asked for as one stretch, so that
 * all pages but a stretch's last are full. The cost is counted by arithmetic: a million windows cost no more than one.
 */
import type { SourcePlan } from "./BackfillPlan.ts"
import { isRange } from "./Range.ts"
import * as RangeMeasure from "./RangeMeasure.ts"
import type * as RangeSet from "./RangeSet.ts"
import * as Window from "./Window.ts"

/** Windows that one claim takes: the first and those that follow it. */
export const windowsPerErrand = 16

/** What must be known of a source. */
export interface SourceLimits {
  readonly name: string
  readonly barsPerRequest: number
  /** What its account may be sent in a minute, where that is known. */
  readonly requestsPerMinute?: number
  /** What it is asked for. */
  readonly wanted: RangeSet.RangeSet
}

/** What bringing bars takes. */
export interface Cost {
  readonly bars: number
  readonly windows: number
  readonly sources: ReadonlyArray<SourcePlan>
}

/** Requests that one errand after the other takes; each is for so many windows from the first that lacks bars. */
const requestsFor = (
  stretches: RangeSet.RangeSet,
  { intervalMs, ...grid }: Window.Grid,
  barsPerRequest: number
): number => {
  const errandMs = intervalMs * grid.windowBars * windowsPerErrand
  const asked = (lengthMs: number) => Math.ceil(lengthMs / intervalMs / barsPerRequest)
  let requests = 0
  let errandUntil = -Infinity
  for (let index = 0; index < RangeMeasure.size(stretches); index++) {
    const [start, end] = RangeMeasure.at(stretches, index)
    let from = start
    while (isRange(from, end)) {
      if (!isRange(from, errandUntil)) errandUntil = Window.windowStart({ intervalMs, ...grid }, from) + errandMs
      const whole = Math.floor((end - from) / errandMs)
      if (errandUntil - from === errandMs && whole > 0) {
        // whole errands in a row are all alike
        requests += whole * asked(errandMs)
        from += whole * errandMs
        errandUntil = from
      } else {
        const until = Math.min(end, errandUntil)
        requests += asked(until - from)
        from = until
      }
    }
  }
  return requests
}

/** What it takes to bring all of `wanted`, which nobody has and may be asked for, from the sources together. */
export const planBackfill = (
  wanted: RangeSet.RangeSet,
  sources: ReadonlyArray<SourceLimits>,
  grid: Window.Grid
): Cost => ({
  bars: RangeMeasure.bars(wanted, grid.intervalMs),
  windows: Window.count(grid, wanted),
  sources: sources.map(({ barsPerRequest, name, requestsPerMinute, wanted: asked }) => {
    const requests = requestsFor(asked, grid, barsPerRequest)
    return {
      source: name,
      barsPerRequest,
      requests,
      requestsPerMinute: requestsPerMinute ?? null,
      seconds: requestsPerMinute === undefined ? null : (requests / requestsPerMinute) * 60
    }
  })
})
