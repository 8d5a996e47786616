/** How are backfill jobs seen, and helped, from the command line? */
import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { JobState } from "../../protocol/history/BackfillJob.ts"
import type { ListedState } from "../../protocol/messages/JobAdmin.ts"
import type { JobVerb } from "../../protocol/messages/Operate.ts"
import { jobsTable, listText, recordText } from "../describeJobs.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { rangeArguments, seriesArguments, timeArgument } from "../flags.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import { withAdmin } from "../withClient.ts"

const limitMax = 1000

const states: ReadonlyArray<ListedState> = ["open", ...JobState.literals]

const listFlags = {
  node: Argument.optional(seriesArguments.node),
  interval: Argument.optional(seriesArguments.interval),
  state: Flag.String("state").pipe(
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(states.find((state) => state.toLowerCase() === text.toLowerCase())),
      () => `one of ${states.join(", ")}`
    ),
    Flag.withMetavar("S"),
    Flag.withDescription(`Only jobs in this state: ${states.join(", ")}; open are all that have not ended`),
    Flag.optional
  ),
  limit: Flag.Int("limit").pipe(
    Flag.filter(
      (limit) => limit >= 1 && limit <= limitMax,
      () => `a whole number from 1 to ${limitMax}`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription("So many, those that changed last; 100 without it"),
    Flag.optional
  ),
  ...operatorFlags
}

interface AskedList extends OperatorFlags {
  readonly node: Option.Option<string>
  readonly interval: Option.Option<string>
  readonly state: Option.Option<ListedState>
  readonly limit: Option.Option<number>
}

const list = Effect.fnUntraced(function* (asked: AskedList) {
  const { interval, limit, node, state } = asked
  const told = yield* withAdmin(asked, "jobs", {
    ...(Option.isSome(node) && { nodeId: node.value }),
    ...(Option.isSome(interval) && { interval: interval.value }),
    ...(Option.isSome(state) && { state: state.value }),
    ...(Option.isSome(limit) && { limit: limit.value })
  })
  const nowMs = yield* Clock.currentTimeMillis
  const isSeriesNamed = Option.isSome(node) && Option.isSome(interval)
  yield* printData(asked.format === "json" ? JSON.stringify(told) : listText(told, nowMs, isSeriesNamed))
  if (told.isWhole) return ExitCode.complete
  const note = "there are more jobs, which changed before these: name a series to have all of it looked at"
  yield* printNote(asked.format === "json" ? JSON.stringify({ note }) : note)
  return ExitCode.partial
})

interface Named extends OperatorFlags {
  readonly node: string
  readonly interval: string
}

const sourceFlag = {
  source: Flag.String("source").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription(
      "The job that asks this source for its stored bars once more, as the column revises of the list has it; what " +
        "fills the window without it"
    ),
    Flag.optional
  )
}

interface Meant {
  readonly source: Option.Option<string>
}

const meant = ({ source = Option.none() }: Partial<Meant>) => (Option.isSome(source) ? { source: source.value } : {})

const show = Command.make(
  "show",
  { ...seriesArguments, time: timeArgument, ...sourceFlag, ...operatorFlags },
  (asked: Named & Meant & { readonly time: number }) =>
    Effect.gen(function* () {
      const request = { nodeId: asked.node, interval: asked.interval, windowStart: asked.time, ...meant(asked) }
      const told = yield* withAdmin(asked, "job", request)
      const nowMs = yield* Clock.currentTimeMillis
      yield* printData(asked.format === "json" ? JSON.stringify(told) : recordText(told.job, nowMs))
      return ExitCode.complete
    }).pipe(finish(asked.format))
).pipe(
  Command.withDescription("Shows all that is on record of the newest job of the window that holds a time."),
  Command.withShortDescription("Shows the job of a window"),
  Command.withExamples([
    { command: "seamless jobs show ohlcv:binance:BTC/BUSD 1m 2022-12-13T12:00" },
    {
      command: "seamless jobs show ohlcv:binance:BTC/BUSD 1m 2022-12-13T12:00 --source binance",
      description: "What asks binance for its stored bars once more"
    }
  ])
)

const verbs = {
  retry: {
    done: "retried",
    short: "Has failed windows tried again",
    description:
      "Has windows tried again at once that failed or are quarantined, with as many attempts as a new one has."
  },
  skip: {
    done: "skipped",
    short: "Has quarantined windows count as unavailable",
    description:
      "Has quarantined windows count as unavailable: nobody asks for what is missing of them again, and a strict " +
      "read does not miss it. Time that is invalidated can be asked for again."
  },
  cancel: {
    done: "called off",
    short: "Ends jobs that have not ended",
    description:
      "Ends jobs that wait, run, or wait to be tried again. What they have brought stays; a read or an ensure of " +
      "what is missing opens others. Stored bars that --source was to be asked for once more stay as they are."
  },
  quarantine: {
    done: "set aside",
    short: "Sets windows aside",
    description: "Sets windows aside whose jobs have not ended: nobody asks for them until they are retried or skipped."
  }
} satisfies Readonly<Record<JobVerb, object>>

const windowFlags = {
  ...seriesArguments,
  start: rangeArguments.start,
  end: Argument.optional(rangeArguments.end),
  reason: Flag.String("reason").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Why; kept in the audit of the series"),
    Flag.withDefault("")
  ),
  ...operatorFlags
}

interface AskedWindows extends Named {
  readonly start: number
  readonly end: Option.Option<number>
  readonly reason: string
}

/** What checks stored bars is never quarantined. */
const flagsOf = (verb: JobVerb) =>
  verb === "retry" || verb === "cancel" ? { ...windowFlags, ...sourceFlag } : windowFlags

const change = (verb: JobVerb) => {
  const { description, done, short } = verbs[verb]
  return Command.make(verb, flagsOf(verb), (asked: AskedWindows & Partial<Meant>) =>
    Effect.gen(function* () {
      const { end, format, interval, node, reason, start } = asked
      const window = { start, reason, ...(Option.isSome(end) && { end: end.value }) }
      const request = { nodeId: node, interval, ...window, ...meant(asked) }
      const told = yield* withAdmin(asked, verb, request)
      const table = jobsTable(told.jobs, yield* Clock.currentTimeMillis)
      const windows = told.jobs.length === 1 ? "1 window" : `${told.jobs.length} windows`
      const text = `${table}\n${windows} ${done}; coverage version ${told.version}`
      yield* printData(format === "json" ? JSON.stringify(told) : text)
      return ExitCode.complete
    }).pipe(finish(asked.format))
  ).pipe(
    Command.withDescription(
      `${description} It is done to each window that has any of the range, or to the one that holds START, and whose ` +
        "job suits; 1,000 windows at once at most."
    ),
    Command.withShortDescription(short),
    Command.withExamples([
      { command: `seamless jobs ${verb} ohlcv:binance:BTC/BUSD 1m 2022-12-13`, description: "One window" },
      {
        command: `seamless jobs ${verb} ohlcv:binance:BTC/BUSD 1m 2022-12-01 2022-12-14 --reason "the exchange is back"`
      }
    ])
  )
}

/** `seamless jobs`: the backfill jobs; and what to do about those that are in trouble. */
export const jobs = Command.make("jobs", listFlags, (asked: AskedList) => finish(asked.format)(list(asked))).pipe(
  Command.withDescription(
    "Lists backfill jobs, those first that changed last: one a window, with its newest run. Exit codes: 0 complete, " +
      "2 wrong usage, 3 there are more than could be looked at, 4 failed."
  ),
  Command.withShortDescription("Lists backfill jobs, and helps those in trouble"),
  Command.withSubcommands([show, change("retry"), change("skip"), change("cancel"), change("quarantine")]),
  Command.withExamples([
    { command: "seamless jobs --state open", description: "All that is under way, or will be" },
    {
      command: "seamless jobs ohlcv:binance:BTC/BUSD 1m --state quarantined",
      description: "What of a series waits for a person"
    }
  ])
)
