/** How is it seen from the command line what filling a range would take? */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { describePlan } from "../describePlan.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { rangeArguments, seriesArguments } from "../flags.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { withAdmin } from "../withClient.ts"

const parts = { ...seriesArguments, ...rangeArguments, ...operatorFlags }

/** A range to plan for, and who asks. */
export interface AskedPlan extends OperatorFlags {
  readonly node: string
  readonly interval: string
  readonly start: number
  readonly end: number
}

/** Asks for the plan of a range, and writes it. */
export const answerPlan = Effect.fnUntraced(function* (asked: AskedPlan) {
  const { end, format, interval, node: nodeId, start } = asked
  const told = yield* withAdmin(asked, "plan", { nodeId, interval, start, end })
  yield* printData(format === "json" ? JSON.stringify(told) : describePlan(told))
  return ExitCode.complete
})

/** `seamless plan`: bars, windows, requests and seconds, before anything is asked for. */
export const plan = Command.make("plan", parts, (asked: AskedPlan) => finish(asked.format)(answerPlan(asked))).pipe(
  Command.withDescription(
    "Shows what filling a range would take, as its series is covered now: bars, windows, requests, and seconds where " +
      "the source has a rate budget. Nothing is asked of a source."
  ),
  Command.withShortDescription("Shows what filling a range would take"),
  Command.withExamples([
    { command: "seamless plan ohlcv:binance:BTC/BUSD 1m 2020-01-01 2023-01-01", description: "Three years of minutes" }
  ])
)
