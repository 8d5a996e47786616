/** How is time taken out of the coverage from the command line? */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import { amountText } from "../amountText.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { rangeArguments, seriesArguments } from "../flags.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { withAdmin } from "../withClient.ts"

/** The range, and why. */
export const invalidateFlags = {
  ...seriesArguments,
  ...rangeArguments,
  reason: Flag.String("reason").pipe(
    Flag.filter(
      (reason) => reason.trim() !== "",
      () => "a sentence that says why"
    ),
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Why; kept in the audit of the series")
  ),
  ...operatorFlags
}

/** What they were given. */
export interface AskedInvalidation extends OperatorFlags {
  readonly node: string
  readonly interval: string
  readonly start: number
  readonly end: number
  readonly reason: string
}

/** The request that they make. */
export const invalidationOf = ({ end, interval, node, reason, start }: AskedInvalidation) => ({
  nodeId: node,
  interval,
  start,
  end,
  reason
})

/** What of the range was covered, in a sentence. */
export const removedText = ({ removedBars, version }: Omit<AdminAnswer<"invalidate">, "removed">): string => {
  const bars = removedBars === 1 ? "1 bar does" : `${amountText(removedBars)} bars do`
  const what = removedBars === 0 ? "nothing of it was covered" : `${bars} not count any more`
  return `${what}; coverage version ${version}`
}

const answer = Effect.fnUntraced(function* (asked: AskedInvalidation) {
  const told = yield* withAdmin(asked, "invalidate", invalidationOf(asked))
  yield* printData(asked.format === "json" ? JSON.stringify(told) : removedText(told))
  return ExitCode.complete
})

/** `seamless invalidate`: what is stored of a range stops counting. */
export const invalidate = Command.make("invalidate", invalidateFlags, (asked: AskedInvalidation) =>
  finish(asked.format)(answer(asked))
).pipe(
  Command.withDescription(
    "Takes a range out of the coverage: what is stored of it does not count any more, and it is missing until a read " +
      "or an ensure has it fetched again. Time that was found unavailable is asked for again; windows that are " +
      "quarantined stay so. The range has whole bars, and 10,000 windows at most."
  ),
  Command.withShortDescription("Takes a range out of the coverage"),
  Command.withExamples([
    {
      command:
        'seamless invalidate ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14 --reason "the exchange corrected its bars"'
    }
  ])
)
