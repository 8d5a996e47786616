/**
 * What does it cost to coordinate the backfill of a window, beside the writes that it cannot do without?
 *
 * One server. In turns: bare compare-and-sets of records as large as a job's; opening and queueing windows; and taking,
 * claiming and completing them by many workers at once, each compare-and-set and publish counted.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { headers as makeHeaders, connect } from "@nats-io/transport-node"
import { jetstream } from "@nats-io/jetstream"
import { Effect, Layer, Option } from "effect"
import { BackfillCoordinator, layer as coordinatorLayer } from "../actors/backfill/BackfillCoordinator.ts"
import * as JobRecords from "../actors/coverage/JobRecords.ts"
import type { Series } from "../protocol/history/Series.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import * as QueueSubject from "../protocol/wire/QueueSubject.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keySubject } from "../protocol/wire/StreamSpec.ts"
import { LiveHosts } from "../runtime/LiveHosts.ts"
import { Mesh } from "../runtime/Mesh.ts"
import * as NatsMesh from "../runtime/nats/NatsMesh.ts"
import { toTable } from "./support/measure.ts"
import { startServer } from "./support/natsServer.ts"

const usage = `usage: node bench/coordination.ts [--once] [--windows N] [--rounds N]

Opens, queues, claims and completes windows, beside bare compare-and-sets on the same server.

  --windows  how many a round; 10000 where it is absent
  --rounds   5 where it is absent
  --once     one small round
  --help     this text`

const workers = 32
const windowsPerSeries = 60
const windowMs = 86_400_000
/** As long as a job's record. */
const recordBytes = 520
/** Opening: the record and the queue's entry. Working: two records, and what is told of each. */
const writesPerOpening = 2
const writesPerWindow = 4

const seriesOf = (round: number, count: number): ReadonlyArray<Series> =>
  Array.from({ length: Math.ceil(count / windowsPerSeries) }, (_, index) => ({
    nodeId: `bench:${round}:${index}`,
    interval: "1m"
  }))

const secondsOf = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const startMs = performance.now()
    return Effect.map(work, () => (performance.now() - startMs) / 1000)
  })

/** Bare compare-and-sets of new records, each awaited, so many at once. */
const bareWrites = (url: string, round: number, count: number) =>
  Effect.acquireUseRelease(
    Effect.promise(() => connect({ servers: url })),
    (nc) => {
      const js = jetstream(nc)
      const data = new Uint8Array(recordBytes)
      const expected = makeHeaders()
      expected.set("Nats-Expected-Last-Subject-Sequence", "0")
      const write = (index: number) =>
        Effect.promise(() => js.publish(keySubject(Stream.jobs, `bare.${round}.${index}`), data, { headers: expected }))
      return secondsOf(
        Effect.forEach(
          Array.from({ length: count }, (_, index) => index),
          write,
          { concurrency: workers, discard: true }
        )
      )
    },
    (nc) => Effect.promise(() => nc.close())
  )

const demand = {
  sources: ["bench"],
  jobClass: "bulk",
  cause: "bench",
  traceParent: "",
  nonce: "bench",
  nowMs: 0,
  generationOf: () => 0
} as const

const windows = Array.from({ length: windowsPerSeries }, (_, index) => ({
  windowStart: index * windowMs,
  ranges: RangeSet.of(index * windowMs, (index + 1) * windowMs)
}))

/** Opens and queues all windows of all series, some series at a time; their actors would do it at the same time. */
const openAll = (all: ReadonlyArray<Series>) =>
  Effect.forEach(
    all,
    (series) =>
      Effect.scoped(Effect.flatMap(JobRecords.open(series), (jobs) => jobs.demand({ ...demand, series }, windows))),
    { concurrency: 4, discard: true }
  )

/** Takes, claims and completes until nothing is left. */
const worker = Effect.gen(function* () {
  const mesh = yield* Mesh
  const coordinator = yield* BackfillCoordinator
  for (;;) {
    const delivery = yield* mesh.take(Stream.queue.name, demand.jobClass, { isPatient: false })
    if (Option.isNone(delivery)) return
    const { done: removeEntry, subject } = delivery.value
    const claimed = yield* coordinator.claim(QueueSubject.queuedWindow(subject), 60_000, { removeEntry })
    if (claimed._tag !== "Held") continue
    const { held } = claimed
    yield* coordinator.complete(held, { completed: held.job.ranges, coverageVersion: 1, requests: 1, passedOver: [] })
  }
})

const workAll = Effect.all(
  Array.from({ length: workers }, () => worker),
  { concurrency: "unbounded", discard: true }
)

interface Round {
  readonly bare: number
  readonly opened: number
  readonly worked: number
}

const rate = (count: number, seconds: number): number => count / seconds

const runRound = Effect.fnUntraced(function* (url: string, round: number, count: number) {
  const all = seriesOf(round, count)
  const total = all.length * windowsPerSeries
  const before = yield* bareWrites(url, 2 * round, total)
  const openedIn = yield* secondsOf(openAll(all))
  const workedIn = yield* secondsOf(workAll)
  const after = yield* bareWrites(url, 2 * round + 1, total)
  const result: Round = {
    bare: rate(2 * total, before + after),
    opened: rate(total, openedIn),
    worked: rate(total, workedIn)
  }
  return result
})

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const perSecond = (value: number): string => Math.round(value).toLocaleString("en")
const percent = (share: number): string => `${Math.round(share * 100)} %`

const row = (title: string, { bare, opened, worked }: Round): ReadonlyArray<string> => [
  title,
  perSecond(bare),
  perSecond(opened),
  percent((opened * writesPerOpening) / bare),
  perSecond(worked),
  percent((worked * writesPerWindow) / bare)
]

const measure = Effect.fnUntraced(function* (rounds: number, count: number) {
  const url = yield* startServer
  const hosts = { incarnation: "bench", isDead: () => Effect.succeed(false), isValid: Effect.succeed(true) }
  const services = coordinatorLayer().pipe(
    Layer.provideMerge(Layer.succeed(LiveHosts, hosts)),
    Layer.provideMerge(Layer.effectDiscard(Effect.flatMap(Mesh, (mesh) => mesh.provision(Stream.every)))),
    Layer.provideMerge(NatsMesh.layer({ servers: url, name: "bench" }))
  )
  yield* Effect.gen(function* () {
    const taken: Array<Round> = []
    for (let round = 0; round < rounds; round++) taken.push(yield* runRound(url, round, count))
    const middle: Round = {
      bare: median(taken.map(({ bare }) => bare)),
      opened: median(taken.map(({ opened }) => opened)),
      worked: median(taken.map(({ worked }) => worked))
    }
    const rows = [...taken.map((one, index) => row(`round ${index + 1}`, one)), row("median", middle)]
    const headings = ["", "bare writes/s", "opened and queued/s", "of bare", "claimed and completed/s", "of bare"]
    console.log(toTable(headings, rows))
  }).pipe(Effect.provide(services))
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
        windows: { type: "string", default: "10000" },
        rounds: { type: "string", default: "5" },
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause))
  }
}

const flags = parseFlags()
const [windowCount, roundCount] = flags.once ? [600, 1] : [Number(flags.windows), Number(flags.rounds)]
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1

if (flags.help) console.log(usage)
else if (!isCount(windowCount)) refuse(`--windows is a whole number, 1 or more, not "${flags.windows}"`)
else if (!isCount(roundCount)) refuse(`--rounds is a whole number, 1 or more, not "${flags.rounds}"`)
else NodeRuntime.runMain(measure(roundCount, windowCount))
