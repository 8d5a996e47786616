/**
 * Which range does a command line mean that may name none?
 *
 * By `--from` and `--to`: both, or neither.
 */
import { Effect, Option, Result } from "effect"
import { Flag } from "effect/cli"
import { isRange, type Range } from "../protocol/history/Range.ts"
import { isoTime } from "./isoTime.ts"
import { parseTime, timeProblem } from "./parseTime.ts"
import { WrongUsage } from "./WrongUsage.ts"

const time = (name: string, meaning: string) =>
  Flag.String(name).pipe(
    Flag.filterMap((text) => Option.fromUndefinedOr(parseTime(text)), timeProblem),
    Flag.withMetavar("T"),
    Flag.withDescription(`${meaning}: epoch milliseconds or ISO 8601; UTC where it names no zone`),
    Flag.optional
  )

/** `--from` and `--to`. */
export const rangeFlags = {
  from: time("from", "First moment of the range"),
  to: time("to", "First moment behind the range; with --from")
}

/** What they were given. */
export interface RangeFlags {
  readonly from: Option.Option<number>
  readonly to: Option.Option<number>
}

/** Fails where what a command asks for has a start that is not before its end, before anybody is asked. */
export const checkAsked = (asked: object) => {
  const { end, start }: { readonly end?: unknown; readonly start?: unknown } = asked
  if (typeof start !== "number" || typeof end !== "number" || isRange(start, end)) return Effect.void
  const problem = `the start ${isoTime(start)} is not before the end ${isoTime(end)}`
  return Effect.fail(new WrongUsage({ problem, usage: "the end is later than the start, and not part of the range" }))
}

/** The range that is named; none where none is. Fails with what is wrong. */
export const namedRange = ({ from, to }: RangeFlags): Result.Result<Option.Option<Range>, string> => {
  if (Option.isNone(from) && Option.isNone(to)) return Result.succeed(Option.none())
  if (Option.isNone(from) || Option.isNone(to)) {
    const [given, absent] = Option.isNone(to) ? ["--from", "--to"] : ["--to", "--from"]
    return Result.fail(`${given} without ${absent}: a range has both`)
  }
  if (isRange(from.value, to.value)) return Result.succeed(Option.some([from.value, to.value]))
  return Result.fail(`--from ${isoTime(from.value)} is not before --to ${isoTime(to.value)}`)
}
