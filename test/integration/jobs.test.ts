/** Do operators see windows whose source fails for good, and does what they say about jobs and time come true? */
import { assert, describe, it } from "@effect/vitest"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Fiber, Schema } from "effect"
import { type AdminAnswer, connectAdmin } from "../../client/admin.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import { JobEvent } from "../../protocol/messages/Backfill.ts"
import type { RetrySettings } from "../../protocol/Settings.ts"
import type { FaultShares } from "../../examples/exchange/Faults.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { type Run, runCommand } from "../support/runCommand.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const record = BarFile.read(file)
const hourMs = 3_600_000
const [midnight] = record.range
const at = (hours: number): number => midnight + hours * hourMs

const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 15_000 } } as const
const demanding = { ...patient, sla: { ...patient.sla, onBackfillFailure: "error" } } as const

type Listed = AdminAnswer<"jobs">

const decodeEvent = Schema.decodeUnknownSync(JobEvent)

/** What happened to jobs, as it is told to whoever listens. */
const listen = Effect.fnUntraced(function* (nc: NatsConnection) {
  const names: Array<string> = []
  nc.subscribe("seamless.v1.events.backfill.>", {
    callback: (_, message) => {
      const { event, windowStart } = decodeEvent(message.json())
      assert.isTrue(message.subject.startsWith(`seamless.v1.events.backfill.${event}.`), message.subject)
      assert.isTrue(message.subject.endsWith(`.${windowStart}`), message.subject)
      names.push(event)
    }
  })
  yield* Effect.promise(() => nc.flush())
  return names
})

/** A host whose exchange fails at each request for candles, and can be made well. */
const setUp = Effect.fnUntraced(function* (retry: RetrySettings, faults: FaultShares = { "500": 1 }) {
  const ill = yield* Cluster.startExchange([file], { faults })
  const well = yield* Cluster.startExchange([file])
  const portOf = ({ url }: { readonly url: string }): number => Number(new URL(url).port)
  const target = { host: "127.0.0.1", port: portOf(ill) }
  const proxy = yield* TcpProxy.start(target)
  const toward = (exchange: { readonly url: string }) =>
    Effect.suspend(() => {
      target.port = portOf(exchange)
      return proxy.reset
    })
  const exchanges = [`http://127.0.0.1:${proxy.port}`]
  const cluster = yield* Cluster.make({ files: [file], source: { attempts: 1 }, retry }, { exchanges })
  const { servers } = yield* cluster.startHost("a")
  const nc = yield* Cluster.startConnection(servers)
  const admin = yield* Effect.acquireRelease(
    Effect.promise(() => connectAdmin({ servers, who: "bob" })),
    (connected) => Effect.promise(() => connected.close())
  )
  const seamless = (...args: ReadonlyArray<string>) =>
    Effect.promise(() => runCommand([...args, "--nats", servers], { SEAMLESS_OPERATOR: "alice" }))
  const json = <A>(...args: ReadonlyArray<string>): Effect.Effect<A> =>
    Effect.map(seamless(...args, "--format", "json"), ({ code, err, out }) => {
      assert.deepStrictEqual([code, err], [0, ""])
      return JSON.parse(out)
    })
  return {
    nc,
    seamless,
    json,
    client: yield* Cluster.startClient(servers),
    /** The newest job of the window that holds the time. */
    jobAt: (windowStart: number) =>
      Effect.map(
        Cluster.asking(() => admin.ask("job", { nodeId: node, interval, windowStart })),
        ({ job }) => job
      ),
    asked: () => Cluster.klines(ill.requests()).length,
    fetched: () => Cluster.klines(well.requests()),
    getWell: toward(well),
    fallIll: toward(ill),
    causes: Effect.map(StoredRoots.settled(nc, file), ({ roots }) => roots.map(({ diff }) => diff.cause))
  }
})

type Given = Effect.Success<ReturnType<typeof setUp>>

const read = (client: SeamlessClient, range: Range, options: ReadOptions) =>
  Cluster.readFile(client, file, range, options)

const untilState = ({ jobAt }: Given, state: string) =>
  untilTrue(
    `the window is ${state}`,
    // before the first demand there is none
    Effect.match(jobAt(midnight), { onFailure: () => false, onSuccess: (job) => job.state === state }),
    20_000
  )

const untilCovered = ({ nc }: Given, ranges: ReadonlyArray<Range>) =>
  untilTrue(
    "the range is covered",
    Effect.map(StoredRoots.standing(nc, file), (root) => {
      return root !== undefined && JSON.stringify(toPairs(root.covered)) === JSON.stringify(ranges)
    }),
    20_000
  )

const coverageOf = ({ client }: Given) => Effect.promise(() => client.coverage(node, interval))

/** Lines of a table, each by its cells. */
const linesOf = ({ out }: Run): ReadonlyArray<ReadonlyArray<string>> =>
  out
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s{2,}/))

const refused = ({ code, err, out }: Run, expected: RegExp): void => {
  assert.deepStrictEqual([code, out], [4, ""], err)
  assert.match(err, expected)
}

/** Readers who come together all wait for the same tries, and hear the same. */
const failForGood = Effect.fnUntraced(function* (given: Given) {
  const { asked, client, json, seamless } = given
  const failures = yield* Effect.all(
    Array.from({ length: 8 }, () => Effect.flip(read(client, record.range, demanding))),
    { concurrency: "unbounded" }
  )
  assert.deepStrictEqual(new Set(failures.map(({ tag }) => tag)), new Set(["WindowQuarantined"]))
  assert.strictEqual(asked(), 2)

  const listed = yield* json<Listed>("jobs", "--state", "QUARANTINED")
  assert.deepInclude(listed, { total: 1, isWhole: true })
  const [job] = listed.jobs
  assert.deepInclude(job, {
    windowStart: midnight,
    state: "QUARANTINED",
    attempts: 2,
    wantedBars: 1440,
    broughtBars: 0
  })
  const table = yield* seamless("jobs", node, interval, "--state", "quarantined")
  const [head, line, last] = linesOf(table)
  assert.deepStrictEqual(head, ["window", "run", "state", "class", "bars", "attempts", "next attempt", "failure"])
  assert.deepStrictEqual(line?.slice(0, 7), [
    "2022-12-13T00:00:00Z",
    "2",
    "QUARANTINED",
    "interactive",
    "0/1,440",
    "2",
    "-"
  ])
  assert.match(line?.[7] ?? "", /^SourceUnavailable of binance: /)
  assert.deepStrictEqual(last, ["1 shown; in all: 1 QUARANTINED"])

  const shown = new Map(
    linesOf(yield* seamless("jobs", "show", node, "60s", "2022-12-13T23:59")).map(([a, b]) => [a, b])
  )
  assert.deepStrictEqual([shown.get("window"), shown.get("state")], ["2022-12-13T00:00:00Z", "QUARANTINED"])
  refused(yield* seamless("jobs", "show", node, interval, "2022-12-14"), /^UnknownJob: .*2022-12-14T00:00:00Z: a read/)
  // what checks the bars of a source is another job, and there is none
  const ofSource = [node, interval, "2022-12-13", "--source", "binance"]
  refused(yield* seamless("jobs", "show", ...ofSource), /^UnknownJob: there is no job that asks binance once more/)
  refused(yield* seamless("jobs", "cancel", ...ofSource), /^NoSuitedJob: .*1 without a job/)
  assert.strictEqual((yield* seamless("jobs", "skip", ...ofSource)).code, 2)

  yield* untilTrue(
    "the coverage has it, too",
    Effect.map(coverageOf(given), ({ missingRanges }) => missingRanges.some(({ state }) => state === "quarantined"))
  )
  const [missing] = (yield* coverageOf(given)).missingRanges
  assert.deepInclude(missing, { start: midnight, end: at(24), state: "quarantined", retryAt: null })
  assert.match(missing?.reason ?? "", /after 2 failures: /)
  const later = yield* Effect.flip(read(client, record.range, demanding))
  assert.deepStrictEqual([later.tag, later.code], ["WindowQuarantined", 423])
  assert.strictEqual(asked(), 2)
})

const getComplete = Effect.fnUntraced(function* ({ client }: Given) {
  const { meta } = yield* read(client, record.range, patient)
  assert.deepStrictEqual([meta.missingRanges, meta.fingerprint], [[], record.fingerprint])
})

const retryIt = Effect.fnUntraced(function* (given: Given) {
  const { fetched, getWell, seamless } = given
  yield* getWell
  const retried = yield* seamless("jobs", "retry", node, interval, "2022-12-13T12:00", "--reason", "it is back")
  assert.match(retried.out, /^1 window retried; coverage version \d+$/m)
  yield* untilCovered(given, [[midnight, at(24)]])
  assert.strictEqual((yield* given.jobAt(midnight)).state, "SUCCEEDED")
  const before = fetched().length
  yield* getComplete(given)
  assert.strictEqual(fetched().length, before)
  refused(
    yield* seamless("jobs", "retry", node, interval, "2022-12-13", "2022-12-15"),
    /^NoSuitedJob: retry is for jobs that are FAILED or QUARANTINED, and none suits of the 2 windows: 1 SUCCEEDED, 1 wi/
  )
})

/** The time that requests for candles were about, the ends of pages that are left out not counted. */
const asksOf = (requests: ReturnType<Given["fetched"]>): ReadonlyArray<readonly [unknown, unknown]> =>
  requests.map(({ endTime, startTime }) => [startTime, endTime])

const invalidateIt = Effect.fnUntraced(function* (given: Given) {
  const { fetched, seamless } = given
  const range = ["2022-12-13T06:00", "2022-12-13T07:00"]
  const reason = ["--reason", "bars were corrected"]
  const done = yield* seamless("invalidate", node, interval, ...range, ...reason)
  assert.match(done.out, /^60 bars do not count any more; coverage version \d+\n$/)
  assert.deepStrictEqual((yield* coverageOf(given)).coverageRanges, [
    [midnight, at(6)],
    [at(7), at(24)]
  ])
  const before = fetched().length
  yield* getComplete(given)
  const asks = asksOf(fetched().slice(before))
  assert.deepStrictEqual(asks, [[at(6), at(7) - 1]])
  refused(
    yield* seamless("invalidate", node, interval, "2022-12-13T06:00:30", "2022-12-13T07:00", ...reason),
    /^UnalignedRange: .*ask for \[2022-12-13T06:00:00Z, 2022-12-13T07:00:00Z\)/
  )
})

const reprocessIt = Effect.fnUntraced(function* (given: Given) {
  const { fetched, json } = given
  const before = fetched().length
  const range = ["2022-12-13T08:00", "2022-12-13T09:00"]
  const told = yield* json<AdminAnswer<"reprocess">>("reprocess", node, interval, ...range, "--reason", "once more")
  assert.deepInclude(told, { removed: [[at(8), at(9)]], removedBars: 60 })
  assert.deepStrictEqual(
    told.jobs.map(({ cause, jobClass, wantedBars, windowStart }) => [windowStart, jobClass, wantedBars, cause]),
    [[midnight, "repair", 60, "reprocessed by alice: once more"]]
  )
  yield* untilCovered(given, [[midnight, at(24)]])
  assert.deepStrictEqual(asksOf(fetched().slice(before)), [[at(8), at(9) - 1]])
  yield* getComplete(given)
})

describe("a source that fails for good", () => {
  it.live("is asked as often as the policy says; operators see it, and have time fetched again when it is well", () =>
    Effect.gen(function* () {
      const given = yield* setUp({ attempts: 2, baseMs: 100 })
      const events = yield* listen(given.nc)
      yield* failForGood(given)
      assert.deepStrictEqual(events, ["opened", "claimed", "failed", "retried", "claimed", "quarantined"])
      yield* retryIt(given)
      yield* invalidateIt(given)
      yield* reprocessIt(given)
      const causes = (yield* given.causes).filter((cause) => cause.includes(" by alice"))
      assert.deepStrictEqual(causes, [
        "retried by alice: it is back",
        "invalidated by alice: bars were corrected",
        "invalidated by alice: once more",
        "reprocessed by alice: once more"
      ])
    })
  )
})

describe("seamless jobs skip, cancel, quarantine", () => {
  it.live("skip lets a strict read pass without what nobody will ever have", () =>
    Effect.gen(function* () {
      const given = yield* setUp({ attempts: 2, baseMs: 100 })
      const { asked, causes, client, fallIll, getWell, seamless } = given
      yield* getWell
      yield* read(client, [midnight, at(12)], patient)
      yield* fallIll
      yield* Effect.flip(read(client, record.range, demanding))
      yield* untilState(given, "QUARANTINED")
      const before = asked()
      const skipped = yield* seamless("jobs", "skip", node, interval, "2022-12-13", "--reason", "it has none")
      assert.match(skipped.out, /^1 window skipped; coverage version \d+$/m)
      const { df, meta } = yield* read(client, record.range, { ...demanding, strict: true })
      assert.deepStrictEqual([df.length, meta.qualitySummary.expectedBars], [720, 720])
      assert.deepStrictEqual(
        meta.missingRanges.map(({ end, reason, start, state }) => [start, end, state, reason]),
        [[at(12), at(24), "unavailable", "skipped by alice: it has none"]]
      )
      assert.strictEqual(asked(), before)
      assert.include(yield* causes, "skipped by alice: it has none")
    })
  )

  it.live("cancel ends what waits, and nobody tries it again; quarantine sets aside what goes on", () =>
    Effect.gen(function* () {
      const given = yield* setUp({ attempts: 9, baseMs: 1000, maxMs: 1000 })
      const { causes, client, json, seamless } = given
      const dayBefore = midnight - 24 * hourMs
      yield* Effect.flip(
        read(client, [dayBefore, at(24)], { ...demanding, sla: { ...demanding.sla, totalDeadlineMs: 800 } })
      )
      yield* untilState(given, "FAILED")
      const cancelled = yield* seamless("jobs", "cancel", node, interval, "2022-12-12T05:00", "--reason", "not wanted")
      assert.match(cancelled.out, /^1 window called off; coverage version \d+$/m)
      const { failure, nextAttemptAt, run } = yield* given.jobAt(dayBefore)
      assert.deepStrictEqual(
        [failure?.tag, failure?.message, nextAttemptAt],
        ["Cancelled", "called off by alice: not wanted", null]
      )
      // the window beside it failed at the same time, and is tried again and again
      yield* untilTrue(
        "the other is tried again",
        Effect.map(given.jobAt(midnight), ({ attempts }) => attempts >= 4),
        20_000
      )
      assert.strictEqual((yield* given.jobAt(dayBefore)).run, run)
      assert.deepStrictEqual(
        (yield* json<Listed>("jobs", "--state", "open")).jobs.map(({ windowStart }) => windowStart),
        [midnight]
      )
      yield* seamless("jobs", "quarantine", node, interval, "2022-12-12", "2022-12-14", "--reason", "look at it")
      const { jobs } = yield* json<Listed>("jobs", node, "--limit", "10")
      assert.deepStrictEqual(
        jobs.map(({ state }) => state),
        ["QUARANTINED", "QUARANTINED"]
      )
      const told = yield* causes
      assert.include(told, "called off by alice: not wanted")
      assert.include(told, "set aside by alice: look at it")
    })
  )

  it.live("end the wait of a run's readers at once, and what the run still does changes nothing", () =>
    Effect.gen(function* () {
      const given = yield* setUp({ attempts: 2, baseMs: 100 }, { hang: 1 })
      const { causes, client, seamless } = given
      for (const [verb, tag, state] of [
        ["cancel", "SourceUnavailable", "FAILED"],
        ["quarantine", "WindowQuarantined", "QUARANTINED"]
      ] as const) {
        const reading = yield* Effect.forkChild(Effect.flip(read(client, record.range, demanding)))
        yield* untilState(given, "RUNNING")
        yield* seamless("jobs", verb, node, interval, "2022-12-13", "--reason", "enough")
        const endedMs = performance.now()
        const failure = yield* Fiber.join(reading)
        assert.isBelow(performance.now() - endedMs, 5000)
        assert.strictEqual(failure.tag, tag)
        assert.match(failure.message, /by alice: enough$/)
        assert.deepInclude(yield* given.jobAt(midnight), { state, lease: null })
      }
      assert.deepStrictEqual(yield* causes, ["called off by alice: enough", "set aside by alice: enough"])
    })
  )
})
