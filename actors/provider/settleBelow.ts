/**
 * How does who reads a series that is rolled up wait for the finer bars that it lacks?
 *
 * Before anything is asked for above: no worker has to wait for them then. Whatever keeps them away is told by the work
 * above, which finds it too; here it only ends the wait.
 */
import { Clock, Effect } from "effect"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Backfill } from "../../protocol/messages/Backfill.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { demandedWindowsMax } from "../../protocol/messages/Derived.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { traceParent } from "../../runtime/telemetry/Propagation.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"

/** The series that one is made of by way of others, the coarsest first. */
export const allBelow = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const { find } = yield* SeriesCatalog
  const below: Array<CatalogEntry> = []
  for (let { derivedFrom } = entry; derivedFrom !== null; { derivedFrom } = below.at(-1)!) {
    below.push(yield* find(entry.series.nodeId, derivedFrom))
  }
  return below
})

/** Has one series filled, and waits until that has come to an end. */
const settle = Effect.fnUntraced(function* (
  { series, sources, ...entry }: CatalogEntry,
  gap: RangeSet.RangeSet,
  cause: string
) {
  const coverage = yield* Coverage
  const { covered, root } = yield* coverage.of(series)
  const nowMs = yield* Clock.currentTimeMillis
  const missing = RangeSet.subtract(gap, covered)
  const wanted = Reach.askable({ ...entry, sources }, missing, root.exceptions, nowMs)
  if (isEmpty(wanted)) return
  const ranges = Window.firstOf(Window.makeGrid(entry.interval, root.windowBars), wanted, demandedWindowsMax)
  const demand = { series, ranges, sources, jobClass: "interactive", cause, traceParent: yield* traceParent } as const
  const { jobs } = yield* coverage.ensure(demand)
  yield* (yield* Backfill).settled(jobs)
})

/** Has what a gap is made of filled, from the finest series up, and waits for it no longer than it is given. */
export const settleBelow = (entry: CatalogEntry, gap: RangeSet.RangeSet, given: { cause: string; withinMs: number }) =>
  entry.derivedFrom === null
    ? Effect.void
    : allBelow(entry).pipe(
        Effect.flatMap((below) => Effect.forEach(below.toReversed(), (each) => settle(each, gap, given.cause))),
        withBudget(given.withinMs),
        Effect.timeoutOption(given.withinMs),
        Effect.ignore
      )
