/**
 * Which flags say how a request is to be answered?
 *
 * Each option of the wire, and each of its values: an environment may have another default, and who types a command can
 * take that back. What is not said is left to the environment.
 */
import { Option } from "effect"
import { Flag } from "effect/cli"
import { Align, Consistency, Fill, OnStrictViolation } from "../protocol/history/HistoryRequest.ts"
import * as Strategy from "../protocol/history/Strategy.ts"
import { asOfProblem, parseAsOf } from "./parseAsOf.ts"
import { parseSla, slaProblem } from "./parseSla.ts"

/** Whose word on the coverage counts. */
export const consistencyFlag = Flag.Literals("consistency", Consistency.literals).pipe(
  Flag.withDescription("Whose word on the coverage counts: the host's that answers, or that of the series' owner"),
  Flag.optional
)

/** What a read and an `ensure` take. */
export const policyFlags = {
  sources: Flag.String("source").pipe(
    Flag.withMetavar("S"),
    Flag.withDescription("The source whose bars are preferred; several times for those that come behind it"),
    Flag.atLeast(0),
    Flag.filter(
      (names) => !names.includes(""),
      () => "the name of a source"
    )
  ),
  strategy: Flag.String("strategy").pipe(
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(Strategy.parse(text)),
      () => `one of ${Strategy.Strategy.literals.join(", ")}`
    ),
    Flag.withMetavar("S"),
    Flag.withDescription(`What to do about a gap: ${Strategy.Strategy.literals.join(", ")}`),
    Flag.optional
  ),
  consistency: consistencyFlag,
  strict: Flag.Boolean("strict").pipe(
    Flag.withDescription("Fail unless every bar that can be there is there; --no-strict where that is the default"),
    Flag.optional
  ),
  onStrictViolation: Flag.Literals("on-strict-violation", OnStrictViolation.literals).pipe(
    Flag.withDescription("Where bars are absent with --strict: fail, or answer and say which"),
    Flag.optional
  ),
  align: Flag.Literals("align", Align.literals).pipe(
    Flag.withDescription("Whether a range that is not of whole bars is refused, or widened to them"),
    Flag.optional
  ),
  minVersion: Flag.Int("min-version").pipe(
    Flag.filter(
      (version) => version >= 0,
      () => "a version of the coverage, 0 or more"
    ),
    Flag.withMetavar("VERSION"),
    Flag.withDescription("Answer from this version of the coverage or a later one"),
    Flag.optional
  ),
  deadline: Flag.Int("deadline").pipe(
    Flag.filter(
      (ms) => ms > 0,
      () => "a whole number of milliseconds, 1 or more"
    ),
    Flag.withMetavar("MS"),
    Flag.withDescription("Milliseconds after which the answer leaves, whatever is still missing"),
    Flag.optional
  ),
  sla: Flag.String("sla").pipe(
    Flag.filterMap((text) => Option.fromUndefinedOr(parseSla(text)), slaProblem),
    Flag.withMetavar("FIELD=VALUE"),
    Flag.withDescription("Another limit, such as maxSyncGapBars=10 or onViolation=error; several times for several"),
    Flag.atLeast(0)
  )
}

/** What stood at a point of the past. */
export const asOfFlag = Flag.String("as-of").pipe(
  Flag.filterMap((text) => Option.fromUndefinedOr(parseAsOf(text)), asOfProblem),
  Flag.withMetavar("VERSION|T|now"),
  Flag.withDescription(
    "What stood at this version of the coverage, or at this time, for which nothing is fetched; or what stands now"
  ),
  Flag.optional
)

/** Whether bars without trades get a row. */
export const fillFlag = Flag.Literals("fill", Fill.literals).pipe(
  Flag.withDescription("Give bars in which nothing was traded a row with the last price, flagged FWD_FILLED; or not"),
  Flag.optional
)
