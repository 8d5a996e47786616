#!/usr/bin/env -S node --max-semi-space-size=4
/**
 * What happens when somebody types `seamless`?
 *
 * The line is parsed, one command runs, and the process ends with a code that says how it went. Whatever goes wrong is
 * told in sentences: a stack is shown only to who asks for it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer, Logger } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import { readFileSync } from "node:fs"
import { actors } from "./commands/actors.ts"
import { audit } from "./commands/audit.ts"
import { backfill } from "./commands/backfill.ts"
import { calendar } from "./commands/calendar.ts"
import { coverage } from "./commands/coverage.ts"
import { diff } from "./commands/diff.ts"
import { drain } from "./commands/drain.ts"
import { ensure } from "./commands/ensure.ts"
import { explain } from "./commands/explain.ts"
import { hosts } from "./commands/hosts.ts"
import { importFiles } from "./commands/import.ts"
import { invalidate } from "./commands/invalidate.ts"
import { jobs } from "./commands/jobs.ts"
import { plan } from "./commands/plan.ts"
import { read } from "./commands/read.ts"
import { reprocess } from "./commands/reprocess.ts"
import { slots } from "./commands/slots.ts"
import { sweep } from "./commands/sweep.ts"
import { switchCommand } from "./commands/switch.ts"
import { up } from "./commands/up.ts"
import { upstreams } from "./commands/upstreams.ts"
import { verify } from "./commands/verify.ts"
import { watch } from "./commands/watch.ts"
import { describeDefect } from "./describeDefect.ts"
import { describeFailure } from "./describeFailure.ts"
import { dropBareTop } from "./dropBareTop.ts"
import { ExitCode } from "./ExitCode.ts"
import { OutputFailed, printNote } from "./print.ts"
import { presenter } from "./usage.ts"

// by the package's own name, which is the same place from the source and from a build
const version = (): string => {
  const file: unknown = JSON.parse(readFileSync(new URL(import.meta.resolve("seamless/package.json")), "utf8"))
  return typeof file === "object" && file !== null && "version" in file ? String(file.version) : "unknown"
}

const seamless = Command.make("seamless").pipe(
  Command.withDescription("Gap-free market history, with an honest account of what is covered and what is missing."),
  Command.withSubcommands([
    up,
    importFiles,
    read,
    explain,
    ensure,
    coverage,
    audit,
    diff,
    watch,
    plan,
    backfill,
    jobs,
    invalidate,
    reprocess,
    verify,
    hosts,
    slots,
    actors,
    drain,
    upstreams,
    calendar,
    sweep,
    switchCommand
  ]),
  Command.withExamples([
    { command: "seamless up --config quickstart.yaml", description: "Start a member, with a NATS server of its own" },
    { command: "seamless read ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14", description: "Read a day of bars" },
    { command: "seamless coverage ohlcv:binance:BTC/BUSD 1m", description: "See what is covered" },
    { command: "seamless hosts", description: "See who lives, and how they are" }
  ])
)

/** What the command needs of the platform; logs go to the error output, which is not for data. */
const platform = Layer.mergeAll(
  NodeServices.layer,
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
  CliOutput.layerPresenter(presenter),
  Logger.layer([Logger.withConsoleError(Logger.formatJson)])
)

const unforeseen = (cause: Cause.Cause<unknown>): Effect.Effect<ExitCode> => {
  const defect = Cause.squash(cause)
  // help and the version have no other way to say that they could not be written
  return defect instanceof OutputFailed
    ? Effect.as(printNote(describeFailure(defect, "table")), ExitCode.failed)
    : Effect.as(printNote(describeDefect(cause)), ExitCode.defect)
}

const main: Effect.Effect<ExitCode> = Command.runWith(seamless, { version: version() })(
  dropBareTop(process.argv.slice(2))
).pipe(
  Effect.as<ExitCode>(ExitCode.complete),
  Effect.catchTags({
    Finished: ({ code }) => Effect.succeed(code),
    ShowHelp: () => Effect.succeed(ExitCode.wrongUsage)
  }),
  Effect.provide(platform),
  Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : unforeseen(cause)))
)

/** The code of an end by signal is the command's to choose, since for some that is the way to end. */
const interruptedCode = (): number => Number(process.exitCode ?? ExitCode.interrupted)

process.on("uncaughtException", (defect) => {
  process.stderr.write(`${describeDefect(Cause.die(defect))}\n`, () => process.exit(ExitCode.defect))
})

NodeRuntime.runMain(main, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? Number(exit.value) : interruptedCode())
})
