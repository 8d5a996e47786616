/** How is it seen from the command line what differs between two versions? */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { isRange } from "../../protocol/history/Range.ts"
import { diffText } from "../describeDiff.ts"
import { ExitCode } from "../ExitCode.ts"
import type { AddressFlags } from "../findAddress.ts"
import { finish } from "../finish.ts"
import { addressFlags, type Format, formatFlag, seriesArguments } from "../flags.ts"
import { isoTime } from "../isoTime.ts"
import { printData, printNote } from "../print.ts"
import { type RangeFlags, rangeFlags } from "../rangeFlags.ts"
import { withClient } from "../withClient.ts"
import { WrongUsage } from "../WrongUsage.ts"

const limitMax = 1000

const version = (name: string, meaning: string) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (number) => number >= 0,
      () => "a version: a whole number from 0"
    ),
    Flag.withMetavar("VERSION"),
    Flag.withDescription(meaning)
  )

const parts = {
  ...seriesArguments,
  fromVersion: version("from-version", "What was before; 0 is the series without anything"),
  toVersion: version("to-version", "What is compared with it"),
  ...rangeFlags,
  limit: Flag.Int("limit").pipe(
    Flag.filter(
      (limit) => limit >= 1 && limit <= limitMax,
      () => `a whole number from 1 to ${limitMax}`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription("So many bars at most; 100 without it"),
    Flag.optional
  ),
  format: formatFlag,
  ...addressFlags
}

interface Asked extends AddressFlags, RangeFlags {
  readonly node: string
  readonly interval: string
  readonly fromVersion: number
  readonly toVersion: number
  readonly limit: Option.Option<number>
  readonly format: Format
}

const usage = "seamless diff NODE INTERVAL --from-version A --to-version B [--from T [--to T]] [--limit N]"

/** The range that is named, which may go on for ever. */
const rangeOf = ({ from, to }: RangeFlags) => {
  if (Option.isNone(from)) {
    if (Option.isNone(to)) return Effect.succeed({})
    return Effect.fail(new WrongUsage({ problem: "--to without --from", usage }))
  }
  if (Option.isNone(to)) return Effect.succeed({ start: from.value })
  if (isRange(from.value, to.value)) return Effect.succeed({ start: from.value, end: to.value })
  const problem = `--from ${isoTime(from.value)} is not before --to ${isoTime(to.value)}`
  return Effect.fail(new WrongUsage({ problem, usage }))
}

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { format, fromVersion, interval, limit, node, toVersion } = asked
  const range = yield* rangeOf(asked)
  const options = { fromVersion, toVersion, ...range, ...(Option.isSome(limit) && { limit: limit.value }) }
  const found = yield* withClient(asked, (client, call) => client.diff(node, interval, { ...options, ...call }))
  yield* printData(format === "json" ? JSON.stringify(found) : diffText(found))
  if (found.next === null) return ExitCode.complete
  const windows = found.windows.differing - found.windows.looked
  const left = `${found.barsLeft} bars and what is in ${windows} more windows`
  const note = `left out: ${left}; it goes on with --from ${isoTime(found.next)}`
  yield* printNote(format === "json" ? JSON.stringify({ notes: [note] }) : note)
  return ExitCode.partial
})

/** `seamless diff`: the bars that are not the same at two versions. */
export const diff = Command.make("diff", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Shows the bars that differ between two versions of a series' coverage: changed ones with their old and new " +
      "values, added and removed ones. Only windows whose chunks are not the same are looked into. Exit codes: 0 " +
      "complete, 2 wrong usage, 3 there is more (where it goes on is on the error output), 4 failed."
  ),
  Command.withShortDescription("Shows what differs between two versions"),
  Command.withExamples([
    {
      command: "seamless diff ohlcv:binance:BTC/BUSD 1m --from-version 17 --to-version 21",
      description: "What four changes made of it"
    },
    {
      command:
        "seamless diff ohlcv:binance:BTC/BUSD 1m --from-version 17 --to-version 21 " +
        "--from 2022-12-13 --to 2022-12-14 --format json",
      description: "Of one day, as JSON"
    }
  ])
)
