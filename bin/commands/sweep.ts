/** How is it seen from the command line what nothing names any more, and deleted now? */
import { Effect, Option, Schedule } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import { reportText, runText } from "../describeSweep.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { seriesArguments } from "../flags.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import { type AskAdmin, withAdmin, withOperator } from "../withClient.ts"
import { WrongUsage } from "../WrongUsage.ts"

const lookEvery = "500 millis"
// while a host is taken over from, nobody answers
const patience = Schedule.upTo(Schedule.spaced("1 second"), { duration: "30 seconds" })

const parts = {
  node: Argument.optional(seriesArguments.node),
  interval: Argument.optional(seriesArguments.interval),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only count what would be deleted"),
    Flag.withDefault(false)
  ),
  status: Flag.Boolean("status").pipe(
    Flag.withDescription("Show what the sweeper does, did last, and when it begins by itself"),
    Flag.withDefault(false)
  ),
  ...operatorFlags
}

interface Asked extends OperatorFlags {
  readonly node: Option.Option<string>
  readonly interval: Option.Option<string>
  readonly dryRun: boolean
  readonly status: boolean
}

type Run = AdminAnswer<"sweep">

/** Waits until the run is over; gives it as it was then. */
const untilOver = Effect.fnUntraced(function* (ask: AskAdmin, begun: Run) {
  for (;;) {
    const { last, run } = yield* Effect.retry(ask("sweeping", {}), patience)
    if (last?.id === begun.id) return last
    // others may have swept since
    if (run?.id !== begun.id) return begun
    yield* Effect.sleep(lookEvery)
  }
})

const sweepNow = Effect.fnUntraced(function* (asked: Asked) {
  const { dryRun, format, interval, node } = asked
  if (Option.isSome(node) !== Option.isSome(interval)) {
    const usage = "seamless sweep [NODE INTERVAL] [--dry-run]"
    return yield* new WrongUsage({ problem: "a series is named by NODE and INTERVAL, or not at all", usage })
  }
  const series = Option.isSome(node) && Option.isSome(interval) && { nodeId: node.value, interval: interval.value }
  const run = yield* withOperator(asked, (ask) =>
    Effect.flatMap(ask("sweep", { ...series, dryRun }), (begun) => untilOver(ask, begun))
  )
  yield* printData(format === "json" ? JSON.stringify(run) : runText(run))
  if (run.endedAt !== null && run.troubles.length === 0) return ExitCode.complete
  const note = run.endedAt === null ? "another sweep has begun since" : `${run.troubles.length} series were not swept`
  yield* printNote(format === "json" ? JSON.stringify({ notes: [note] }) : note)
  return ExitCode.partial
})

const answer = Effect.fnUntraced(function* (asked: Asked) {
  if (!asked.status) return yield* sweepNow(asked)
  const report = yield* withAdmin(asked, "sweeping", {})
  yield* printData(asked.format === "json" ? JSON.stringify(report) : reportText(report))
  return ExitCode.complete
})

/** `seamless sweep`: what no root names that counts, and its deletion. */
export const sweep = Command.make("sweep", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Deletes what is stored and named by no root that counts: of all series, or of one. A root counts as long as " +
      "`retention.rootsMs` says after another took its place, and what is less than a day old is left alone. The " +
      "cluster does it by itself now and then. Exit codes: 0 complete, 2 wrong usage, 3 some series could not be " +
      "swept (they are on the error output), 4 failed."
  ),
  Command.withShortDescription("Deletes what nothing names any more"),
  Command.withExamples([
    { command: "seamless sweep --dry-run", description: "What would be deleted" },
    { command: "seamless sweep ohlcv:binance:BTC/BUSD 1m", description: "Sweep one series now" },
    { command: "seamless sweep --status", description: "What the sweeper did last" }
  ])
)
