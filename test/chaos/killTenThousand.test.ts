/**
 * Does every one of ten thousand jobs come to its end, once, while members and their server are killed all the time?
 *
 * Three members fill series of many small windows. Some time is before the first bar, and of one pair the exchange has
 * never heard: windows end filled, as time that can't be had, or in quarantine. When and whom the kills meet is random;
 * the seed is in the title, and SEAMLESS_KILL_SEED repeats it. SEAMLESS_KILL_RUNS sets how many runs there are.
 */
import { assert, describe, it } from "@effect/vitest"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Schedule, Schema } from "effect"
import process from "node:process"
import { connectAdmin } from "../../client/admin.ts"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import { type BackfillJob, hasEnded } from "../../protocol/history/BackfillJob.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { windowsPerErrand } from "../../protocol/history/planBackfill.ts"
import { JobEvent } from "../../protocol/messages/Backfill.ts"
import { defaults } from "../../protocol/Settings.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { floatColumns } from "../support/floatFrames.ts"
import * as ManySeries from "../support/ManySeries.ts"
import * as NatsServer from "../support/NatsServer.ts"
import type { ReadyProcess } from "../support/ReadyProcess.ts"
import { intervalOf } from "../support/rows.ts"
import { runCommand } from "../support/runCommand.ts"
import { seededNumbers, seededOrder } from "../support/seededOrder.ts"
import * as StoredJobs from "../support/StoredJobs.ts"
import * as StoredRoots from "../support/StoredRoots.ts"

const runs = Number(process.env["SEAMLESS_KILL_RUNS"] ?? 1)
const seed = Number(process.env["SEAMLESS_KILL_SEED"] ?? Date.now() % 1_000_000)

const hostIds = ["a", "b", "c"]
/** Workers of one member; each has one request under way at the most. */
const workers = defaults.concurrency + 1
const { firstBar, minuteMs, windowBars, windowMs } = ManySeries

const grid = Window.makeGrid(intervalOf("1m"), windowBars)

/** Whom a kill meets: some of the members, and the server or not. */
interface Kill {
  readonly members: ReadonlyArray<string>
  readonly server: boolean
  /** The share of the bars that has been sent by then. */
  readonly after: number
}

/** Two of a member, two of the server, one of both, one of all at once; in any order. */
const planKills = (firstSeed: number): ReadonlyArray<Kill> => {
  const next = seededNumbers(firstSeed)
  const anyone = () => hostIds[Math.floor(next() * hostIds.length)]!
  const whom: ReadonlyArray<Omit<Kill, "after">> = [
    { members: [anyone()], server: false },
    { members: [anyone()], server: false },
    { members: [], server: true },
    { members: [], server: true },
    { members: [anyone()], server: true },
    { members: hostIds, server: true }
  ]
  return seededOrder(whom.length, firstSeed).map((index, place) => ({
    ...whom[index]!,
    after: (place + 0.2 + 0.8 * next()) / (whom.length + 1)
  }))
}

const setUp = Effect.gen(function* () {
  const series = yield* ManySeries.make
  const exchange = yield* Cluster.startExchange(
    series.filter(({ isTraded }) => isTraded),
    { latencyMs: 20 }
  )
  const server = yield* NatsServer.start()
  const listing = new Map(series.map(({ listedAt, node }) => [node, listedAt]))
  const settings: Cluster.ClusterSettings = {
    files: series,
    series: ({ node }) => {
      const listedAt = listing.get(node)
      return { windowBars, ...(listedAt !== undefined && { listedAt }) }
    },
    retry: { attempts: 4, baseMs: 200, maxMs: 1000 }
  }
  const cluster = yield* Cluster.make(settings, { server, exchanges: [exchange.url] })
  const members = yield* Effect.forEach(hostIds, cluster.startHost, { concurrency: "unbounded" })
  const admin = yield* Effect.acquireRelease(
    Effect.promise(() => connectAdmin({ servers: server.url, who: "bob" })),
    (connected) => Effect.promise(() => connected.close())
  )
  return {
    series,
    server,
    admin,
    members: new Map<string, ReadyProcess>(members.map((member, index) => [hostIds[index]!, member])),
    startHost: cluster.startHost,
    klines: () => Cluster.klines(exchange.requests()),
    nc: yield* Cluster.startConnection(server.url),
    client: yield* Cluster.startClient(server.url)
  }
})

type Given = Effect.Success<typeof setUp>

const decodeEvent = Schema.decodeUnknownSync(JobEvent)

/** The runs that were told to have been completed, as far as it could be heard. */
const hearCompleted = Effect.fnUntraced(function* (nc: NatsConnection) {
  const told: Array<string> = []
  nc.subscribe("seamless.v1.events.backfill.completed.>", {
    callback: (_, message) => {
      const { run, series, windowStart } = decodeEvent(message.json())
      told.push(`${series.nodeId} ${windowStart}.${run}`)
    }
  })
  yield* Effect.promise(() => nc.flush())
  return told
})

/** Wants all of a series, again and again: whoever asks may be cut off by a kill. */
const demand = ({ admin, client }: Given, { by, interval, node, wanted }: ManySeries.Kept) => {
  const [start, end] = wanted
  const once =
    by === "ensure"
      ? () => client.ensureAvailable(node, interval, start, end, { sla: { totalDeadlineMs: 5000 } })
      : () =>
          admin.ask("createBackfill", {
            name: node.replaceAll(/\W/g, "-").toLowerCase(),
            nodeId: node,
            interval,
            start,
            end,
            order: by
          })
  return Effect.tryPromise(async () => void (await once())).pipe(
    Effect.ignore,
    Effect.repeat(Schedule.spaced("1 second"))
  )
}

/** Looks now and then until it is so; each look may be dear. */
const until = <E, R>(what: string, look: Effect.Effect<boolean, E, R>, withinMs: number) =>
  look.pipe(
    Effect.repeat({ schedule: Schedule.spaced("200 millis"), until: (isSo) => isSo }),
    Effect.timeoutOrElse({
      duration: withinMs,
      orElse: () => Effect.die(new Error(`not within ${withinMs} ms: ${what}`))
    })
  )

const sentBars = (klines: Given["klines"]): number => klines().reduce((sum, { rows }) => sum + (rows ?? 0), 0)

const barsOf = (series: Given["series"]): number =>
  series.reduce((sum, kept) => sum + RangeMeasure.bars(ManySeries.available(kept), minuteMs), 0)

/** Does what a kill says, and has everything run again. */
const inflict = Effect.fnUntraced(function* (given: Given, { members, server }: Kill) {
  const kills = members.map((hostId) => given.members.get(hostId)!.kill)
  yield* Effect.all(server ? [...kills, given.server.kill] : kills, { concurrency: "unbounded" })
  if (server) yield* given.server.start
  yield* Effect.forEach(
    members,
    (hostId) => Effect.map(given.startHost(hostId), (host) => void given.members.set(hostId, host)),
    { concurrency: "unbounded" }
  )
})

/** What is known of the time of a series. */
const accountOf = (client: SeamlessClient, { interval, node, wanted }: ManySeries.Kept) =>
  Effect.map(
    Effect.tryPromise(() => client.coverage(node, interval)),
    ({ coverageRanges, missingRanges }) => {
      const timeIn = (state: string) =>
        RangeSet.clip(
          RangeSet.make(missingRanges.flatMap((each) => (each.state === state ? [[each.start, each.end]] : []))),
          ...wanted
        )
      const covered = RangeSet.make(coverageRanges)
      const [unavailable, quarantined] = [timeIn("unavailable"), timeIn("quarantined")]
      const known = RangeSet.unionAll([covered, unavailable, quarantined])
      return { covered, unavailable, quarantined, isWhole: RangeMeasure.isEmpty(RangeSet.missing(known, ...wanted)) }
    }
  )

/** Waits until nothing is to be done any more; gives the record of each window. */
const untilOver = Effect.fnUntraced(function* ({ client, nc, series }: Given) {
  const isWhole = (kept: ManySeries.Kept) =>
    Effect.orElseSucceed(
      Effect.map(accountOf(client, kept), (account) => account.isWhole),
      () => false
    )
  yield* until(
    "all time is covered, unavailable or in quarantine",
    Effect.map(Effect.forEach(series, isWhole), (all) => all.every((each) => each)),
    90_000
  )
  let jobs: ReadonlyMap<string, BackfillJob> = new Map()
  yield* until(
    "all jobs have ended",
    Effect.map(StoredJobs.all(nc), (found) => {
      jobs = found
      return Array.from(found.values()).every(hasEnded)
    }),
    30_000
  )
  return jobs
})

const assertAccounted = Effect.fnUntraced(function* ({ client, series }: Given, jobs: Iterable<BackfillJob>) {
  const byNode = Map.groupBy(jobs, (job) => job.series.nodeId)
  for (const kept of series) {
    const { covered, quarantined, unavailable } = yield* Effect.orDie(accountOf(client, kept))
    const had = ManySeries.available(kept)
    assert.deepStrictEqual(covered, had, kept.node)
    const none = kept.isTraded ? RangeSet.missing(had, ...kept.wanted) : RangeSet.empty
    assert.deepStrictEqual(unavailable, none, kept.node)
    assert.deepStrictEqual(quarantined, kept.isTraded ? RangeSet.empty : RangeSet.of(...kept.wanted), kept.node)

    const ended = Map.groupBy(byNode.get(kept.node) ?? [], ({ state }) => state)
    const timeOf = (state: BackfillJob["state"]) =>
      RangeSet.make((ended.get(state) ?? []).map(({ windowStart: start }) => [start, start + windowMs]))
    const brought = timeOf("SUCCEEDED")
    assert.isTrue(RangeSet.contains(brought, had), kept.node)
    // of time that can't be had, it may be known before its turn comes
    assert.isTrue(RangeSet.contains(RangeSet.union(had, none), brought), kept.node)
    assert.deepStrictEqual(timeOf("QUARANTINED"), quarantined, kept.node)
    assert.deepStrictEqual(timeOf("FAILED"), RangeSet.empty, kept.node)
  }
})

/** The history of each series adds up to what stands, and each bar and each window was added by one change of it. */
const assertHistory = Effect.fnUntraced(function* ({ admin, nc, series, server }: Given) {
  const { interval, node } = series[0]!
  const { err, out } = yield* Effect.promise(() =>
    runCommand(["audit", node, interval, "--verify", "--nats", server.url])
  )
  assert.match(`${out}${err}`, /^the history holds: \d+ changes from the first add up to just what is covered$/m)
  for (const kept of series) {
    const { verdict, version } = yield* Effect.promise(() =>
      admin.ask("audit", { nodeId: kept.node, interval: kept.interval, verify: true })
    )
    assert.deepStrictEqual(verdict, { holds: true, entries: version, firstBreak: null })

    const { root, roots } = yield* StoredRoots.settled(nc, kept)
    assert.strictEqual(root?.version, version)
    const added = roots.flatMap(({ diff }) => Window.split(grid, diff.added).map(({ windowStart }) => windowStart))
    assert.strictEqual(new Set(added).size, added.length, "each window was filled by one change")
    const addedBars = roots.reduce((sum, { diff }) => sum + RangeMeasure.bars(diff.added, minuteMs), 0)
    assert.strictEqual(addedBars, RangeMeasure.bars(ManySeries.available(kept), minuteMs), "each bar was added once")
    assert.isTrue(roots.every(({ diff }) => RangeMeasure.isEmpty(diff.removed)))
  }
})

/** What may be asked for again for each kill: a request of each worker, for all that one claim takes. */
const againMax = (kills: ReadonlyArray<Kill>): number =>
  kills.reduce((sum, { members, server }) => sum + (server ? hostIds.length : members.length), 0) * workers

const assertAskedOnce = ({ klines }: Given, kills: ReadonlyArray<Kill>) => {
  const asked = new Map<string, number>()
  // a look from before the first bar sees bars that others bring
  for (const { rows, startTime, symbol } of klines().filter((request) => Number(request.startTime) >= firstBar)) {
    for (let row = 0; row < (rows ?? 0); row++) {
      const bar = `${symbol} ${Number(startTime) + row * minuteMs}`
      asked.set(bar, (asked.get(bar) ?? 0) + 1)
    }
  }
  const again = Array.from(asked.values()).reduce((sum, times) => sum + times - 1, 0)
  assert.isAtMost(again, againMax(kills) * windowsPerErrand * windowBars)
  return again
}

const patient = { strategy: "fail_fast", sla: { maxWaitStorageMs: 20_000, totalDeadlineMs: 25_000 } } as const

const assertRead = Effect.fnUntraced(function* ({ client, series }: Given) {
  const { frame } = BarFile.read(series[0]!)
  for (const kept of series.filter(({ isTraded }) => isTraded)) {
    const { df, meta } = yield* Cluster.readFile(client, kept, kept.wanted, patient)
    const from = frame.eventTimeMs.indexOf(kept.listedAt ?? firstBar)
    assert.deepStrictEqual(Cluster.numbersOf(df, "event_time"), frame.eventTimeMs.slice(from), kept.node)
    for (const { name, values } of floatColumns(frame)) {
      assert.deepStrictEqual(Cluster.numbersOf(df, name), Float64Array.from(values).slice(from), `${kept.node} ${name}`)
    }
    assert.isTrue(meta.missingRanges.every(({ state }) => state === "unavailable"))
  }
})

const assertSound = Effect.fnUntraced(function* ({ admin }: Given) {
  const { hosts } = yield* Effect.promise(() => admin.ask("hosts", {}))
  assert.deepStrictEqual(
    hosts.map(({ hostId, state, violations }) => ({ hostId, state, violations })).toSorted(byHostId),
    hostIds.map((hostId) => ({ hostId, state: "serving", violations: undefined }))
  )
})

const byHostId = (a: { readonly hostId: string }, b: { readonly hostId: string }): number =>
  a.hostId.localeCompare(b.hostId)

const run = Effect.fnUntraced(function* (firstSeed: number) {
  const given = yield* setUp
  const { klines, nc, series } = given
  const startedMs = performance.now()
  const say = (text: string) =>
    process.stdout.write(`${Math.round(performance.now() - startedMs)} ms, ${klines().length} requests: ${text}\n`)
  const told = yield* hearCompleted(nc)
  yield* Effect.forEach(series, (kept) => Effect.forkScoped(demand(given, kept)))
  const kills = planKills(firstSeed)
  for (const kill of kills) {
    const due = Math.floor(kill.after * barsOf(series))
    yield* until(
      `${due} bars are sent`,
      Effect.sync(() => sentBars(klines) >= due),
      90_000
    )
    say(`kill of ${[...kill.members, ...(kill.server ? ["the server"] : [])].join(", ")}`)
    yield* inflict(given, kill)
  }
  const jobs = yield* untilOver(given)
  say(`${jobs.size} jobs have ended, ${told.length} completions were heard of`)
  assert.isAtLeast(jobs.size, 10_000)
  yield* assertAccounted(given, jobs.values())
  assert.strictEqual(new Set(told).size, told.length, "no run was completed twice")
  yield* assertHistory(given)
  const again = assertAskedOnce(given, kills)
  yield* assertRead(given)
  yield* assertSound(given)
  say(`${again} bars were asked for again`)
})

describe("kill -9 of members and of nats-server while ten thousand jobs are done", () => {
  for (let index = 0; index < runs; index++) {
    it.live(
      `all of them end, none takes effect twice, and the audit adds up (seed ${seed + index})`,
      () => run(seed + index),
      300_000
    )
  }
})
