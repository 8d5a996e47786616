/** Does what operators say about jobs and time come true, and is it refused where it can't? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import type { AdminAnswer } from "../../../client/admin.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import type { AvailabilityResult } from "../../../protocol/history/HistoryResult.ts"
import { writeJob } from "../../../protocol/messages/Backfill.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { jobOf } from "../../support/jobs.ts"
import * as MemoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minute = 60_000
const windowBars = 10
const windowMs = windowBars * minute
const series = { nodeId: "n:a", interval: "1m" }
const seriesKey = Subject.series(series.nodeId, series.interval)

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node: series.nodeId, intervals: ["1m"], sources: ["binance"], symbol: "A/B", windowBars }],
  retry: { attempts: 2, baseMs: 20 }
}

/** A source that has every bar, while it is well. */
const makeSource = () => {
  const state = { isWell: true, requests: 0 }
  const source: DataSource = {
    name: "binance",
    kind: "BACKFILL",
    capabilities: { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
    page: ({ end, start }) =>
      Effect.suspend(() => {
        state.requests += 1
        if (!state.isWell)
          return Effect.fail(new RequestFailed({ reason: "ill", retryable: false, retryAfterMs: null }))
        const eventTime = Array.from({ length: (end - start) / minute }, (_, index) => start + index * minute)
        const columns = ["open", "high", "low", "close", "volume"].map((name) => ({
          name,
          values: eventTime.map(() => 1)
        }))
        return Effect.succeed({ eventTime, columns })
      })
  }
  return { source, state }
}

type Jobs = AdminAnswer<"jobs">
type Changed = AdminAnswer<"retry">

const list = (asked: object = {}) => MemoryHost.askAdmin<Jobs>("jobs", asked)
const operate = (verb: string, asked: object) => MemoryHost.askAdmin<Changed>(verb, { ...series, ...asked })
const refused = (verb: string, asked: object) =>
  Effect.map(Effect.flip(MemoryHost.askAdmin<object>(verb, asked)), (error) => error as Record<string, unknown>)

const untilState = (state: string, count: number) =>
  untilTrue(`${count} are ${state}`, Effect.orDie(Effect.map(list({ state }), ({ total }) => total === count)))

const ensure = Effect.fnUntraced(function* (start: number, end: number) {
  const mesh = yield* Mesh
  const body = Codec.toJson({ ...series, start, end, sla: { totalDeadlineMs: 5000 } })
  const { data } = yield* mesh.request(Subject.service.ensure, body, { timeoutMs: 6000 })
  const answer: AvailabilityResult = JSON.parse(new TextDecoder().decode(data))
  return answer
})

const coverage = Effect.gen(function* () {
  const mesh = yield* Mesh
  const { data } = yield* mesh.request(Subject.service.coverage, Codec.toJson(series), { timeoutMs: 5000 })
  return JSON.parse(new TextDecoder().decode(data))
})

/** Causes in the history of the series, from a version on. */
const causesSince = Effect.fnUntraced(function* (version: number) {
  const mesh = yield* Mesh
  const { entries } = yield* mesh.history(Stream.audit.name, Subject.audit(seriesKey))
  return entries
    .map(({ value }) => JSON.parse(new TextDecoder().decode(value._tag === "Some" ? value.value : undefined)))
    .filter((root) => root.version >= version)
    .map(({ diff }) => diff.cause)
})

const inMemory = (
  title: string,
  body: (made: ReturnType<typeof makeSource>) => Effect.Effect<void, unknown, Mesh | Scope.Scope>
) =>
  it.live(title, () => {
    const made = makeSource()
    return Effect.andThen(MemoryHost.start({ configuration, sources: [made.source] }), body(made)).pipe(
      Effect.scoped,
      Effect.provide(MemoryMesh.layer)
    )
  })

/** Three windows that have failed until they were set aside. */
const quarantineThree = Effect.fnUntraced(function* (state: { isWell: boolean }) {
  state.isWell = false
  yield* ensure(0, 3 * windowMs)
  yield* untilState("QUARANTINED", 3)
  state.isWell = true
})

const putJob = Effect.fnUntraced(function* (windowStart: number, changes: Partial<BackfillJob>) {
  const mesh = yield* Mesh
  const subject = keySubject(Stream.jobs, Subject.window(seriesKey, windowStart))
  yield* mesh.write(subject, writeJob(jobOf({ series, windowStart, ...changes })))
})

describe("operators' verbs on jobs", () => {
  inMemory("retry has what is quarantined fetched, and says who wanted it and why", ({ state }) =>
    Effect.gen(function* () {
      yield* quarantineThree(state)
      const before = state.requests
      const { jobs, version } = yield* operate("retry", { start: windowMs, end: windowMs + 1, reason: "it is well" })
      assert.deepStrictEqual(
        jobs.map(({ attempts, state, windowStart }) => [windowStart, state, attempts]),
        [[windowMs, "FAILED", 0]]
      )
      yield* untilState("SUCCEEDED", 1)
      assert.isAbove(state.requests, before)
      const { coverageRanges } = yield* coverage
      assert.deepStrictEqual(coverageRanges, [[windowMs, 2 * windowMs]])
      assert.strictEqual((yield* causesSince(version))[0], "retried by alice: it is well")
      // an end that is not named is that of the window
      yield* operate("retry", { start: 2 * windowMs + 7 * minute })
      yield* untilState("SUCCEEDED", 2)
      assert.deepStrictEqual((yield* list({ state: "QUARANTINED" })).jobs[0]?.windowStart, 0)
    })
  )

  inMemory("skip makes time unavailable, and nobody asks for it again", ({ state }) =>
    Effect.gen(function* () {
      yield* quarantineThree(state)
      const { version } = yield* operate("skip", { start: 0, end: 3 * windowMs, reason: "never existed" })
      const { missingRanges } = yield* coverage
      const states = missingRanges.map(({ state }: { readonly state: string }) => state)
      assert.deepStrictEqual([...new Set(states)], ["unavailable"])
      assert.deepStrictEqual(yield* causesSince(version), ["skipped by alice: never existed"])
      const before = state.requests
      const { jobs, missingRanges: missing } = yield* ensure(0, 3 * windowMs)
      assert.deepStrictEqual([jobs, state.requests], [[], before])
      assert.isTrue(missing.every((range) => range.state === "unavailable"))
    })
  )

  inMemory("cancel and quarantine end what waits; what was called off is not called off again", ({ state }) =>
    Effect.gen(function* () {
      // records that nobody has put into the queue stay as they are
      const later = Date.now() + 3_600_000
      yield* putJob(0, { state: "FAILED", nextAttemptAt: later })
      yield* putJob(windowMs, { state: "FAILED", nextAttemptAt: later })
      yield* putJob(2 * windowMs, { state: "SUCCEEDED" })
      const { jobs } = yield* operate("cancel", { start: 0, end: windowMs })
      assert.deepStrictEqual(
        [jobs[0]?.state, jobs[0]?.nextAttemptAt, jobs[0]?.failure],
        ["FAILED", null, { tag: "Cancelled", message: "called off by alice", source: "operator" }]
      )
      assert.deepInclude(yield* refused("cancel", { ...series, start: 0 }), { tag: "NoSuitedJob", verb: "cancel" })
      const aside = yield* operate("quarantine", { start: 0, end: 3 * windowMs, reason: "look at it" })
      assert.deepStrictEqual(
        aside.jobs.map(({ state, windowStart }) => [windowStart, state]),
        [
          [0, "QUARANTINED"],
          [windowMs, "QUARANTINED"]
        ]
      )
      const { missingRanges } = yield* coverage
      assert.include(missingRanges[0], { state: "quarantined", reason: "set aside by alice: look at it" })
      assert.deepStrictEqual(yield* causesSince(1), ["called off by alice", "set aside by alice: look at it"])
      assert.strictEqual(state.requests, 0)
    })
  )

  inMemory("say which states there are where none suits, and how many windows are too many", () =>
    Effect.gen(function* () {
      yield* ensure(0, 2 * windowMs)
      const none = yield* refused("skip", { ...series, start: 0, end: 3 * windowMs })
      assert.deepInclude(none, { tag: "NoSuitedJob", windows: 3 })
      assert.match(
        String(none["message"]),
        /QUARANTINED, and none suits of the 3 windows.*2 SUCCEEDED, 1 without a job/
      )
      const many = yield* refused("retry", { ...series, start: 0, end: 1001 * windowMs })
      assert.deepInclude(many, { tag: "TooManyWindows", windows: 1001, windowsMax: 1000 })
      assert.include(yield* refused("retry", { ...series, start: 5, end: 5 }), { tag: "InvalidRequest" })
      assert.include(yield* refused("retry", { ...series, nodeId: "b", start: 5 }), { tag: "UnknownSeries" })
      assert.include(yield* refused("retry", series), { tag: "InvalidAdminRequest" })
      assert.include(yield* refused("retry", { ...series, start: 0, reason: "x".repeat(501) }), {
        tag: "InvalidAdminRequest"
      })
    })
  )

  inMemory("job is the whole record of the window that a time is in", () =>
    Effect.gen(function* () {
      yield* ensure(0, windowMs)
      const { job } = yield* MemoryHost.askAdmin<AdminAnswer<"job">>("job", { ...series, windowStart: 3 * minute })
      assert.deepInclude(job, {
        windowStart: 0,
        state: "SUCCEEDED",
        run: 1,
        ranges: [[0, windowMs]],
        sources: ["binance"]
      })
      const unknown = yield* refused("job", { nodeId: series.nodeId, interval: "60s", windowStart: -1 })
      assert.deepInclude(unknown, { tag: "UnknownJob", interval: "1m", windowStart: -windowMs })
    })
  )
})

describe("operators' verbs on time", () => {
  inMemory("invalidate makes covered time missing, and only that is asked for again", ({ state }) =>
    Effect.gen(function* () {
      yield* ensure(0, 3 * windowMs)
      const [start, end] = [5 * minute, 12 * minute]
      const { removed, removedBars, version } = yield* MemoryHost.askAdmin<AdminAnswer<"invalidate">>("invalidate", {
        ...series,
        start,
        end,
        reason: "corrected"
      })
      assert.deepStrictEqual([removed, removedBars], [[[start, end]], 7])
      assert.deepStrictEqual((yield* coverage).coverageRanges, [
        [0, start],
        [end, 3 * windowMs]
      ])
      assert.deepStrictEqual(yield* causesSince(version), ["invalidated by alice: corrected"])
      const before = state.requests
      const filled = yield* ensure(0, 3 * windowMs)
      assert.deepStrictEqual([filled.available, state.requests > before], [true, true])
      const { jobs } = yield* list({ limit: 2 })
      assert.deepStrictEqual(
        jobs.map(({ wantedBars, windowStart }) => [windowStart, wantedBars]).toSorted(([a = 0], [b = 0]) => a - b),
        [
          [0, 5],
          [windowMs, 2]
        ]
      )
    })
  )

  inMemory("invalidate leaves what waits for a person as it is", ({ state }) =>
    Effect.gen(function* () {
      yield* ensure(0, windowMs)
      state.isWell = false
      yield* ensure(0, 3 * windowMs)
      yield* untilState("QUARANTINED", 2)
      yield* untilTrue(
        "it is noted",
        Effect.orDie(Effect.map(coverage, ({ missingRanges }) => missingRanges.length > 0))
      )
      yield* MemoryHost.askAdmin("invalidate", { ...series, start: 0, end: 3 * windowMs, reason: "all of it" })
      const { coverageRanges, missingRanges } = yield* coverage
      assert.deepStrictEqual(coverageRanges, [])
      assert.deepStrictEqual(
        missingRanges.map(({ end, start, state }: { start: number; end: number; state: string }) => [
          start,
          end,
          state
        ]),
        [[windowMs, 3 * windowMs, "quarantined"]]
      )
    })
  )

  inMemory("reprocess has it fetched again at once, as a repair", ({ state }) =>
    Effect.gen(function* () {
      yield* ensure(0, 2 * windowMs)
      const before = state.requests
      const reason = { reason: "corrected" }
      const told = yield* MemoryHost.askAdmin<AdminAnswer<"reprocess">>("reprocess", {
        ...series,
        start: 0,
        end: windowMs,
        ...reason
      })
      assert.deepStrictEqual(
        told.jobs.map(({ cause, jobClass, windowStart }) => [windowStart, jobClass, cause]),
        [[0, "repair", "reprocessed by alice: corrected"]]
      )
      yield* untilTrue(
        "it is covered again",
        Effect.orDie(Effect.map(coverage, ({ coverageRanges }) => coverageRanges[0]?.[0] === 0))
      )
      assert.isAbove(state.requests, before)
      const causes = yield* causesSince(1)
      assert.deepStrictEqual(causes.slice(-2), ["invalidated by alice: corrected", "reprocessed by alice: corrected"])
    })
  )

  inMemory("refuse a range that is not aligned with the one that would be right, and one without a reason", () =>
    Effect.gen(function* () {
      for (const verb of ["invalidate", "reprocess"]) {
        const unaligned = yield* refused(verb, { ...series, start: 1, end: windowMs, reason: "a" })
        assert.deepInclude(unaligned, { tag: "UnalignedRange", alignedStart: 0, alignedEnd: windowMs })
        assert.include(yield* refused(verb, { ...series, start: 0, end: windowMs }), { tag: "InvalidAdminRequest" })
        assert.include(yield* refused(verb, { ...series, start: 0, end: windowMs, reason: "" }), {
          tag: "InvalidAdminRequest"
        })
      }
      const tooMany = yield* refused("reprocess", { ...series, start: 0, end: 1001 * windowMs, reason: "a" })
      assert.include(tooMany, { tag: "TooManyWindows", windowsMax: 1000 })
    })
  )
})
