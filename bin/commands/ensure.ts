/** How is a range filled from the command line? */
import { Effect, type Option } from "effect"
import { Command } from "effect/cli"
import type { AvailabilityResult } from "../../client/HistoryResult.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { alignColumns } from "../alignColumns.ts"
import { describeMissing } from "../describeMissing.ts"
import { ExitCode } from "../ExitCode.ts"
import type { AddressFlags } from "../findAddress.ts"
import { finish } from "../finish.ts"
import { addressFlags, type Format, formatFlag, progressFlag, rangeArguments, seriesArguments } from "../flags.ts"
import { isoTime } from "../isoTime.ts"
import { policyFlags } from "../policyFlags.ts"
import { printData, printNote } from "../print.ts"
import { type PolicyFlags, requestOptions } from "../requestOptions.ts"
import { withProgress } from "../withProgress.ts"

const parts = {
  ...seriesArguments,
  ...rangeArguments,
  ...policyFlags,
  format: formatFlag,
  progress: progressFlag,
  ...addressFlags
}

interface Asked extends PolicyFlags, AddressFlags {
  readonly node: string
  readonly interval: string
  readonly start: number
  readonly end: number
  readonly format: Format
  readonly progress: Option.Option<boolean>
}

const coveredText = ({ coverageRanges }: AvailabilityResult): string => {
  const covered = RangeSet.make(coverageRanges)
  const count = RangeMeasure.size(covered)
  const ranges = coverageRanges.map(([start, end]) => `${isoTime(start)} to ${isoTime(end)}`)
  const shown = ranges.slice(0, 3).join(", ")
  return count === 0 ? "nothing" : count > 3 ? `${shown} and ${count - 3} more ranges` : shown
}

const jobsTable = ({ jobs }: AvailabilityResult): string =>
  alignColumns([
    { name: "window", texts: jobs.map(({ windowStart }) => isoTime(windowStart)), side: "left" },
    { name: "run", texts: jobs.map(({ run }) => String(run)), side: "right" },
    { name: "state", texts: jobs.map(({ state }) => state), side: "left" }
  ])

/** What is available now and what was done for it, for a person. */
export const ensureText = (result: AvailabilityResult): string => {
  const { available, coverageVersion, jobs, notes, slaReport } = result
  return [
    `${available ? "available" : "not available"}: ${coveredText(result)}`,
    `coverage version ${coverageVersion}; ${Math.round(slaReport.elapsedMs)} ms`,
    jobs.length === 0 ? "no job was needed" : jobsTable(result),
    ...notes
  ].join("\n")
}

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { end, format, interval, node, start } = asked
  const options = requestOptions(asked)
  const result = yield* withProgress(asked, (client, call) =>
    client.ensureAvailable(node, interval, start, end, { ...options, ...call })
  )
  yield* printData(format === "json" ? JSON.stringify(result) : ensureText(result))
  if (result.available && result.missingRanges.length === 0) return ExitCode.complete
  yield* printNote(describeMissing(result.missingRanges, format))
  return result.available ? ExitCode.complete : ExitCode.partial
})

/** `seamless ensure`: fills what is missing of a range, and says what was done. */
export const ensure = Command.make("ensure", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Fills what is missing of a range, and says what was done. Exit codes: 0 all of it is available, 2 wrong usage, " +
      "3 some is still missing (it is on the error output), 4 failed."
  ),
  Command.withShortDescription("Fills a range"),
  Command.withExamples([
    {
      command: "seamless ensure ohlcv:binance:BTC/BUSD 1m 2022-12-01 2022-12-14 --deadline 60000",
      description: "Waits a minute at most; what is under way then goes on"
    }
  ])
)
