/** Which arguments and flags do commands share? */
import { Option } from "effect"
import { Argument, Flag } from "effect/cli"
import * as Strategy from "../protocol/history/Strategy.ts"
import { asOfProblem, parseAsOf } from "./parseAsOf.ts"
import { parseTime, timeProblem } from "./parseTime.ts"

/** How an answer is written. */
export type Format = "table" | "json"

/** Where commands that join a cluster look for it. */
export const dataDirDefault = "./.seamless"

const time = (name: string, meaning: string) =>
  Argument.String(name).pipe(
    Argument.filterMap((text) => Option.fromUndefinedOr(parseTime(text)), timeProblem),
    Argument.withDescription(`${meaning}: epoch milliseconds or ISO 8601; UTC where it names no zone`)
  )

/** NODE and INTERVAL. */
export const seriesArguments = {
  node: Argument.String("node").pipe(Argument.withDescription("Node id, such as ohlcv:binance:BTC/BUSD")),
  interval: Argument.String("interval").pipe(Argument.withDescription("Length of a bar, such as 1m, 4h or 1d"))
}

/** START and END. */
export const rangeArguments = {
  start: time("start", "First moment of the range"),
  end: time("end", "First moment behind the range")
}

/** TIME: any moment of a window. */
export const timeArgument = time("time", "Any moment of the window")

/** Where the cluster is. */
export const addressFlags = {
  nats: Flag.String("nats").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("Address of the NATS server; else SEAMLESS_NATS, else the one in the data folder"),
    Flag.optional
  ),
  dataDir: Flag.String("data-dir").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Data folder of a member that runs on this machine"),
    Flag.withDefault(dataDirDefault)
  )
}

/** Table or JSON. */
export const formatFlag = Flag.Literals("format", ["table", "json"]).pipe(
  Flag.withDescription("How the answer is written"),
  Flag.withDefault("table")
)

/** What to do about a gap, for how long, and whose bars are preferred. */
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
  consistency: Flag.Literals("consistency", ["eventual", "strict"]).pipe(
    Flag.withDescription("Whose word on the coverage counts: the host's that answers, or that of the series' owner"),
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
  )
}

/** What stood at a point of the past. */
export const asOfFlag = Flag.String("as-of").pipe(
  Flag.filterMap((text) => Option.fromUndefinedOr(parseAsOf(text)), asOfProblem),
  Flag.withMetavar("VERSION|T"),
  Flag.withDescription("What stood at this version of the coverage, or at this time; nothing is fetched for it"),
  Flag.optional
)

/** Whether progress is shown. */
export const progressFlag = Flag.Boolean("progress").pipe(
  Flag.withDescription("Show progress on the error output while waiting; shown to people anyway, not with JSON"),
  Flag.optional
)
