/** Is a bucket of jobs gone through in bounds, and is it said when that was not all? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type AskedJobs, listJobs } from "../../../actors/admin/listJobs.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { writeJob } from "../../../protocol/messages/Backfill.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { historyEntriesMax } from "../../../runtime/HistoryPage.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { jobOf, rangesOf } from "../../support/jobs.ts"

const series = [{ node: "a.b *", intervals: ["1m", "5m"], sources: ["binance"], symbol: "BTC/BUSD" }] as const
const configuration = { sources: { binance: { kind: "exchange", exchange: "binance" } }, series } as const

const system = Layer.mergeAll(SeriesCatalog.layer(configuration), MemoryMesh.layer)

const [minutes, fives] = ["1m", "5m"].map((interval) => ({ nodeId: "a.b *", interval }))
const other = { nodeId: "b", interval: "1m" }

const put = Effect.fnUntraced(function* (changes: Partial<BackfillJob>) {
  const mesh = yield* Mesh
  const job = jobOf({ series: minutes!, ...changes })
  const key = Subject.window(Subject.series(job.series.nodeId, job.series.interval), job.windowStart)
  yield* mesh.write(keySubject(Stream.jobs, key), writeJob(job))
})

const windowsOf = (asked: AskedJobs, countMax?: number) =>
  Effect.map(listJobs(asked, countMax), ({ isWhole, jobs, total }) => [
    jobs.map(({ windowStart }) => windowStart),
    total,
    isWhole
  ])

describe("listJobs()", () => {
  it.effect("has the jobs of a node, an interval or a state, those that were changed last first", () =>
    Effect.gen(function* () {
      yield* put({ windowStart: 1 })
      yield* put({ windowStart: 2, series: fives!, state: "QUARANTINED" })
      yield* put({ windowStart: 3, series: other, state: "RUNNING", lease: { holder: "h", leaseMs: 1 } })
      yield* put({ windowStart: 1, state: "FAILED", nextAttemptAt: 9 })
      assert.deepStrictEqual(yield* windowsOf({}), [[1, 3, 2], 3, true])
      assert.deepStrictEqual(yield* windowsOf({ nodeId: "a.b *" }), [[1, 2], 2, true])
      assert.deepStrictEqual(yield* windowsOf({ interval: "60s" }), [[1, 3], 2, true])
      assert.deepStrictEqual(yield* windowsOf({ nodeId: "a.b *", interval: "300s" }), [[2], 1, true])
      assert.deepStrictEqual(yield* windowsOf({ state: "QUARANTINED" }), [[2], 1, true])
      assert.deepStrictEqual(yield* windowsOf({ state: "open" }), [[1, 3], 2, true])
      assert.deepStrictEqual(yield* windowsOf({ limit: 1 }), [[1], 3, true])
      assert.deepStrictEqual(yield* windowsOf({ nodeId: "nobody" }), [[], 0, true])
    }).pipe(Effect.provide(system))
  )

  it.effect("tells of each what is wanted of it, what has come, and why it failed", () =>
    Effect.gen(function* () {
      const message = "x".repeat(2000)
      yield* put({
        state: "FAILED",
        windowStart: 0,
        ranges: rangesOf([0, 600_000]),
        completedRanges: rangesOf([0, 120_000], [180_000, 240_000]),
        attempts: 2,
        nextAttemptAt: 5,
        failure: { tag: "SourceUnavailable", message, source: "binance" },
        cause: "request-7"
      })
      const { counts, jobs } = yield* listJobs({})
      const failure = { tag: "SourceUnavailable", message: `${message.slice(0, 500)}…`, source: "binance" }
      assert.deepStrictEqual(jobs, [
        {
          series: minutes!,
          windowStart: 0,
          run: 1,
          state: "FAILED",
          jobClass: "interactive",
          attempts: 2,
          failure,
          nextAttemptAt: 5,
          holder: null,
          wantedBars: 10,
          broughtBars: 3,
          cause: "request-7"
        }
      ])
      assert.deepStrictEqual(counts, { PENDING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 1, EXPIRED: 0, QUARANTINED: 0 })
    }).pipe(Effect.provide(system))
  )

  it.effect("refuses an interval that is none, and a series that nobody keeps", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(listJobs({ interval: "1x" })))._tag, "InvalidRequest")
      assert.strictEqual((yield* Effect.flip(listJobs({ nodeId: "b", interval: "1m" })))._tag, "UnknownSeries")
    }).pipe(Effect.provide(system))
  )

  it.effect("looks at the newest where there are more than it looks at, and says that it is not all", () =>
    Effect.gen(function* () {
      const count = 2 * historyEntriesMax + 500
      // each was changed three times: revisions are further apart than records
      for (const run of [1, 2, 3]) {
        for (let windowStart = 0; windowStart < count; windowStart++) yield* put({ windowStart, run })
      }
      const [all, total, isWhole] = yield* windowsOf({ limit: 3 })
      assert.deepStrictEqual([all, total, isWhole], [[count - 1, count - 2, count - 3], count, true])
      for (const countMax of [1, 100, historyEntriesMax + 1]) {
        const told = yield* listJobs({ limit: 1 }, countMax)
        assert.isFalse(told.isWhole)
        assert.strictEqual(told.jobs[0]?.windowStart, count - 1)
        assert.isAtMost(told.total, countMax)
        assert.isAtLeast(told.total, countMax * 0.9)
      }
      assert.isTrue((yield* listJobs({}, count)).isWhole)
    }).pipe(Effect.provide(system))
  )
})
