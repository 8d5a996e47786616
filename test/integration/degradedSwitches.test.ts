/**
 * What does each strategy give while operators have something turned off, and does it say so?
 *
 * Real hosts, and the rows of `docs/guides/degraded-modes.md` that are about switches, each by its name.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connectAdmin } from "../../client/admin.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { SwitchName } from "../../protocol/Switches.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const midnightMs = BarFile.read(file).range[0]
const minuteMs = 60_000
const minutes = (from: number, to: number): Range => [midnightMs + from * minuteMs, midnightMs + to * minuteMs]

const strategies = ["fail_fast", "partial_fill", "auto_backfill", "seamless"] as const
const others = ["partial_fill", "auto_backfill", "seamless"] as const
const patient: ReadOptions = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } }

/** Two hosts, ten minutes of which are stored, and an operator. */
const start = Effect.fnUntraced(function* (exchange: Cluster.ClusterSettings["exchange"] = {}) {
  const settings = { files: [file], exchange, series: { windowBars: 60 }, source: { barsPerRequest: 60 } }
  const cluster = yield* Cluster.start(settings, ["a", "b"])
  const admin = yield* Effect.acquireRelease(
    Effect.promise(() => connectAdmin({ servers: cluster.servers, who: "alice" })),
    (client) => Effect.promise(() => client.close())
  )
  const read = (range: Range, options: ReadOptions) => Cluster.readFile(cluster.client, file, range, options)
  yield* read(minutes(0, 10), patient)
  const hosts = Effect.map(
    Cluster.asking(() => admin.ask("hosts", {})),
    (told) => told.hosts
  )
  /** Turns a switch, and waits until both hosts know. */
  const turn = Effect.fnUntraced(function* (name: SwitchName, on: boolean) {
    const told = yield* Cluster.asking(() => admin.ask("turnSwitch", { name, on, reason: "drill" }))
    const isSo = (all: Effect.Success<typeof hosts>): boolean =>
      all.every(({ switches = {} }) => name in switches === (on !== told.switch.onByDefault))
    yield* untilTrue(`${name} is known`, Effect.map(hosts, isSo))
    return told
  })
  const jobs = Effect.map(
    Cluster.asking(() => admin.ask("jobs", {})),
    (told) => told.jobs
  )
  const covered = Effect.map(
    Cluster.asking(() => cluster.client.coverage(node, interval)),
    ({ coverageRanges }) => coverageRanges.reduce((sum, [from, to]) => sum + (to - from) / minuteMs, 0)
  )
  return { ...cluster, admin, read, turn, jobs, covered }
})

type Started = Effect.Success<ReturnType<typeof start>>

/** Whether the account of an answer says by which switch its gap was left alone. */
const assertLeft = (
  meta: {
    readonly missingRanges: ReadonlyArray<{ readonly reason: string; readonly evidence?: string }>
    readonly notes: ReadonlyArray<string>
    readonly sourceOutcomes: Readonly<Record<string, { readonly outcome: string }>>
  },
  name: SwitchName,
  word: "on" | "off"
) => {
  assert.isAbove(meta.missingRanges.length, 0)
  for (const { evidence, reason } of meta.missingRanges) {
    assert.match(reason, new RegExp(`^not asked for: ${name} is ${word} since .*, by alice: drill$`))
    assert.strictEqual(evidence, name)
  }
  assert.include(meta.notes.join("\n"), `missing bars were not asked for: ${name} is ${word}`)
  assert.strictEqual(meta.sourceOutcomes["binance"]?.outcome, "not_asked")
}

/** Reads of minutes that nobody has asked for: answered at once by what is there, and nobody is asked. */
const assertLeavesGaps = Effect.fnUntraced(function* ({ klines, read }: Started, name: SwitchName, word: "on" | "off") {
  const asked = klines().length
  for (const strategy of others) {
    const { df, meta } = yield* read(minutes(0, 100), { strategy })
    assert.strictEqual(df.length, 10, strategy)
    assert.strictEqual(meta.strategy, strategy)
    assertLeft(meta, name, word)
    assert.strictEqual(meta.slaReport.violation, null, "it is not waited for")
    const failure = yield* Effect.flip(
      read(minutes(0, 100), { strategy, sla: { onBackfillFailure: "error", totalDeadlineMs: 10_000 } })
    )
    assert.deepStrictEqual([failure.tag, failure.code], ["BackfillOff", 503], strategy)
    const whole = yield* read(minutes(0, 10), { strategy })
    assert.deepStrictEqual([whole.df.length, whole.meta.missingRanges.length], [10, 0], "what is stored is whole")
  }
  assert.strictEqual(klines().length, asked)
})

describe("a switch is turned", () => {
  it.live("DISABLE_BACKFILL is on", () =>
    Effect.gen(function* () {
      const started = yield* start({ latencyMs: 400 })
      const { client, covered, jobs, klines, read, turn } = started
      // windows of an hour, most of them still waiting when the switch is turned
      yield* Effect.forkScoped(read(minutes(600, 1440), patient))
      yield* untilTrue(
        "jobs are open",
        Effect.map(jobs, (all) => all.some(({ state }) => state === "RUNNING"))
      )
      yield* turn("DISABLE_BACKFILL", true)
      const after = klines().length
      yield* assertLeavesGaps(started, "DISABLE_BACKFILL", "on")
      const failure = yield* Effect.flip(read(minutes(0, 100), { strategy: "fail_fast" }))
      assert.strictEqual(failure.tag, "CoverageMissing")
      // what is under way may finish its page, and nothing begins behind it
      yield* untilTrue(
        "nothing runs",
        Effect.map(jobs, (all) => all.every(({ state }) => state !== "RUNNING"))
      )
      assert.strictEqual(klines().length, after)
      assert.isTrue(
        (yield* jobs).some(({ failure }) => failure?.tag === "BackfillOff"),
        "a run was broken off between two pages"
      )
      const ensured = yield* Cluster.asking(() => client.ensureAvailable(node, interval, ...minutes(0, 100)))
      assert.isFalse(ensured.available)
      assert.deepStrictEqual(ensured.jobs, [])
      assert.include(ensured.notes.join(), "DISABLE_BACKFILL is on")
      const before = yield* covered

      yield* turn("DISABLE_BACKFILL", false)
      yield* read(minutes(0, 100), patient)
      // what was left in the queue, or broken off, comes by itself
      yield* untilTrue(
        "the rest has come",
        Effect.map(covered, (bars) => bars === 100 + 840),
        30_000
      )
      assert.isBelow(before, 940)
      assert.isTrue(
        (yield* jobs).every(({ attempts }) => attempts === 0),
        "nobody failed"
      )
    })
  )

  it.live("FORCE_FAIL_FAST is on", () =>
    Effect.gen(function* () {
      const { klines, read, turn } = yield* start()
      yield* turn("FORCE_FAIL_FAST", true)
      const asked = klines().length
      for (const strategy of strategies) {
        const failure = yield* Effect.flip(read(minutes(0, 100), { strategy }))
        assert.deepStrictEqual([failure.tag, failure.code], ["CoverageMissing", 404], strategy)
        // whatever it asks: its own long waits do not hold, its shorter ones do
        const { df, meta } = yield* read(minutes(0, 10), {
          strategy,
          sla: { totalDeadlineMs: 60_000, minCoverage: 0.5 }
        })
        assert.strictEqual(df.length, 10)
        assert.strictEqual(meta.strategy, "fail_fast")
        // the client keeps a tenth of it for the way back, and no more than 100 ms
        const [atMost, atLeast] = strategy === "fail_fast" ? [60_000, 59_000] : [1000, 900]
        assert.isAtMost(meta.slaReport.totalDeadlineMs ?? Infinity, atMost)
        assert.isAtLeast(meta.slaReport.totalDeadlineMs ?? 0, atLeast)
        const hasty = yield* read(minutes(0, 10), { strategy, sla: { totalDeadlineMs: 700 } })
        assert.isAtMost(hasty.meta.slaReport.totalDeadlineMs ?? Infinity, 700)
        const told = meta.notes.filter((note) => note.includes("FORCE_FAIL_FAST is on since"))
        assert.lengthOf(told, strategy === "fail_fast" ? 0 : 1)
      }
      assert.strictEqual(klines().length, asked)
      yield* turn("FORCE_FAIL_FAST", false)
      assert.strictEqual((yield* read(minutes(0, 100), patient)).df.length, 100)
    })
  )

  it.live("enable_coordinator is off", () =>
    Effect.gen(function* () {
      const started = yield* start({ latencyMs: 300 })
      const { covered, jobs, read, turn } = started
      yield* read(minutes(600, 900), { strategy: "partial_fill" })
      yield* turn("enable_coordinator", false)
      const failure = yield* Effect.flip(read(minutes(0, 100), { strategy: "fail_fast" }))
      assert.strictEqual(failure.tag, "CoverageMissing")
      // jobs that are there go on
      yield* untilTrue(
        "what was queued has come",
        Effect.map(covered, (bars) => bars === 310)
      )
      yield* assertLeavesGaps(started, "enable_coordinator", "off")
      assert.isTrue((yield* jobs).every(({ state }) => state === "SUCCEEDED"))
      yield* turn("enable_coordinator", true)
      assert.strictEqual((yield* read(minutes(0, 100), patient)).df.length, 100)
    })
  )

  it.live("enable_detached_backfill is off", () =>
    Effect.gen(function* () {
      const { klines, read, turn } = yield* start()
      yield* turn("enable_detached_backfill", false)
      const asked = klines().length
      for (const options of [
        { strategy: "partial_fill" },
        { strategy: "seamless", sla: { maxSyncGapBars: 10 } }
      ] as const) {
        const { df, meta } = yield* read(minutes(0, 100), options)
        assert.strictEqual(df.length, 10)
        assertLeft(meta, "enable_detached_backfill", "off")
      }
      const failure = yield* Effect.flip(read(minutes(0, 100), { strategy: "fail_fast" }))
      assert.strictEqual(failure.tag, "CoverageMissing")
      assert.strictEqual(klines().length, asked)
      // what somebody waits for is filled as ever
      assert.strictEqual((yield* read(minutes(0, 100), patient)).df.length, 100)
      assert.strictEqual((yield* read(minutes(0, 200), { strategy: "seamless" })).df.length, 200)
    })
  )
})
