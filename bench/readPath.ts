/**
 * How fast is a read, beside a bare NATS request that brings as many bytes?
 *
 * A host of the product with 100,000 bars, a process that only answers, and this one, which asks both in turns, on one
 * server on loopback. Then reads in this process: from the store, by a host whose memory is too small to keep the chunks,
 * beside the server's own batch get of the same; and from memory.
 */
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { connect as connectBare, type NatsConnection } from "@nats-io/transport-node"
import { Effect } from "effect"
import { connect } from "../client/connect.ts"
import { type Read, readInProcess, startHost } from "./reads/inProcess.ts"
import { batchGet, plain, plainParts, type Question, read, readParts } from "./reads/questions.ts"
import { type Compared, compare, type Effort, type Pair } from "./reads/samples.ts"
import { chunkSubjects, rangeOf, series, windowBars, windowCount } from "./reads/story.ts"
import * as NatsMesh from "../runtime/nats/NatsMesh.ts"
import { forkChild } from "./support/forkChild.ts"
import { toTable } from "./support/measure.ts"
import { startServer } from "./support/natsServer.ts"
import { hostOptions } from "./support/nodeOptions.ts"

const usage = `usage: node bench/readPath.ts [--once] [--rounds N]

Reads bars from a host over loopback, beside bare requests with answers as long. Takes about two minutes.

  --rounds  7 where it is absent
  --once    a few reads of each, to see that they run
  --help    this text`

const longBars = 100_000
/** Enough that the host is never idle. */
const manyInFlight = 32
const cacheBytes = 256 * 1024 * 1024
/** Keeps the page that names the chunks, and a tenth of the chunks. */
const smallCacheBytes = 1024 * 1024

/** What we want of a pair. */
interface Case extends Pair {
  readonly title: string
  /** The least share of the other's bytes in a second; not wanted without it. */
  readonly shareMin?: number
  /** The most times as long as the other. */
  readonly timesMax?: number
}

/** The process that only answers is started as a host is. */
const program = (name: string, args: ReadonlyArray<string>) =>
  forkChild(join(import.meta.dirname, "reads", name), args, { execArgv: hostOptions, signal: "SIGKILL" })

const connection = (servers: string) =>
  Effect.acquireRelease(
    Effect.promise(() => connectBare({ servers })),
    (opened) => Effect.promise(() => opened.close())
  )

/** The same pair with one question at a time, and with many. */
const bothWays = (each: Case): ReadonlyArray<Case> => {
  const { shareMin, timesMax, ...pair } = each
  return [
    { ...pair, inFlight: 1, ...(timesMax !== undefined && { timesMax }) },
    { ...pair, inFlight: manyInFlight, ...(shareMin !== undefined && { shareMin }) }
  ]
}

const warmCases = async (bare: NatsConnection, client: Awaited<ReturnType<typeof connect>>) => {
  const aligned = read(bare, () => rangeOf(0, windowBars))
  const unaligned = read(bare, () => rangeOf(windowBars / 2, windowBars))
  const long = readParts(bare, rangeOf(0, longBars))
  // what goes by in parts is not kept: what is to come from memory has to be there before
  for (const from of [0, longBars / 2]) await read(bare, () => rangeOf(from, longBars / 2))(0)
  const [alignedBytes = 0] = await aligned(0)
  const [unalignedBytes = 0] = await unaligned(0)
  const decoded: Question = async () => {
    const { df } = await client.read(series.nodeId, series.interval, ...rangeOf(0, windowBars))
    return [df.length > 0 ? alignedBytes : 0]
  }
  const pairs: ReadonlyArray<Case> = [
    {
      title: "1,440 bars, one window",
      ours: aligned,
      other: plain(bare, alignedBytes),
      inFlight: 1,
      shareMin: 0.6,
      timesMax: 2
    },
    { title: "1,440 bars of two windows", ours: unaligned, other: plain(bare, unalignedBytes), inFlight: 1 },
    { title: "1,440 bars, decoded by the client", ours: decoded, other: plain(bare, alignedBytes), inFlight: 1 }
  ]
  return [
    ...pairs.flatMap(bothWays),
    {
      title: `${longBars.toLocaleString("en")} bars in parts`,
      ours: long,
      other: plainParts(bare, await long(0)),
      inFlight: 1,
      shareMin: 0.5
    }
  ]
}

/** The host's reads go to the store for every chunk, and the server's own batch get gives the same bytes. */
const coldCases = (bare: NatsConnection, readHere: Read): ReadonlyArray<Case> => {
  const subjects = chunkSubjects()
  const get = batchGet(bare, (asked) => [subjects[asked % windowCount]!])
  const getAll = batchGet(bare, () => subjects)
  const timesMax = 2.5
  // what came is counted where it came from: both are given the same chunks
  const readLike =
    (bars: number, fromOf: (asked: number) => number): Question =>
    async (asked) => {
      await Effect.runPromise(readHere(rangeOf(fromOf(asked), bars)))
      return [1]
    }
  const countOne =
    (question: Question): Question =>
    async (asked) => {
      await question(asked)
      return [1]
    }
  const one = readLike(windowBars, (asked) => (asked % windowCount) * windowBars)
  const all = readLike(windowCount * windowBars, () => 0)
  return [
    { title: "1,440 bars from the store, in process", ours: one, other: countOne(get), inFlight: 1, timesMax },
    { title: "100,800 bars from the store, in process", ours: all, other: countOne(getAll), inFlight: 1, timesMax }
  ]
}

const percent = (part: number): string => `${Math.round(part * 100)} %`
const times = (factor: number): string => `${factor.toPrecision(2)} ×`
const spread = ([middle = 0, low = 0, high = 0]: ReadonlyArray<number>, text: (value: number) => string): string =>
  `${text(middle)} (${text(low)} to ${text(high)})`

const rowOf = ({ inFlight, shareMin, timesMax, title }: Case, { other, ours, share, times: factor }: Compared) => [
  title,
  String(inFlight),
  `${Math.round(ours.answersPerS).toLocaleString("en")} /s`,
  `${Math.round(other.answersPerS).toLocaleString("en")} /s`,
  spread(share, percent),
  shareMin === undefined ? "" : `≥ ${percent(shareMin)}`,
  `${ours.p50Ms.toPrecision(3)} ms`,
  `${other.p50Ms.toPrecision(3)} ms`,
  spread(factor, times),
  timesMax === undefined ? "" : `≤ ${timesMax} ×`
]

const headings = ["read", "in flight", "ours", "bare", "share", "wanted", "ours, p50", "bare, p50", "times", "wanted"]

const compareAll = async (cases: ReadonlyArray<Case>, effort: Effort) => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const each of cases) {
    console.error(`${each.title}, ${each.inFlight} in flight`)
    rows.push(rowOf(each, await compare(each, effort)))
  }
  return rows
}

const warm = (servers: string, effort: Effort) =>
  Effect.gen(function* () {
    yield* program("host.ts", [servers, String(cacheBytes)])
    yield* program("responder.ts", [servers])
    const bare = yield* connection(servers)
    const client = yield* Effect.acquireRelease(
      Effect.promise(() => connect({ servers })),
      (opened) => Effect.promise(() => opened.close())
    )
    return yield* Effect.promise(async () => compareAll(await warmCases(bare, client), effort))
  }).pipe(Effect.scoped)

const cold = (servers: string, effort: Effort) =>
  Effect.gen(function* () {
    const readHere = yield* startHost(NatsMesh.layer({ servers, name: "bench host" }), smallCacheBytes)
    const bare = yield* connection(servers)
    return yield* Effect.promise(() => compareAll(coldCases(bare, readHere), effort))
  }).pipe(Effect.scoped)

const inProcess = Effect.fnUntraced(function* (forMs: number) {
  const wanted = [
    [windowBars, 0.2],
    [100_000, 5]
  ] as const
  const took = yield* readInProcess(
    wanted.map(([bars]) => bars),
    forMs
  )
  return toTable(
    ["read in process, with fingerprint and account", "p50", "p99", "wanted, p50"],
    wanted.map(([bars, msMax], index) => [
      `${bars.toLocaleString("en")} bars`,
      `${took[index]!.p50Ms.toPrecision(3)} ms`,
      `${took[index]!.p99Ms.toPrecision(3)} ms`,
      `≤ ${msMax} ms`
    ])
  )
})

const measure = (effort: Effort) =>
  Effect.gen(function* () {
    const servers = yield* startServer
    const rows = [...(yield* warm(servers, effort)), ...(yield* cold(servers, effort))]
    console.log(`${toTable(headings, rows)}\n`)
    console.log(yield* inProcess(effort.sampleMs))
  }).pipe(Effect.scoped)

const { values: flags } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    help: { type: "boolean", default: false }
  }
})
const rounds = Number(flags.rounds)

if (flags.help) console.log(usage)
else if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds is a whole number, 1 or more, not "${flags.rounds}"\n\n${usage}`)
  process.exitCode = 2
} else NodeRuntime.runMain(measure(flags.once ? { rounds: 1, sampleMs: 0 } : { rounds, sampleMs: 1000 }))
