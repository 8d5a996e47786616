/** What should a reader know of bars that may still change? */
import { Effect, Option } from "effect"
import { outward } from "../../protocol/history/alignRanges.ts"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { UnsettledRange } from "../../protocol/history/Unsettled.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import type { Loaded } from "./loadRows.ts"
import { allBelow } from "./settleBelow.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The root is known on a host that answers about the series; a note is not worth a longer wait. */
const waitMsMax = 100

/** Bars of an answer that may still change, by source, as a sentence; none where all have settled. */
export const unsettledNotes = (
  unsettled: ReadonlyMap<string, RangeSet.RangeSet>,
  intervalMs: number
): ReadonlyArray<string> => {
  const time = RangeSet.unionAll(Array.from(unsettled.values()))
  if (isEmpty(time)) return []
  const count = bars(time, intervalMs)
  const names = Array.from(unsettled.keys()).join(", ")
  return [`${count} ${count === 1 ? "bar" : "bars"} may still be changed by ${names}, and will be asked for once more`]
}

/** What of each source's time is unsettled; sources of which nothing is are left out. */
export const unsettledOf = (
  unsettled: ReadonlyArray<UnsettledRange> = [],
  timeOf: (source: string) => RangeSet.RangeSet
): ReadonlyMap<string, RangeSet.RangeSet> => {
  const found = new Map<string, RangeSet.RangeSet>()
  for (const { end, source, start } of unsettled) {
    const time = RangeSet.clip(timeOf(source), start, end)
    if (!isEmpty(time)) found.set(source, RangeSet.union(found.get(source) ?? RangeSet.empty, time))
  }
  return found
}

/**
 * What an answer says of its bars that may still change: of those that it has, from the sources that it has them from.
 * Bars that are rolled up change with the finest ones, whose root is known here or is not worth the wait. What stood at
 * a point of the past does not change any more.
 */
export const notesOf = Effect.fnUntraced(function* (
  { asOf, entry }: Pick<ValidRequest, "asOf" | "entry">,
  { root }: CoverageView,
  { contributions, covered }: Pick<Loaded, "contributions" | "covered">,
  withinMs: number
) {
  const { lengthMs } = entry.interval
  if (asOf !== undefined) return []
  if (entry.derivedFrom === null) {
    return unsettledNotes(
      unsettledOf(root.unsettled, (source) => contributions.get(source) ?? RangeSet.empty),
      lengthMs
    )
  }
  const [finest] = (yield* Effect.orElseSucceed(allBelow(entry), () => [])).slice(-1)
  if (finest === undefined) return []
  const coverage = yield* Coverage
  const below = yield* coverage
    .of(finest.series)
    .pipe(Effect.timeoutOption(Math.min(withinMs, waitMsMax)), Effect.orElseSucceed(Option.none<CoverageView>))
  const unsettled = Option.match(below, { onNone: () => [], onSome: ({ root }) => root.unsettled })
  const touched = unsettledOf(unsettled, () => covered)
  return unsettledNotes(
    new Map(
      Array.from(touched, ([source, time]) => [source, RangeSet.intersect(outward(time, entry.interval), covered)])
    ),
    lengthMs
  )
})
