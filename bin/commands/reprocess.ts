/** How is a range fetched again from the command line? */
import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { jobsTable } from "../describeJobs.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { printData } from "../print.ts"
import { withAdmin } from "../withClient.ts"
import { type AskedInvalidation, invalidateFlags, invalidationOf, removedText } from "./invalidate.ts"

const answer = Effect.fnUntraced(function* (asked: AskedInvalidation) {
  const told = yield* withAdmin(asked, "reprocess", invalidationOf(asked))
  const { jobs } = told
  const table = jobs.length === 0 ? "no job was needed" : jobsTable(jobs, yield* Clock.currentTimeMillis)
  yield* printData(asked.format === "json" ? JSON.stringify(told) : `${removedText(told)}\n${table}`)
  return ExitCode.complete
})

/** `seamless reprocess`: what is stored of a range stops counting, and is fetched again. */
export const reprocess = Command.make("reprocess", invalidateFlags, (asked: AskedInvalidation) =>
  finish(asked.format)(answer(asked))
).pipe(
  Command.withDescription(
    "Takes a range out of the coverage, as invalidate does, and has all that is missing of it fetched again, right " +
      "behind what readers wait for. It does not wait for that. The range has whole bars, and 1,000 windows at most."
  ),
  Command.withShortDescription("Has a range fetched again"),
  Command.withExamples([
    {
      command:
        'seamless reprocess ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14 --reason "the exchange corrected its bars"'
    }
  ])
)
