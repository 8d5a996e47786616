/**
 * What comes of a backfill whose member stands still in the middle of it for longer than its leases last?
 *
 * Another one claims its windows and finishes them. The frozen one is thawed after that, with a request or two under
 * way: what it writes must take no effect, and it must not ask on for what is not its own any more.
 */
import { assert, describe, it } from "@effect/vitest"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Schedule, Schema } from "effect"
import process from "node:process"
import { connectAdmin } from "../../client/admin.ts"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import { type BackfillJob, jobId } from "../../protocol/history/BackfillJob.ts"
import * as FrameModule from "../../protocol/frame/Frame.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { defaults } from "../../protocol/Settings.ts"
import { adminVerbs } from "../../protocol/messages/Admin.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as NatsServer from "../support/NatsServer.ts"
import { floatColumns } from "../support/floatFrames.ts"
import { runCommand } from "../support/runCommand.ts"
import * as StoredJobs from "../support/StoredJobs.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import { untilTrue } from "../support/untilTrue.ts"

// a bar for every minute of a day: what is asked for is what is missing, with no look beyond it
const file = BarFile.barFiles.fullDay
const record = BarFile.read(file)
const [dayStart] = record.range
const minuteMs = 60_000
const pageBars = 8
const latencyMs = 200
/** Workers of one member; each has one request under way at the most. */
const workers = defaults.concurrency + 1

const bars = { frozen: 960, thawed: 240 }
/** What is filled while a member is frozen; and all, of which the thawed one fills the rest alone. */
const evening = dayStart + bars.frozen * minuteMs
const end = evening + bars.thawed * minuteMs

/** Each try to get it from whoever serves; the first that is complete is given. */
const readToTheEnd = (servers: string, range: Range, withinMs: number) =>
  Effect.gen(function* () {
    const client = yield* Cluster.startClient(servers)
    const ask = Cluster.readFile(client, file, range, { strategy: "auto_backfill", sla: { totalDeadlineMs: 3000 } })
    return yield* ask.pipe(
      Effect.filterOrFail(({ meta }) => meta.missingRanges.length === 0),
      Effect.retry(Schedule.spaced("100 millis")),
      Effect.timeoutOrElse({
        duration: withinMs,
        orElse: () => Effect.die(new Error(`${range.join(" to ")} is not complete after ${withinMs} ms`))
      })
    )
  }).pipe(Effect.scoped)

const startAdmin = (servers: string) =>
  Effect.acquireRelease(
    Effect.promise(() => connectAdmin({ servers, who: "bob" })),
    (admin) => Effect.promise(() => admin.close())
  )

const setUp = Effect.fnUntraced(function* (windowBars: number, server: NatsServer.NatsServerSettings) {
  const nats = yield* NatsServer.start(server)
  const settings = {
    files: [file],
    series: { windowBars },
    source: { barsPerRequest: pageBars },
    exchange: { latencyMs }
  }
  const cluster = yield* Cluster.make(settings, { server: nats })
  const members = yield* Effect.forEach(["a", "b"], cluster.startHost, { concurrency: "unbounded" })
  const servers = nats.url
  return { klines: cluster.klines, members, servers, nc: yield* Cluster.startConnection(servers) }
})

type Given = Effect.Success<ReturnType<typeof setUp>>

/** The jobs that somebody works on, by the incarnation of who does. */
const runningBy = (jobs: ReadonlyMap<string, BackfillJob>): ReadonlyMap<string, ReadonlyArray<BackfillJob>> =>
  Map.groupBy(
    Array.from(jobs.values()).filter(({ state }) => state === "RUNNING"),
    ({ lease }) => lease?.holder ?? ""
  )

const heldMin = 4

/** Freezes the member that has the most windows in hand, with pages under way. */
const freezeInTheMidst = Effect.fnUntraced(function* ({ klines, members, nc, servers }: Given) {
  const admin = yield* startAdmin(servers)
  const { hosts } = yield* Effect.promise(() => admin.ask("hosts", {}))
  let busiest = ""
  yield* untilTrue(
    "some member has windows in hand, and pages have been asked for",
    Effect.map(StoredJobs.all(nc), (jobs) => {
      const running = Array.from(runningBy(jobs)).toSorted(([, a], [, b]) => b.length - a.length)
      const [most] = running
      if (most === undefined || most[1].length < heldMin || klines().length < 2 * workers) return false
      busiest = most[0]
      return true
    })
  )
  const isBusiest = (hostId: string) => hosts.some((host) => host.hostId === hostId && host.incarnation === busiest)
  const [a, b] = members as [(typeof members)[0], (typeof members)[0]]
  const [victim, other] = isBusiest("a") ? [a, b] : [b, a]
  yield* victim.freeze
  const frozenAtMs = Date.now()
  // what it had written before it stood still is there once the server has answered
  yield* Effect.promise(() => nc.flush())
  const held = runningBy(yield* StoredJobs.all(nc)).get(busiest) ?? []
  const covered = (yield* StoredRoots.standing(nc, file))?.covered ?? RangeSet.empty
  return { victim, other, held, covered, frozenAtMs }
})

const keyOf = ({ series, windowStart }: BackfillJob): string =>
  Subject.window(Subject.series(series.nodeId, series.interval), windowStart)

const startOf = ({ startTime }: LogEntry): number => Number(startTime)

/** Pages that were asked for more than once: when each was asked for, in order. */
const askedAgain = (requests: ReadonlyArray<LogEntry>): ReadonlyMap<number, ReadonlyArray<number>> =>
  new Map(
    Array.from(Map.groupBy(requests, startOf))
      .filter(([, entries]) => entries.length > 1)
      .map(([start, entries]) => [start, entries.map(({ at }) => at)])
  )

const decodeShown = Schema.decodeUnknownSync(adminVerbs.job.answer)

/** A window's job as the command line tells it. */
const show = (servers: string, { series, windowStart }: BackfillJob) =>
  Effect.map(
    Effect.promise(() =>
      runCommand(
        ["jobs", "show", series.nodeId, series.interval, String(windowStart)].concat(
          "--format",
          "json",
          "--nats",
          servers
        )
      )
    ),
    ({ code, err, out }) => {
      assert.deepStrictEqual([code, err], [0, ""])
      return decodeShown(JSON.parse(out)).job
    }
  )

/** Windows that a change of the root has added time of. */
const changesOf = Effect.fnUntraced(function* (nc: NatsConnection) {
  const { root, roots } = yield* StoredRoots.settled(nc, file)
  assert.deepStrictEqual(StoredRoots.gaps(roots, root), [])
  return { root, roots }
})

const run = Effect.fnUntraced(function* (windowBars: number, server: NatsServer.NatsServerSettings) {
  const given = yield* setUp(windowBars, server)
  const { klines, nc, servers } = given
  // its host may be the one that is frozen
  yield* Effect.forkScoped(Effect.ignore(readToTheEnd(servers, [dayStart, evening], 60_000)))
  const { covered, frozenAtMs, held, other, victim } = yield* freezeInTheMidst(given)
  assert.isAtLeast(held.length, heldMin / 2, "windows in the hands of the frozen one")

  yield* readToTheEnd(servers, [dayStart, evening], 60_000)
  const jobs = yield* StoredJobs.all(nc)
  const rootBefore = (yield* changesOf(nc)).root
  const askedBefore = klines().length
  yield* victim.thaw
  const thawedAtMs = Date.now()
  // nobody else is there from now on: who fills the rest is alive again, and had time for what it was about to do
  yield* other.stop
  const { df } = yield* readToTheEnd(servers, [dayStart, end], 60_000)
  return { ...given, askedBefore, covered, df, frozenAtMs, held, jobs, rootBefore, thawedAtMs }
})

type After = Effect.Success<ReturnType<typeof run>>

const assertFenced = Effect.fnUntraced(function* ({ held, jobs, nc, rootBefore, servers }: After) {
  const now = yield* StoredJobs.all(nc)
  for (const before of held) {
    const job = now.get(keyOf(before))
    assert.deepStrictEqual([job?.state, job?.attempts, job?.lease], ["SUCCEEDED", 0, null])
    assert.isAbove(job?.fence ?? 0, before.fence, "another has claimed it")
    assert.deepStrictEqual(job, jobs.get(keyOf(before)), "nothing was written after the thaw")
  }
  const told = yield* show(servers, held[0]!)
  const { fence, nonce, run, state } = now.get(keyOf(held[0]!))!
  assert.deepInclude(told, { fence, nonce, run, state })

  const { root, roots } = yield* changesOf(nc)
  const added = RangeSet.unionAll(roots.map(({ diff }) => diff.added))
  const addedBars = roots.reduce((sum, { diff }) => sum + RangeMeasure.bars(diff.added, minuteMs), 0)
  assert.deepStrictEqual(added, RangeSet.of(dayStart, end))
  assert.strictEqual(addedBars, bars.frozen + bars.thawed, "each bar was added once")
  assert.deepStrictEqual(root?.covered, added)
  const ofHeld = new Set(held.map(jobId))
  const late = roots.filter(({ diff, version }) => {
    return version > (rootBefore?.version ?? 0) && diff.jobs.some((job) => ofHeld.has(job))
  })
  assert.deepStrictEqual(late, [], "what the thawed one committed changed nothing")
})

const assertAskedOnce = (
  { askedBefore, covered, frozenAtMs, held, klines, thawedAtMs }: After,
  pagesPerWindow: number
) => {
  const requests = klines()
  const astray = requests.slice(askedBefore).filter((request) => startOf(request) < evening)
  assert.deepStrictEqual(
    astray.map((request) => ({ afterThawMs: request.at - thawedAtMs, start: startOf(request) })),
    [],
    "asked for, after the thaw, of windows that were not its own any more"
  )
  const again = askedAgain(requests)
  assert.isAtMost(again.size, workers * pagesPerWindow)
  const lost = RangeSet.make(
    held.map(({ windowStart }): Range => [windowStart, windowStart + pagesPerWindow * pageBars * minuteMs])
  )
  for (const [start, times] of again) {
    assert.lengthOf(times, 2)
    assert.isTrue(
      RangeSet.contains(lost, RangeSet.of(start, start + minuteMs)),
      `page ${start} was not the frozen one's`
    )
    // of a window that is there nothing is asked for again: what is, was under way or not yet committed
    assert.isTrue(RangeMeasure.isEmpty(RangeSet.intersect(covered, RangeSet.of(start, start + minuteMs))))
  }
  process.stdout.write(
    `${held.length} windows in hand at the freeze, frozen for ${thawedAtMs - frozenAtMs} ms; ` +
      `${requests.length} requests, ${again.size} pages twice\n`
  )
}

const assertRight = ({ df }: After) => {
  const wanted = FrameModule.within(record.frame, dayStart, end)
  assert.deepStrictEqual(Cluster.numbersOf(df, "event_time"), wanted.eventTimeMs)
  for (const { name, values } of floatColumns(wanted)) {
    assert.deepStrictEqual(Cluster.numbersOf(df, name), Float64Array.from(values), name)
  }
}

const cases = [
  { windowBars: pageBars, what: "windows of one page", server: {}, how: "the server has hung up on it" },
  { windowBars: 3 * pageBars, what: "windows of three pages", server: {}, how: "the server has hung up on it" },
  {
    windowBars: 3 * pageBars,
    what: "windows of three pages",
    server: { pingInterval: "60s" },
    how: "its connection outlives the freeze"
  }
] as const

describe("SIGSTOP of one of two members in the midst of a backfill, until the other has finished it", () => {
  for (const { how, server, what, windowBars } of cases) {
    it.live(`${what}, where ${how}: each window ends once, by the other, and is asked for by nobody after that`, () =>
      Effect.gen(function* () {
        const after = yield* run(windowBars, server)
        yield* assertFenced(after)
        assertAskedOnce(after, windowBars / pageBars)
        assertRight(after)
      })
    )
  }
})
