/**
 * How far has a range come that somebody waits for?
 *
 * The coverage of the series tells, which anybody may look at; whoever fills the range need not be asked.
 */
import { Clock, Effect, Option } from "effect"
import * as Pace from "../actors/backfills/Pace.ts"
import type { CoverageReport } from "../client/HistoryResult.ts"
import type { SeamlessClient } from "../client/SeamlessClient.ts"
import * as Interval from "../protocol/history/Interval.ts"
import * as MissingRange from "../protocol/history/MissingRange.ts"
import * as RangeMeasure from "../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import type { ProgressDisplay } from "./ProgressDisplay.ts"

/** A range that is waited for. */
export interface FollowedRange {
  readonly node: string
  readonly interval: string
  readonly start: number
  readonly end: number
}

const lookEvery = "1 second"

/** Bars of the range that are to come: not covered, not known to be beyond reach, and not in the future. */
export const barsToCome = (report: CoverageReport, { end, start }: FollowedRange, nowMs: number): number => {
  const covered = RangeSet.make(report.coverageRanges)
  const unavailable = MissingRange.timeOf(report.missingRanges.filter(({ state }) => state === "unavailable"))
  const past = RangeSet.clip(RangeSet.missing(RangeSet.union(covered, unavailable), start, end), -Infinity, nowMs)
  return Option.match(Interval.parse(report.interval), {
    onNone: () => 0,
    onSome: ({ lengthMs }) => RangeMeasure.bars(past, lengthMs)
  })
}

/** Shows how the range fills up, for ever. What can't be seen now may be seen a second later. */
export const followCoverage = Effect.fnUntraced(function* (
  client: Pick<SeamlessClient, "coverage">,
  range: FollowedRange,
  display: ProgressDisplay
) {
  const look = Effect.gen(function* () {
    const report = yield* Effect.tryPromise(() => client.coverage(range.node, range.interval))
    const atMs = yield* Clock.currentTimeMillis
    return { atMs, left: barsToCome(report, range, atMs) }
  }).pipe(Effect.option)

  let wanted: number | undefined
  let pace = Pace.empty
  while (true) {
    const seen = yield* look
    if (Option.isSome(seen)) {
      const { atMs, left } = seen.value
      const isFirst = wanted === undefined
      wanted ??= left
      const done = Math.max(0, wanted - left)
      pace = Pace.seen(pace, { atMs, done })
      const perSecond = Pace.perSecond(pace)
      const secondsLeft = Pace.secondsFor(left, perSecond)
      if (!isFirst && wanted > 0) yield* display.show({ done, wanted, perSecond, secondsLeft, note: "" })
    }
    yield* Effect.sleep(lookEvery)
  }
})
