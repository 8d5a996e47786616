/** How is the coverage of a series seen from the command line? */
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import { ExitCode } from "../ExitCode.ts"
import type { AddressFlags } from "../findAddress.ts"
import { finish } from "../finish.ts"
import { addressFlags, type Format, formatFlag, seriesArguments } from "../flags.ts"
import { asOfFlag, consistencyFlag } from "../policyFlags.ts"
import { printData } from "../print.ts"
import { type PolicyFlags, said } from "../requestOptions.ts"
import { timeline } from "../timeline.ts"
import { withClient } from "../withClient.ts"

const parts = {
  ...seriesArguments,
  asOf: asOfFlag,
  consistency: consistencyFlag,
  format: formatFlag,
  ...addressFlags
}

interface Asked extends AddressFlags {
  readonly node: string
  readonly interval: string
  readonly asOf: Option.Option<AsOf | null>
  readonly consistency: PolicyFlags["consistency"]
  readonly format: Format
}

// where the output is no terminal, nobody knows how wide it will be shown
const columnsDefault = 80

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { asOf, consistency, format, interval, node } = asked
  const options = {
    // what stands now is what is told of coverage anyway
    ...said(
      Option.filter(asOf, (point) => point !== null),
      (point) => ({ asOf: point })
    ),
    ...said(consistency, (word) => ({ consistency: word }))
  }
  const report = yield* withClient(asked, (client, call) => client.coverage(node, interval, { ...options, ...call }))
  const columns = process.stdout.columns ?? columnsDefault
  yield* printData(format === "json" ? JSON.stringify(report) : timeline(report, columns))
  return ExitCode.complete
})

/** `seamless coverage`: a picture of what is covered of a series. */
export const coverage = Command.make("coverage", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription("Shows what is covered of a series as a picture of its timeline, or as JSON."),
  Command.withShortDescription("Shows what is covered"),
  Command.withExamples([
    { command: "seamless coverage ohlcv:binance:BTC/BUSD 1m" },
    { command: "seamless coverage ohlcv:binance:BTC/BUSD 1m --format json", description: "The ranges themselves" }
  ])
)
