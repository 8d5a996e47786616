/**
 * How long are actors away when their host dies?
 *
 * Three members on one server, a thousand actors. A member is killed outright, and at that moment every actor is asked;
 * what is told is how long after the kill it answered. Then the member is started again, and another is killed.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Random } from "effect"
import * as Member from "../cluster/Member.ts"
import { withBudget } from "../runtime/Deadline.ts"
import { counter } from "./failover/counter.ts"
import { quantile } from "./ask/quantile.ts"
import { toTable } from "./support/measure.ts"
import { startServer } from "./support/natsServer.ts"

const usage = `usage: node bench/failover.ts [--once] [--rounds N]

Kills members of a cluster of three and tells how soon their actors answer again.

  --rounds  kills; 10 where it is absent
  --once    one kill
  --help    this text`

const actors = 1000
const budgetMs = 20_000
/** What the specification allows: the session's time to live and half a second. */
const targetMs = 3500
/** Actors that needed longer were away; the others never noticed. */
const noticedMs = 500

const startMember = async (servers: string, hostId: string): Promise<ChildProcess> => {
  const file = join(import.meta.dirname, "failover/member.ts")
  const child = fork(file, [servers, hostId], { stdio: ["ignore", "ignore", "ignore", "ipc"] })
  await once(child, "message")
  return child
}

const kill = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, "exit")
  child.kill("SIGKILL")
  await ended
}

const keys = Array.from({ length: actors }, (_, index) => `actor-${index}`)

/** Asks every actor; gives how long after the beginning each answered. */
const askAll = Effect.suspend(() => {
  const startMs = performance.now()
  return Effect.forEach(
    keys,
    (key) => Effect.map(withBudget(budgetMs)(counter.ref(key).ask("add", null)), () => performance.now() - startMs),
    { concurrency: "unbounded" }
  )
})

/** Every actor lives, and answers as fast as ever. */
const settle = askAll.pipe(Effect.repeat({ until: (tookMs) => Math.max(...tookMs) < noticedMs }))

const round = Effect.fnUntraced(function* (members: Array<ChildProcess>, servers: string, index: number) {
  yield* settle
  // somewhere between two renewals of its session
  yield* Effect.sleep((yield* Random.next) * 1000)
  const victim = index % members.length
  yield* Effect.promise(() => kill(members[victim]!))
  const tookMs = (yield* askAll).filter((ms) => ms > noticedMs)
  members[victim] = yield* Effect.promise(() => startMember(servers, `member-${victim}`))
  return tookMs
})

const ms = (value: number): string => `${Math.round(value).toLocaleString("en")} ms`

const row = (title: string, tookMs: ReadonlyArray<number>): ReadonlyArray<string> => [
  title,
  String(tookMs.length),
  ...[0, 0.5, 0.99, 1].map((part) => ms(quantile(tookMs, part)))
]

const measure = Effect.fnUntraced(function* (rounds: number) {
  const url = yield* startServer
  const members = yield* Effect.acquireRelease(
    Effect.promise(() => Promise.all([0, 1, 2].map((index) => startMember(url, `member-${index}`)))),
    (started) => Effect.promise(() => Promise.all(started.map(kill)))
  )
  yield* Effect.gen(function* () {
    const taken: Array<ReadonlyArray<number>> = []
    for (let index = 0; index < rounds; index++) taken.push(yield* round(members, url, index))
    const all = taken.flat()
    const rows = [...taken.map((tookMs, index) => row(`kill ${index + 1}`, tookMs)), row("all", all)]
    console.log(toTable(["", "actors away", "first", "p50", "p99", "last"], rows))
    const p99 = quantile(all, 0.99)
    console.log(`\np99 ${ms(p99)}; target ≤ ${ms(targetMs)}: ${p99 <= targetMs ? "met" : "missed"}`)
  }).pipe(Effect.provide(Member.callerLayer({ servers: url, name: "bench" })))
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
        rounds: { type: "string", default: "10" },
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause))
  }
}

const flags = parseFlags()
const rounds = flags.once ? 1 : Number(flags.rounds)

if (flags.help) console.log(usage)
else if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds is a whole number, 1 or more, not "${flags.rounds}"`)
else NodeRuntime.runMain(measure(rounds))
