/**
 * When is time asked about again of which a source gave no bar, and no proof that there is none?
 *
 * Pure. The source may have had a gap for an hour, or for good: each time that the same time is answered in that way
 * again the wait doubles, up to a day. Anything that is proven within it begins the count anew.
 */
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Capabilities } from "../sources/DataSource.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"

/** What an answer was, and what was known before it. */
export interface Absences {
  readonly source: { readonly name: string; readonly capabilities: Pick<Capabilities, "maxEmptyBars"> }
  readonly waits: CatalogEntry["absence"]
  /** What is stored of time that is not covered. */
  readonly known: ReadonlyArray<MissingRange.MissingRange>
  /** What the answer proved. */
  readonly proven: RangeSet.RangeSet
  /** Bars of which rows came that were left out as late. */
  readonly late?: RangeSet.RangeSet
  readonly nowMs: number
}

/** How often the exception's time was answered without proof until now, in a row. */
const answersOf = ({ answers = 1, end, start }: MissingRange.MissingRange, proven: RangeSet.RangeSet): number =>
  isEmpty(RangeSet.clip(proven, start, end)) ? answers : 0

/** Time that was answered so often before. */
interface Counted {
  readonly time: RangeSet.RangeSet
  readonly before: number
}

const counted = (unproven: RangeSet.RangeSet, { known, proven }: Absences): ReadonlyArray<Counted> => {
  const before = known.filter(({ state }) => state === "deferred")
  const again = before.map((range) => ({
    time: RangeSet.clip(unproven, range.start, range.end),
    before: answersOf(range, proven)
  }))
  return [...again, { time: RangeSet.subtract(unproven, MissingRange.timeOf(before)), before: 0 }]
}

/** Each part of the time, and why nothing is proven about it. */
const reasonsFor = (
  time: RangeSet.RangeSet,
  { late = RangeSet.empty, source }: Absences
): ReadonlyArray<{ readonly range: Range; readonly reason: string }> => {
  const leftOut = `${source.name} gave rows of these bars, which the rules left out as late`
  const absent =
    `${source.name} gave no bar, and that proves nothing here: ` +
    `an absence counts between two bars, up to ${source.capabilities.maxEmptyBars} bars long`
  return [
    ...toPairs(RangeSet.intersect(time, late)).map((range) => ({ range, reason: leftOut })),
    ...toPairs(RangeSet.subtract(time, late)).map((range) => ({ range, reason: absent }))
  ]
}

/** What is known from now on of time that was answered, and about which nothing was proven. */
export const deferAbsences = (
  unproven: RangeSet.RangeSet,
  absences: Absences
): ReadonlyArray<MissingRange.MissingRange> => {
  const { nowMs, waits } = absences
  return counted(unproven, absences)
    .flatMap(({ before, time }) =>
      reasonsFor(time, absences).map(({ range: [start, end], reason }): MissingRange.MissingRange => ({
        start,
        end,
        state: "deferred",
        reason,
        retryAt: nowMs + Math.min(waits.maxMs, waits.baseMs * 2 ** before),
        evidence: before === 0 ? "answered once" : `answered ${before + 1} times in a row`,
        answers: before + 1
      }))
    )
    .toSorted((a, b) => a.start - b.start)
}
