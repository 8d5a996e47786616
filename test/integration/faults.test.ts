/**
 * Does a bad day of the exchange cost time, and never the truth?
 *
 * Each fault alone. Which requests it befalls is decided by the exchange's seed and by the order of their arrival.
 */
import { assert, describe, it } from "@effect/vitest"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect } from "effect"
import type { FaultName } from "../../examples/exchange/Faults.ts"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.quiet
const record = BarFile.read(file)

const deadlineMs = 60_000
const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: deadlineMs } } as const
const share = 0.2
// a fault befalls some request out of 17 and more, or the test shows nothing
const struckMin = 1

const columnsOf = ({ df }: HistoryResult) =>
  Object.fromEntries(["event_time", "open", "high", "low", "close", "volume"].map((name) => [name, df.columns[name]]))

const expectedColumns = {
  event_time: record.frame.eventTimeMs,
  ...Object.fromEntries(record.frame.columns.map(({ name, values }) => [name, values]))
}

const assertComplete = (result: HistoryResult): void => {
  assert.deepStrictEqual(result.meta.missingRanges, [])
  assert.strictEqual(result.meta.slaReport.violation, null)
  assert.strictEqual(result.meta.fingerprint, record.fingerprint)
  assert.deepStrictEqual(columnsOf(result), expectedColumns)
}

/** How many of the file's bars lie in a set of ranges. */
const barsIn = (set: RangeSet.RangeSet): number =>
  toPairs(set).reduce(
    (sum, [from, to]) => sum + record.frame.eventTimeMs.filter((time) => from <= time && time < to).length,
    0
  )

/** Waits until the root that stands has all of the file. */
const untilCovered = (nc: NatsConnection) =>
  untilTrue(
    "the detached job fills the range",
    Effect.map(StoredRoots.standing(nc, file), (root) => root !== undefined && barsIn(root.covered) === 13_681),
    60_000
  )

/** The most bars that a run of requests gave by the time of the root: none is covered that did not come. */
const coversNoMoreThan = (root: CoverageRoot, given: number): void => {
  assert.isAtMost(barsIn(root.covered), given, `version ${root.version}`)
}

describe(`a fault of ${share * 100} % of the requests, and a deadline of a minute`, () => {
  const complete: ReadonlyArray<readonly [fault: FaultName, seed: number]> = [
    ["429", 1],
    ["500", 2],
    ["truncate", 3],
    ["truncate", 4]
  ]

  for (const [fault, seed] of complete) {
    it.live(`${fault} ends complete, with every bar (seed ${seed})`, () =>
      Effect.gen(function* () {
        const settings = { files: [file], exchange: { faults: { [fault]: share }, seed } }
        const { client, klines, servers } = yield* Cluster.start(settings)
        const result = yield* Cluster.readFile(client, file, record.range, patient)
        assert.isAtLeast(klines().filter((request) => request.fault === fault).length, struckMin)
        assertComplete(result)
        const given = klines().reduce((sum, { rows }) => sum + (rows ?? 0), 0)
        for (const root of yield* StoredRoots.audited(yield* Cluster.startConnection(servers), file)) {
          coversNoMoreThan(root, given)
        }
      })
    )
  }

  it.live("a hang ends complete, or partial at the deadline with the breach named", () =>
    Effect.gen(function* () {
      const settings = {
        files: [file],
        exchange: { faults: { hang: share }, seed: 5 },
        source: { requestTimeoutMs: 2000 }
      }
      const { client, klines } = yield* Cluster.start(settings)
      const startedMs = performance.now()
      const result = yield* Cluster.readFile(client, file, record.range, patient)
      assert.isAtMost(performance.now() - startedMs, deadlineMs)
      assert.isAtLeast(klines().filter(({ fault }) => fault === "hang").length, struckMin)
      const { missingRanges, slaReport } = result.meta
      if (missingRanges.length === 0) return assertComplete(result)
      assert.strictEqual(slaReport.violation?.phase, "backfill")
    })
  )
})

describe("pages that are always cut short", () => {
  it.live("cost requests, and nothing is covered that did not come", () =>
    Effect.gen(function* () {
      const full = BarFile.barFiles.fullDay
      const { frame, range } = BarFile.read(full)
      const { client, klines } = yield* Cluster.start({ files: [full], exchange: { faults: { truncate: 1 } } })
      const { df, meta } = yield* Cluster.readFile(client, full, range, patient)
      const covered = RangeSet.make(meta.coverageRanges)
      // every bar of this file is there: what is covered has a row for each bar
      assert.strictEqual(bars(covered, 60_000), df.length)
      assert.isAtMost(df.length, frame.eventTimeMs.length)
      assert.isAtLeast(df.length, 1)
      assert.isTrue(klines().every(({ fault, rows }) => fault === "truncate" || rows === 0))
      for (const { state } of meta.missingRanges) assert.strictEqual(state, "deferred")
      assert.deepStrictEqual(Cluster.numbersOf(df, "event_time"), frame.eventTimeMs.subarray(0, df.length))
    })
  )
})

// a busy machine, the way there and back
const marginMs = 400

describe("an exchange that takes longer than the deadline", () => {
  for (const deadlineMs of [300, 1500]) {
    it.live(`leaves what has come within ${deadlineMs} ms, and the breach named; the rest comes later`, () =>
      Effect.gen(function* () {
        const { client, servers } = yield* Cluster.start({ files: [file], exchange: { latencyMs: 250 } })
        // the first question of all makes the host load what speaks to exchanges, which keeps it from everything else
        const oneBar = [record.range[0], record.range[0] + 60_000] as const
        yield* Cluster.readFile(client, file, oneBar, patient)
        const impatient = { strategy: "auto_backfill", sla: { totalDeadlineMs: deadlineMs } } as const
        const startedMs = performance.now()
        const { df, meta } = yield* Cluster.readFile(client, file, record.range, impatient)
        assert.isAtMost(performance.now() - startedMs, deadlineMs + marginMs)
        assert.strictEqual(meta.slaReport.violation?.phase, "backfill")
        assert.isNotEmpty(meta.missingRanges)
        // what it says is covered is there, to the last bar
        assert.isAtLeast(df.length, 1)
        assert.strictEqual(df.length, barsIn(RangeSet.make(meta.coverageRanges)))

        const made = yield* Cluster.asking(() =>
          client.ensureAvailable(file.node, file.interval, ...record.range, { sla: { totalDeadlineMs: 300 } })
        )
        assert.isFalse(made.available)
        assert.strictEqual(made.slaReport.violation?.phase, "backfill")

        const nc = yield* Cluster.startConnection(servers)
        yield* untilCovered(nc)
        assertComplete(yield* Cluster.readFile(client, file, record.range, patient))
      })
    )
  }
})

describe("an exchange that never answers", () => {
  const impatientMs = 300

  it.live("can't hold an answer beyond its deadline, and what it did not hinder comes later", () =>
    Effect.gen(function* () {
      const healthy = yield* Cluster.startExchange([file])
      const hanging = yield* Cluster.startExchange([file], { faults: { hang: 1 } })
      const cluster = yield* Cluster.make(
        { files: [file], source: { requestTimeoutMs: 1000, attempts: 1 } },
        { exchanges: [hanging.url, healthy.url] }
      )
      const { servers } = yield* cluster.startHost("a")
      const client = yield* Cluster.startClient(servers)
      // the first question of all makes the host load what speaks to exchanges, which keeps it from everything else
      yield* Cluster.readFile(client, file, [record.range[0], record.range[0] + 60_000], patient)
      const startedMs = performance.now()
      const { df, meta } = yield* Cluster.readFile(client, file, record.range, {
        strategy: "auto_backfill",
        sla: { totalDeadlineMs: impatientMs }
      })
      assert.isAtMost(performance.now() - startedMs, impatientMs + marginMs)
      assert.isAtMost(meta.slaReport.elapsedMs, impatientMs)
      assert.strictEqual(df.length, 1)
      assert.strictEqual(meta.slaReport.violation?.phase, "backfill")
      assert.strictEqual(meta.sourceOutcomes["binance"]?.outcome, "timed_out")
      assert.isNotEmpty(meta.notes)
      // nobody asks any more: the job goes on by itself, to the other source when the first one has failed
      const nc = yield* Cluster.startConnection(servers)
      yield* untilCovered(nc)
      assertComplete(yield* Cluster.readFile(client, file, record.range, patient))
    })
  )

  it.live("gives every reader the typed error, where that is wanted", () =>
    Effect.gen(function* () {
      const { client } = yield* Cluster.start({
        files: [file],
        exchange: { faults: { hang: 1 } },
        source: { requestTimeoutMs: 500, attempts: 1 }
      })
      const failure = yield* Effect.flip(
        Cluster.readFile(client, file, record.range, {
          strategy: "auto_backfill",
          sla: { totalDeadlineMs: 10_000, onBackfillFailure: "error" }
        })
      )
      assert.strictEqual(failure.tag, "SourceUnavailable")
      assert.strictEqual(failure.code, 503)
      assert.match(failure.message, /binance gave no answer/)
      assert.strictEqual(failure.meta?.qualitySummary?.rows, 0)
    })
  )
})
