/**
 * Does a cluster of real processes keep its promises through whatever goes wrong?
 *
 * Runs one in a bottle for so many minutes, and says what it comes to; ends with 1 where a promise was broken.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Logger } from "effect"
import { existsSync, mkdirSync } from "node:fs"
import process from "node:process"
import { parseArgs } from "node:util"
import { type ChaosOptions, runChaos } from "./cluster/runChaos.ts"
import { describe } from "./cluster/figures.ts"

const usage = `usage: npm run chaos -- [--minutes N] [--seed S] [--out FOLDER]

Three NATS servers, three members and two clients as processes and connections of their own; kills, freezes and rolls
processes, and spoils the ways between them, while the clients ask. Then all that was stored and answered is judged.

  --minutes N    how long faults are begun, 1 without it
  --seed S       decides faults and questions; by chance without it
  --out FOLDER   where the history, a timeline to look at and the members' logs go
  --help         this text

Ends with 0 where every promise was kept, with 1 where one was broken, and with 2 where the arguments are wrong.`

const options = {
  minutes: { type: "string", default: "1" },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  out: { type: "string" },
  help: { type: "boolean", default: false }
} as const

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const wrong = (problem: string): never => {
  process.stderr.write(`${problem}\n\n${usage}\n`)
  process.exit(2)
}

const parse = () => {
  try {
    return parseArgs({ options }).values
  } catch (cause) {
    return wrong(cause instanceof Error ? cause.message : String(cause))
  }
}

const values = parse()

/** The folder, made where it is not there: before anything is started that would have to be stopped. */
const folderOf = (path: string | undefined): string | undefined => {
  // node's own way to make folders within folders never comes back where the system has none to give
  if (path === undefined || existsSync(path)) return path
  try {
    mkdirSync(path)
    return path
  } catch (cause) {
    return wrong(`--out ${path} can't be used: ${String(cause)}`)
  }
}

const repeatCommand = ({ forMs, out, seed }: ChaosOptions): string =>
  `npm run chaos -- --minutes ${forMs / 60_000} --seed ${seed}${out === undefined ? "" : ` --out ${out}`}`

const failed = (options: ChaosOptions, what: string): void => {
  say(`\n${what}; the same faults again: ${repeatCommand(options)}`)
  process.exitCode = 1
}

const main = (options: ChaosOptions) =>
  Effect.gen(function* () {
    say(`seed ${options.seed}`)
    const { figures, violations } = yield* runChaos(options)
    describe(figures).forEach(say)
    for (const violation of violations) say(`\nbroken: ${violation}`)
    if (violations.length > 0) failed(options, `${violations.length} promises were broken`)
    else say("every promise was kept")
  }).pipe(
    Effect.scoped,
    Effect.tapDefect(() => Effect.sync(() => failed(options, "it did not come to its end")))
  )

/** A day is more than anyone waits for. */
const minutesMax = 1440
const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text))
const [minutes, seed] = [numberOf(values.minutes), numberOf(values.seed)]

if (values.help) say(usage)
else if (!(minutes > 0 && minutes <= minutesMax)) wrong(`--minutes ${values.minutes}: give a number above 0`)
else if (!Number.isSafeInteger(seed)) wrong(`--seed ${values.seed}: give a whole number`)
else {
  NodeRuntime.runMain(
    main({ seed, forMs: minutes * 60_000, out: folderOf(values.out) }).pipe(
      Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
    )
  )
}
