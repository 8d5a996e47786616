/**
 * How fast is an ask between two processes?
 *
 * Each candidate has a host and a client as processes of their own, and all of them share one NATS server, on loopback.
 * They are measured in turns: a round takes one sample of each under one load, every other round backwards, and the
 * ratios are those of a round, so that a busy neighbour meets both sides of a ratio.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { type Candidate, candidates, targetInFlight } from "./ask/candidates.ts"
import { type Limit, type Load, loads } from "./ask/Load.ts"
import * as Program from "./ask/Program.ts"
import { type Measured, samplesTable, targetLines } from "./ask/report.ts"
import { startServer } from "./support/natsServer.ts"

const names = candidates.map(({ name }) => name)

const usage = `usage: node bench/ask.ts [--once] [--only NAME[,NAME]]

Asks actors of another process over loopback, 1 and 256 at once, with 64 B and 4 KB. Takes about four minutes.
Candidates: ${names.join(", ")}.

  --once    a few asks of each, to see that they run
  --only    these alone; a ratio needs both of its sides
  --help    this text`

const rounds = 5

/** Long enough for thousands of asks, short enough that both sides of a ratio meet the same machine. */
const sampleLimit: Limit = { ms: 1_000 }

/** Programs of many layers are optimised for seconds until they are as fast as they get. */
const warmUpLimit: Limit = { ms: 5_000 }

const onceLimit = ({ inFlight }: Load): Limit => ({ ms: 1_000, asks: 2 * inFlight })

/** A candidate whose host and client run. */
interface Runner {
  readonly name: string
  readonly client: Program.Program
}

/** The clients of one folder, with their one host. */
const startFolder = Effect.fnUntraced(function* (folder: string, chosen: ReadonlyArray<Candidate>, natsUrl: string) {
  const host = yield* Program.start(`${folder}/host.ts`, [natsUrl])
  return yield* Effect.forEach(
    chosen.filter((candidate) => candidate.folder === folder),
    ({ args, name }) =>
      Program.start(`${folder}/client.ts`, [natsUrl, host.address, ...args]).pipe(
        Effect.map((client): Runner => ({ name, client }))
      ),
    { concurrency: "unbounded" }
  )
})

/** In the order in which they are measured. */
const startAll = Effect.fnUntraced(function* (chosen: ReadonlyArray<Candidate>, natsUrl: string) {
  const folders = new Set(chosen.map(({ folder }) => folder))
  const started = yield* Effect.forEach(folders, (folder) => startFolder(folder, chosen, natsUrl), {
    concurrency: "unbounded"
  })
  return chosen.flatMap(({ name }) => started.flat().filter((runner) => runner.name === name))
})

/** One sample of each, in the order that is given. */
const takeRound = (order: ReadonlyArray<Runner>, load: Load, limit: Limit) =>
  Effect.forEach(order, ({ client, name }) =>
    Effect.map(client.sample({ load, limit }), (sample) => ({ name, sample }))
  )

const measureLoad = Effect.fnUntraced(function* (runners: ReadonlyArray<Runner>, load: Load, once: boolean) {
  const limit = once ? onceLimit(load) : sampleLimit
  console.error(`${load.inFlight} in flight, ${load.payloadBytes} B`)
  const taken = yield* Effect.forEach(Array.from({ length: once ? 1 : rounds }), (_, round) =>
    takeRound(round % 2 === 0 ? runners : runners.toReversed(), load, limit)
  )
  return runners.map(({ name }): Measured => ({
    name,
    load,
    samples: taken.flat().flatMap((each) => (each.name === name ? [each.sample] : []))
  }))
})

const measure = Effect.fnUntraced(function* (chosen: ReadonlyArray<Candidate>, once: boolean) {
  const url = yield* startServer
  const runners = yield* startAll(chosen, url)
  if (!once) {
    console.error("warming up")
    const busiest = loads.filter(({ inFlight }) => inFlight === targetInFlight)
    yield* Effect.forEach(busiest, (load) => takeRound(runners, load, warmUpLimit))
  }
  const measured = yield* Effect.forEach(loads, (load) => measureLoad(runners, load, once))
  console.log(`${samplesTable(measured.flat())}\n\n${targetLines(measured.flat(), loads)}`)
  if (once) console.log("\nA few asks of each: it runs, and these figures say nothing of how fast.")
}, Effect.scoped)

const refuse = (reason: string): never => {
  console.error(`${reason}\n\n${usage}`)
  process.exit(2)
}

const parseFlags = () => {
  try {
    return parseArgs({
      options: {
        once: { type: "boolean", default: false },
        only: { type: "string" },
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause))
  }
}

const choose = (only: string | undefined): ReadonlyArray<Candidate> => {
  if (only === undefined) return candidates
  const wanted = only.split(",")
  const unknown = wanted.filter((name) => !names.includes(name))
  if (unknown.length > 0) refuse(`no candidate is called "${unknown.join('", "')}"; there are: ${names.join(", ")}`)
  return candidates.filter(({ name }) => wanted.includes(name))
}

const flags = parseFlags()

if (flags.help) console.log(usage)
else {
  const run = measure(choose(flags.only), flags.once).pipe(
    Effect.catchTags({
      ProgramFailed: ({ message }) => Effect.sync(() => fail(message)),
      EmbeddedServerFailed: ({ message }) => Effect.sync(() => fail(message))
    })
  )
  NodeRuntime.runMain(run)
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
