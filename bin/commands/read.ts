/** How are bars read from the command line? */
import { Effect, type Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import { isOwed } from "../../protocol/history/MissingRange.ts"
import { describeAccount } from "../describeAccount.ts"
import { describeConformed, describeFindings } from "../describeFindings.ts"
import { describeMissing } from "../describeMissing.ts"
import { ExitCode } from "../ExitCode.ts"
import type { AddressFlags } from "../findAddress.ts"
import { finish } from "../finish.ts"
import { addressFlags, type Format, formatFlag, progressFlag, rangeArguments, seriesArguments } from "../flags.ts"
import { asOfFlag, fillFlag, policyFlags } from "../policyFlags.ts"
import { historyTable } from "../historyTable.ts"
import { printData, printNote } from "../print.ts"
import { pastOf, type PolicyFlags, requestOptions, said } from "../requestOptions.ts"
import { withProgress } from "../withProgress.ts"

const parts = {
  ...seriesArguments,
  ...rangeArguments,
  ...policyFlags,
  asOf: asOfFlag,
  fill: fillFlag,
  meta: Flag.Boolean("meta").pipe(
    Flag.withDescription("Write the account of the answer behind the bars"),
    Flag.withDefault(false)
  ),
  format: formatFlag,
  progress: progressFlag,
  ...addressFlags
}

interface Asked extends PolicyFlags, AddressFlags {
  readonly node: string
  readonly interval: string
  readonly start: number
  readonly end: number
  readonly asOf: Option.Option<AsOf | null>
  readonly fill: Option.Option<"none" | "forward">
  readonly meta: boolean
  readonly format: Format
  readonly progress: Option.Option<boolean>
}

const dataText = ({ df, meta }: HistoryResult, wants: Pick<Asked, "format" | "meta">): string => {
  if (wants.format === "table") return wants.meta ? `${historyTable(df)}\n\n${describeAccount(meta)}` : historyTable(df)
  const types = Object.keys(df.types).length === 0 ? {} : { types: df.types }
  return JSON.stringify({ columns: df.toColumns(), ...types, ...(wants.meta && { meta }) })
}

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { asOf, end, fill, format, interval, node, start } = asked
  const options = { ...requestOptions(asked), ...pastOf(asOf), ...said(fill, (value) => ({ fill: value })) }
  const result = yield* withProgress(asked, (client, call) =>
    client.read(node, interval, start, end, { ...options, ...call })
  )
  yield* printData(dataText(result, asked))
  const { missingRanges, notes, qualitySummary } = result.meta
  // with the account they are part of it
  if (format === "table" && !asked.meta && notes.length > 0) yield* printNote(notes.join("\n"))
  if (qualitySummary.findings) yield* printNote(describeFindings(qualitySummary.findings, format))
  if (qualitySummary.conformed) yield* printNote(describeConformed(qualitySummary.conformed, format))
  if (missingRanges.length === 0) return ExitCode.complete
  yield* printNote(describeMissing(missingRanges, format))
  // what can't be had is told, and is no lack
  return missingRanges.some(isOwed) ? ExitCode.partial : ExitCode.complete
})

/** `seamless read`: the bars on the standard output; what is missing of them on the error output. */
export const read = Command.make("read", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Reads the bars of a range. Exit codes: 0 complete, 2 wrong usage, 3 partial (what is missing is on the error " +
      "output), 4 failed (tag and message are on the error output)."
  ),
  Command.withShortDescription("Reads bars"),
  Command.withExamples([
    { command: "seamless read ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14", description: "One day of minutes" },
    {
      command:
        "seamless read ohlcv:binance:BTC/BUSD 1m 1670889600000 1670889780000 --strategy auto_backfill " +
        "--deadline 2000 --format json --meta",
      description: "Three bars and their account as JSON, within two seconds"
    },
    {
      command: "seamless read ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14 --as-of 17",
      description: "The day as it was read at version 17 of the coverage"
    }
  ])
)
