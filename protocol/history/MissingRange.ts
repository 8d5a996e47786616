/**
 * Why is a stretch of time not covered?
 *
 * Four states, told apart everywhere: nobody has asked yet (missing), it was asked too soon or without proof
 * (deferred), it can't be had (unavailable), it waits for a person (quarantined).
 */
import { Schema } from "effect"
import { toPairs } from "./RangePairs.ts"
import * as RangeSet from "./RangeSet.ts"

/** The states of time that is not covered. */
export const MissingState = Schema.Literals(["missing", "deferred", "unavailable", "quarantined"])
export type MissingState = typeof MissingState.Type

/** A range that is not covered, why, and when to ask again. */
export const MissingRange = Schema.Struct({
  start: Schema.Finite,
  end: Schema.Finite,
  state: MissingState,
  reason: Schema.String,
  /** Epoch milliseconds; null where asking again is pointless, or useful at any time. */
  retryAt: Schema.NullOr(Schema.Finite),
  /** What the reason rests on: a setting, or what a source said. */
  evidence: Schema.optionalKey(Schema.String),
  /** How often in a row sources were asked about it and proved nothing. */
  answers: Schema.optionalKey(Schema.Int),
  /** The quality rule that keeps its bars out: it waits until an operator has it fetched again. */
  rule: Schema.optionalKey(Schema.String)
})
export type MissingRange = typeof MissingRange.Type

/** The parts of the ranges that are not in `covered`. */
export const without = (ranges: ReadonlyArray<MissingRange>, covered: RangeSet.RangeSet): ReadonlyArray<MissingRange> =>
  ranges.flatMap((range) =>
    toPairs(RangeSet.subtract(RangeSet.of(range.start, range.end), covered)).map(([start, end]) => ({
      ...range,
      start,
      end
    }))
  )

/** The parts of the ranges that are in `wanted`. */
export const clipTo = (ranges: ReadonlyArray<MissingRange>, wanted: RangeSet.RangeSet): ReadonlyArray<MissingRange> =>
  ranges.flatMap((range) =>
    toPairs(RangeSet.clip(wanted, range.start, range.end)).map(([start, end]) => ({ ...range, start, end }))
  )

/** The time of the ranges, as a set. */
export const timeOf = (ranges: Iterable<MissingRange>): RangeSet.RangeSet =>
  RangeSet.make(Array.from(ranges, ({ end, start }) => [start, end] as const))

/** Every part of `missing` with its state: what is known of it, and missing where nothing is. Ascending. */
export const classify = (
  missing: RangeSet.RangeSet,
  known: ReadonlyArray<MissingRange>
): ReadonlyArray<MissingRange> => {
  const explained = clipTo(known, missing)
  const rest = toPairs(RangeSet.subtract(missing, timeOf(explained))).map(([start, end]): MissingRange => ({
    start,
    end,
    state: "missing",
    reason: "not filled yet",
    retryAt: null
  }))
  return [...explained, ...rest].toSorted((a, b) => a.start - b.start)
}

/** Whether the time can be had at all, sooner or later: what can't is no gap. */
export const isOwed = ({ state }: MissingRange): boolean => state !== "unavailable"

/** What of the ranges it makes sense to ask a source for now: missing, or deferred until now at the latest. */
export const askable = (ranges: ReadonlyArray<MissingRange>, nowMs: number): RangeSet.RangeSet =>
  timeOf(
    ranges.filter(
      ({ retryAt, state }) => state === "missing" || (state === "deferred" && retryAt !== null && retryAt <= nowMs)
    )
  )
