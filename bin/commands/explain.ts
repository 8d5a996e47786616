/** How is it seen from the command line what a read would do? */
import { Effect, type Option } from "effect"
import { Command } from "effect/cli"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import { describeExplanation } from "../describeExplanation.ts"
import { ExitCode } from "../ExitCode.ts"
import type { AddressFlags } from "../findAddress.ts"
import { finish } from "../finish.ts"
import { addressFlags, type Format, formatFlag, rangeArguments, seriesArguments } from "../flags.ts"
import { asOfFlag, fillFlag, policyFlags } from "../policyFlags.ts"
import { printData } from "../print.ts"
import { pastOf, type PolicyFlags, requestOptions, said } from "../requestOptions.ts"
import { withClient } from "../withClient.ts"

const parts = {
  ...seriesArguments,
  ...rangeArguments,
  ...policyFlags,
  asOf: asOfFlag,
  fill: fillFlag,
  format: formatFlag,
  ...addressFlags
}

interface Asked extends PolicyFlags, AddressFlags {
  readonly node: string
  readonly interval: string
  readonly start: number
  readonly end: number
  readonly asOf: Option.Option<AsOf | null>
  readonly fill: Option.Option<"none" | "forward">
  readonly format: Format
}

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { asOf, end, fill, format, interval, node, start } = asked
  const options = { ...requestOptions(asked), ...pastOf(asOf), ...said(fill, (value) => ({ fill: value })) }
  const told = yield* withClient(asked, (client, call) =>
    client.explain(node, interval, start, end, { ...options, ...call })
  )
  yield* printData(format === "json" ? JSON.stringify(told) : describeExplanation(told))
  return ExitCode.complete
})

/** `seamless explain`: what `read` with the same arguments would do. */
export const explain = Command.make("explain", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Shows what a read with these arguments would do now: what would come from where, which windows, what would be " +
      "waited for and how long, and what it takes. Nothing is fetched or changed."
  ),
  Command.withShortDescription("Shows what a read would do"),
  Command.withExamples([
    {
      command: "seamless explain ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14 --strategy seamless",
      description: "One day of minutes"
    }
  ])
)
