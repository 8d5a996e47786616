/** How is a long backfill ordered, watched and stopped from the command line? */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import { JobClass } from "../../protocol/history/BackfillJob.ts"
import { BackfillName } from "../../protocol/history/NamedBackfill.ts"
import { backfillsText, reportText } from "../describeBackfill.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import type { Format } from "../flags.ts"
import { progressFlag } from "../flags.ts"
import { followBackfill } from "../followBackfill.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { parseTime } from "../parseTime.ts"
import { printData } from "../print.ts"
import * as ProgressDisplay from "../ProgressDisplay.ts"
import { withAdmin, withOperator } from "../withClient.ts"
import { answerPlan, type AskedPlan } from "./plan.ts"

type Report = AdminAnswer<"backfill">

const name = Argument.String("name").pipe(
  Argument.filter(Schema.is(BackfillName), () => '1 to 64 letters, digits, ".", "_" or "-"'),
  Argument.withDescription("Name of the backfill")
)

const time = (flag: string, meaning: string) =>
  Flag.String(flag).pipe(
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(parseTime(text)),
      () => "epoch milliseconds or ISO 8601 (UTC without a zone), such as 1670889600000 or 2022-12-13T00:00"
    ),
    Flag.withMetavar("T"),
    Flag.withDescription(meaning)
  )

const rangeFlags = {
  node: Flag.String("node").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Node id, such as ohlcv:binance:BTC/BUSD")
  ),
  interval: Flag.String("interval").pipe(
    Flag.withMetavar("I"),
    Flag.withDescription("Length of a bar, such as 1m, 4h or 1d")
  ),
  start: time("from", "First moment of the range"),
  end: time("to", "First moment behind the range")
}

interface Named extends OperatorFlags {
  readonly name: string
}

interface AskedCreate extends Named, AskedPlan {
  readonly newestFirst: boolean
  readonly priority: JobClass
}

const printReport = (report: Report, format: Format) =>
  printData(format === "json" ? JSON.stringify(report) : reportText(report))

const createFlags = {
  name,
  ...rangeFlags,
  newestFirst: Flag.Boolean("newest-first").pipe(
    Flag.withDescription("Fill the newest windows first, not the oldest"),
    Flag.withDefault(false)
  ),
  priority: Flag.Literals("priority", JobClass.literals).pipe(
    Flag.withDescription("Class of its jobs: what readers wait for, interactive, comes before bulk"),
    Flag.withDefault("bulk" as const)
  ),
  ...operatorFlags
}

const create = Command.make("create", createFlags, (asked: AskedCreate) =>
  Effect.gen(function* () {
    const { end, interval, name, newestFirst, node: nodeId, priority: jobClass, start } = asked
    const order = newestFirst ? "newest_first" : "oldest_first"
    const told = yield* withAdmin(asked, "createBackfill", { name, nodeId, interval, start, end, order, jobClass })
    yield* printReport(told, asked.format)
    return ExitCode.complete
  }).pipe(finish(asked.format))
).pipe(
  Command.withDescription(
    "Has all of a range filled, and ends at once: the cluster goes on by itself, also when all of it is started " +
      "anew. To create it again with the same flags changes nothing."
  ),
  Command.withShortDescription("Has all of a range filled"),
  Command.withExamples([
    {
      command:
        "seamless backfill create btc-2022 --node ohlcv:binance:BTC/BUSD --interval 1m --from 2022-01-01 " +
        "--to 2023-01-01 --newest-first"
    }
  ])
)

const list = Command.make("list", operatorFlags, (asked: OperatorFlags) =>
  Effect.gen(function* () {
    const told = yield* withAdmin(asked, "backfills", {})
    yield* printData(asked.format === "json" ? JSON.stringify(told) : backfillsText(told))
    return ExitCode.complete
  }).pipe(finish(asked.format))
).pipe(
  Command.withDescription(
    "Lists the backfills, the newest last. Progress is saved every ten seconds, and listed as it was saved."
  ),
  Command.withShortDescription("Lists the backfills"),
  Command.withExamples([{ command: "seamless backfill list" }])
)

interface AskedShow extends Named {
  readonly follow: boolean
  readonly progress: Option.Option<boolean>
}

const showFlags = {
  name,
  follow: Flag.Boolean("follow").pipe(
    Flag.withDescription("Show its progress until it has ended, then the rest"),
    Flag.withDefault(false)
  ),
  progress: progressFlag,
  ...operatorFlags
}

/** Whether what was waited for has come: all of it, or all that can be had. */
const followedCode = ({ figures, status }: Report): ExitCode =>
  status === "done" && figures.quarantinedBars === 0 ? ExitCode.complete : ExitCode.partial

const show = Command.make("show", showFlags, (asked: AskedShow) =>
  Effect.gen(function* () {
    const { follow, format, name } = asked
    const display = ProgressDisplay.make(asked)
    const told = yield* withOperator(asked, (ask) =>
      follow ? followBackfill(ask("backfill", { name }), display) : ask("backfill", { name })
    ).pipe(Effect.ensuring(display.clear))
    yield* printReport(told, format)
    return follow ? followedCode(told) : ExitCode.complete
  }).pipe(finish(asked.format))
).pipe(
  Command.withDescription(
    "Shows how far a backfill has come, how fast it is, and what keeps failing. Exit codes with --follow: 0 done, " +
      "2 wrong usage, 3 cancelled, or done but for what is quarantined, 4 failed."
  ),
  Command.withShortDescription("Shows a backfill"),
  Command.withExamples([
    { command: "seamless backfill show btc-2022" },
    { command: "seamless backfill show btc-2022 --follow", description: "With a bar and an ETA until it has ended" }
  ])
)

const verbs = {
  pause: {
    verb: "pauseBackfill",
    short: "Pauses a backfill",
    description: "Has a backfill ask for nothing more; windows that are under way are finished."
  },
  resume: {
    verb: "resumeBackfill",
    short: "Has a paused backfill go on",
    description: "Has a paused backfill go on, and ask again for windows that it had found quarantined."
  },
  cancel: {
    verb: "cancelBackfill",
    short: "Ends a backfill for good",
    description:
      "Has a backfill ask for nothing more, for good, and shows what is left. What it has brought stays; windows " +
      "that are under way are finished."
  }
} as const

const change = (command: keyof typeof verbs) => {
  const { description, short, verb } = verbs[command]
  return Command.make(command, { name, ...operatorFlags }, (asked: Named) =>
    Effect.gen(function* () {
      yield* printReport(yield* withAdmin(asked, verb, { name: asked.name }), asked.format)
      return ExitCode.complete
    }).pipe(finish(asked.format))
  ).pipe(
    Command.withDescription(description),
    Command.withShortDescription(short),
    Command.withExamples([{ command: `seamless backfill ${command} btc-2022` }])
  )
}

const dryRun = Command.make("dry-run", { ...rangeFlags, ...operatorFlags }, (asked: AskedPlan) =>
  finish(asked.format)(answerPlan(asked))
).pipe(
  Command.withDescription(
    "Shows what a backfill of a range would take, and creates nothing. The same as seamless plan."
  ),
  Command.withShortDescription("Shows what a backfill would take"),
  Command.withExamples([
    {
      command: "seamless backfill dry-run --node ohlcv:binance:BTC/BUSD --interval 1m --from 2022-01-01 --to 2023-01-01"
    }
  ])
)

/** `seamless backfill`: backfills that have a name. */
export const backfill = Command.make("backfill").pipe(
  Command.withDescription("Orders long backfills by name, and watches, pauses, resumes and cancels them."),
  Command.withShortDescription("Orders and watches long backfills"),
  Command.withSubcommands([create, list, show, change("pause"), change("resume"), change("cancel"), dryRun]),
  Command.withExamples([
    { command: "seamless backfill list" },
    { command: "seamless backfill show btc-2022 --follow", description: "With a bar and an ETA until it has ended" }
  ])
)
