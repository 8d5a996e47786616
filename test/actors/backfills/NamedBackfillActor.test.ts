/** Does a backfill fill its range, stand still when it is told to, and go on wherever it is? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { DataSource, PageRequest } from "../../../actors/sources/DataSource.ts"
import { RequestFailed } from "../../../actors/sources/DataSource.ts"
import type { BackfillPlan } from "../../../protocol/history/BackfillPlan.ts"
import type { BackfillReport, BackfillSummary } from "../../../protocol/history/NamedBackfill.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { writeJob } from "../../../protocol/messages/Backfill.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { elapse } from "../../support/elapse.ts"
import { jobOf } from "../../support/jobs.ts"
import * as MemoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minute = 60_000
const windowBars = 10
const windowMs = windowBars * minute
const node = "n:a"
const pageBars = 20

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node, intervals: ["1m"], sources: ["binance"], symbol: "A/B", windowBars }]
}

/** A source that has every bar, and writes down what it is asked. */
const makeSource = () => {
  const asked: Array<PageRequest> = []
  const state = { latencyMs: 0, failsFrom: Infinity, emptyUntil: -Infinity }
  const source: DataSource = {
    name: "binance",
    kind: "BACKFILL",
    capabilities: {
      barsPerRequest: pageBars,
      maxEmptyBars: 5,
      finalityDelayMs: 0,
      attemptsMax: 1,
      requestsPerMinute: 60
    },
    page: (request) =>
      Effect.gen(function* () {
        asked.push(request)
        yield* Effect.sleep(state.latencyMs)
        if (request.end > state.failsFrom) {
          return yield* new RequestFailed({ reason: "it is down", retryable: false, retryAfterMs: null })
        }
        const first = Math.max(request.start, state.emptyUntil)
        const count = Math.max(0, Math.min(pageBars, (request.end - first) / minute))
        const eventTime = Array.from({ length: count }, (_, index) => first + index * minute)
        const columns = ["open", "high", "low", "close", "volume"].map((name) => ({
          name,
          values: eventTime.map(() => 1)
        }))
        return { eventTime, columns }
      })
  }
  return { source, asked, state }
}

const range = (windows: number) => ({ nodeId: node, interval: "1m", start: 0, end: windows * windowMs })

const show = (name: string) => MemoryHost.askAdmin<BackfillReport>("backfill", { name })
const create = (name: string, windows: number, more: object = {}) =>
  // workers of this build take one class only
  MemoryHost.askAdmin<BackfillReport>("createBackfill", { name, ...range(windows), jobClass: "interactive", ...more })

const untilStatus = (name: string, status: string) =>
  untilTrue(`${name} is ${status}`, Effect.orDie(Effect.map(show(name), (report) => report.status === status)), 20_000)

/** Every bar that was asked for, and whether any was asked for twice. */
const askedOnce = (asked: ReadonlyArray<PageRequest>) => {
  // whatever was asked for, one page has come
  const pages = asked.map(({ end, start }): Range => [start, Math.min(end, start + pageBars * minute)])
  const bars = pages.reduce((sum, [start, end]) => sum + (end - start) / minute, 0)
  const set = RangeSet.make(pages)
  return { set, isOnce: bars === set.edges.reduce((sum, edge, at) => sum + (at % 2 === 0 ? -edge : edge), 0) / minute }
}

/** A test on a mesh of its own, on a clock that goes as fast as there is nothing to do. */
const inMemory = (title: string, body: () => Effect.Effect<void, unknown, Mesh | Scope.Scope>) =>
  it.effect(title, () =>
    Effect.andThen(TestClock.setTime(Date.UTC(2024, 0, 1)), elapse(Effect.scoped(body()))).pipe(
      Effect.provide(MemoryMesh.layer)
    )
  )

describe("namedBackfillActor", () => {
  inMemory("fills its range, asks for each bar once, keeps to its plan, and is done", () =>
    Effect.gen(function* () {
      const { asked, source } = makeSource()
      yield* MemoryHost.start({ configuration, sources: [source] })
      const windows = 100
      const plan = yield* MemoryHost.askAdmin<BackfillPlan>("plan", range(windows))
      // 6 errands of 16 windows, 8 pages each, and one of 4 windows
      const sources = [{ source: "binance", barsPerRequest: 20, requests: 50, requestsPerMinute: 60, seconds: 50 }]
      assert.deepInclude(plan, { bars: 1000, windows: 100, requests: 50, seconds: 50, coveredBars: 0, sources })

      const begun = yield* create("a", windows)
      assert.deepInclude(begun, { name: "a", status: "running", by: "alice", order: "oldest_first" })
      assert.deepInclude(begun.figures, { bars: 1000, leftBars: 1000, windows, leftWindows: windows })
      yield* untilStatus("a", "done")
      const { set, isOnce } = askedOnce(asked)
      assert.deepStrictEqual(set, RangeSet.of(0, windows * windowMs))
      assert.isTrue(isOnce)
      assert.isAtLeast(asked.length, plan.requests)
      assert.isAtMost(asked.length, plan.requests * 1.2)

      const done = yield* show("a")
      assert.deepInclude(done, { changedBy: "seamless", secondsLeft: null, outstandingWindows: 0, reason: "" })
      assert.deepInclude(done.figures, { leftBars: 0, leftWindows: 0 })
      assert.deepInclude(yield* MemoryHost.askAdmin<BackfillPlan>("plan", range(windows)), {
        requests: 0,
        coveredBars: 1000
      })
      // a second one of the same range finds nothing to do
      yield* create("b", windows)
      yield* untilStatus("b", "done")
      assert.isTrue(askedOnce(asked).isOnce)
    })
  )

  inMemory("newest first begins at the end of the range", () =>
    Effect.gen(function* () {
      const { asked, source } = makeSource()
      yield* MemoryHost.start({ configuration, sources: [source] })
      yield* create("a", 100, { order: "newest_first" })
      yield* untilStatus("a", "done")
      const oldest = asked.findIndex(({ start }) => start < 32 * windowMs)
      const newest = asked.findIndex(({ start }) => start >= 84 * windowMs)
      assert.isBelow(newest, oldest)
      assert.isTrue(askedOnce(asked).isOnce)
    })
  )

  inMemory("paused it asks for no more than is under way; another host goes on where it stands", () =>
    Effect.gen(function* () {
      const { asked, source, state } = makeSource()
      state.latencyMs = 20
      const windows = 400
      yield* Effect.gen(function* () {
        yield* MemoryHost.start({ configuration, sources: [source] }, "first")
        yield* create("a", windows)
        yield* untilTrue(
          "some of it is there",
          Effect.orDie(Effect.map(show("a"), ({ figures }) => figures.leftBars < figures.bars))
        )
        const running = yield* show("a")
        assert.isAtMost(running.outstandingWindows, 64)
        const paused = yield* MemoryHost.askAdmin<BackfillReport>("pauseBackfill", { name: "a" })
        assert.deepInclude(paused, { status: "paused", changedBy: "alice", barsPerSecond: null })
        yield* untilTrue(
          "nothing is under way",
          Effect.orDie(Effect.map(show("a"), ({ outstandingWindows }) => outstandingWindows === 0))
        )
      }).pipe(Effect.scoped)
      const pages = asked.length

      yield* MemoryHost.start({ configuration, sources: [source] }, "second")
      const before = yield* show("a")
      assert.deepInclude(before, { status: "paused", outstandingWindows: 0 })
      assert.isAbove(before.figures.leftWindows, 200)
      assert.lengthOf(asked, pages)
      yield* MemoryHost.askAdmin("resumeBackfill", { name: "a" })
      state.latencyMs = 0
      yield* untilStatus("a", "done")
      assert.isTrue(askedOnce(asked).isOnce)
    })
  )

  inMemory("a window that fails is told of, and does not keep the others waiting", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      state.failsFrom = 20 * windowMs
      yield* MemoryHost.start({ configuration, sources: [source] })
      yield* create("a", 40)
      yield* untilTrue(
        "failures are told of",
        Effect.orDie(Effect.map(show("a"), ({ failingWindows }) => failingWindows > 0)),
        15_000
      )
      const report = yield* show("a")
      assert.deepInclude(report.failing[0], { tag: "SourceUnavailable", message: "it is down", source: "binance" })
      assert.isAtLeast(report.failing[0]!.attempts, 1)
      assert.isAtLeast(report.failing[0]!.windowStart, 0)
      state.failsFrom = Infinity
      yield* untilStatus("a", "done")
      assert.deepInclude(yield* show("a"), { failingWindows: 0, failing: [] })
    })
  )

  inMemory("waits for what may not be asked for yet, and asks for it in time", () =>
    Effect.gen(function* () {
      const { asked, source, state } = makeSource()
      state.emptyUntil = 30 * windowMs
      yield* MemoryHost.start({ configuration, sources: [source] })
      yield* create("a", 40)
      yield* untilTrue("it waits", Effect.orDie(Effect.map(show("a"), ({ waitsUntil }) => waitsUntil !== null)))
      const report = yield* show("a")
      assert.deepInclude(report, { status: "running", outstandingWindows: 0, secondsLeft: null })
      // an absence is proven right before the first bar at the most
      assert.isAbove(report.figures.deferredBars, 250)
      assert.strictEqual(report.figures.leftBars, report.figures.deferredBars)
      const before = asked.length
      yield* Effect.sleep("5 minutes")
      assert.lengthOf(asked, before)
      state.emptyUntil = -Infinity
      const nowMs = yield* Clock.currentTimeMillis
      yield* Effect.sleep(report.waitsUntil! - nowMs)
      yield* untilStatus("a", "done")
    })
  )

  /** A window that an operator has to see to. */
  const quarantine = Effect.fnUntraced(function* (windowStart: number) {
    const mesh = yield* Mesh
    const series = { nodeId: node, interval: "1m" }
    const ranges = RangeSet.of(windowStart, windowStart + windowMs)
    const job = jobOf({ series, windowStart, ranges, state: "QUARANTINED", attempts: 9 })
    yield* mesh.write(keySubject(Stream.jobs, Subject.window(Subject.series(node, "1m"), windowStart)), writeJob(job))
  })

  inMemory("does not wait for windows in quarantine, and names them", () =>
    Effect.gen(function* () {
      const { asked, source } = makeSource()
      yield* quarantine(7 * windowMs)
      yield* MemoryHost.start({ configuration, sources: [source] })
      yield* create("a", 10)
      yield* untilStatus("a", "done")
      const report = yield* show("a")
      assert.deepInclude(report.figures, { leftBars: 0, quarantinedBars: windowBars })
      assert.deepStrictEqual(report.quarantinedRanges, [[7 * windowMs, 8 * windowMs]])
      assert.deepStrictEqual(
        RangeSet.missing(askedOnce(asked).set, 0, 10 * windowMs),
        RangeSet.of(7 * windowMs, 8 * windowMs)
      )
    })
  )

  inMemory("pauses where too much is in quarantine, and says why", () =>
    Effect.gen(function* () {
      const { source } = makeSource()
      const windows = 1100
      yield* Effect.forEach(Array.from({ length: windows }), (_, index) => quarantine(index * windowMs))
      yield* MemoryHost.start({ configuration, sources: [source] })
      yield* create("a", windows + 100)
      yield* untilStatus("a", "paused")
      const report = yield* show("a")
      assert.match(report.reason, /^over 1000 windows are quarantined: see why, retry or skip, then resume/)
      assert.strictEqual(report.changedBy, "seamless")
      assert.isAbove(report.figures.leftWindows, 0)
    })
  )
})

const failureOf = (verb: string, body: object) => Effect.flip(MemoryHost.askAdmin(verb, body))

describe("backfill verbs", () => {
  inMemory("refuse what is wrong, and say what is there or would be right", () =>
    Effect.gen(function* () {
      const { asked, source, state } = makeSource()
      state.latencyMs = 200
      yield* MemoryHost.start({ configuration, sources: [source] })
      const made = yield* create("a", 100)
      assert.deepInclude(yield* create("a", 100), { createdAt: made.createdAt })
      assert.deepInclude(yield* Effect.flip(create("a", 99)), {
        tag: "BackfillExists",
        existing: { ...range(100), order: "oldest_first", jobClass: "interactive" }
      })
      assert.deepInclude(yield* Effect.flip(create("a b", 1)), { tag: "InvalidAdminRequest" })
      assert.deepInclude(yield* failureOf("createBackfill", { name: "b", ...range(1), nodeId: "x" }), {
        tag: "UnknownSeries"
      })
      assert.deepInclude(yield* Effect.flip(create("b", 0)), { tag: "InvalidRequest", field: "start" })
      const unaligned = { name: "b", ...range(1), end: windowMs + 1 }
      assert.deepInclude(yield* failureOf("createBackfill", unaligned), {
        tag: "UnalignedRange",
        alignedEnd: windowMs + minute
      })
      const future = yield* failureOf("createBackfill", { name: "b", ...range(1), end: 4e12 - (4e12 % minute) })
      assert.deepInclude(future, { tag: "RangeNotFinal" })
      for (const verb of ["backfill", "pauseBackfill", "resumeBackfill", "cancelBackfill"]) {
        assert.deepInclude(yield* failureOf(verb, { name: "b" }), { tag: "UnknownBackfill", backfill: "b" })
      }
      assert.deepInclude(yield* failureOf("plan", { ...range(1), interval: "1x" }), {
        tag: "InvalidRequest",
        field: "interval"
      })

      const cancelled = yield* MemoryHost.askAdmin<BackfillReport>("cancelBackfill", { name: "a" })
      assert.strictEqual(cancelled.status, "cancelled")
      assert.isAbove(cancelled.figures.leftBars, 0)
      assert.deepInclude(yield* failureOf("resumeBackfill", { name: "a" }), {
        tag: "BackfillEnded",
        status: "cancelled"
      })
      const listed = yield* MemoryHost.askAdmin<{ backfills: ReadonlyArray<BackfillSummary>; total: number }>(
        "backfills",
        {}
      )
      // what was refused left no trace
      assert.deepStrictEqual(
        [listed.backfills.map(({ name, status }) => [name, status]), listed.total],
        [[["a", "cancelled"]], 1]
      )
      assert.isAtMost(askedOnce(asked).set.edges.at(-1) ?? 0, 64 * windowMs)
    })
  )
})
