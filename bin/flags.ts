/** Which arguments and flags do commands share? */
import { Option } from "effect"
import { Argument, Flag } from "effect/cli"
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

/** Whether progress is shown. */
export const progressFlag = Flag.Boolean("progress").pipe(
  Flag.withDescription("Show progress on the error output while waiting; shown to people anyway, not with JSON"),
  Flag.optional
)
