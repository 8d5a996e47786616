/** Can an operator tell what checks stored bars from what fills a window, and help or end the one or the other? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import type { AdminAnswer } from "../../../client/admin.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import {
  barNow,
  configuration,
  isSettled,
  read,
  rootNow,
  secondMs,
  series,
  sourceOf
} from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

type Changed = AdminAnswer<"retry">

// one window for all of a test, and no attempt that comes by itself
const patient: Configuration = {
  ...configuration,
  series: [{ ...configuration.series[0], windowBars: 86_400 }],
  retry: { baseMs: 600_000, maxMs: 600_000 }
}

/** A source that gives other prices when it is asked again, and is ill then as long as the test says. */
const makeSource = () => {
  const made = sourceOf((_, count) => (count > 1 ? 7 : 1))
  const state = { isWell: false }
  const page: DataSource["page"] = (request) =>
    Effect.suspend(() =>
      state.isWell || made.asked.length === 0
        ? made.source.page(request)
        : Effect.fail(new RequestFailed({ reason: "HTTP 400", retryable: false, retryAfterMs: null }))
    )
  return { source: { ...made.source, page }, state }
}

const jobs = Effect.map(memoryHost.askAdmin<AdminAnswer<"jobs">>("jobs", {}), ({ jobs }) => jobs)

const tagOf = (verb: string, asked: object) =>
  Effect.map(
    Effect.flip(memoryHost.askAdmin<object>(verb, { ...series, ...asked })),
    (error) => error as { readonly tag: string; readonly message: string; readonly source?: string }
  )

/** Ten bars of the last seconds are stored, and the check of those that may change has failed. */
const untilFailed = Effect.gen(function* () {
  const nowMs = yield* barNow
  const start = nowMs - 10 * secondMs
  yield* read(start, nowMs)
  const hasFailed = Effect.map(jobs, (all) => all.some((job) => job.revises === "binance" && job.state === "FAILED"))
  yield* untilTrue("the check has failed", Effect.orDie(hasFailed), 18_000)
  return { start, end: nowMs }
})

describe("jobs that check", () => {
  it.live("are told apart from those that fill, and retried by their source's name", () =>
    Effect.gen(function* () {
      const { source, state } = makeSource()
      yield* memoryHost.start({ configuration: patient, sources: [source] })
      const { end, start } = yield* untilFailed
      const kinds = (yield* jobs).map(({ revises, state }) => `${revises ?? "fills"} ${state}`)
      assert.deepStrictEqual(kinds.toSorted(), ["binance FAILED", "fills SUCCEEDED"])
      const shown = (asked: object) =>
        Effect.map(
          memoryHost.askAdmin<AdminAnswer<"job">>("job", { ...series, windowStart: start, ...asked }),
          ({ job }) => [job.revises, job.state]
        )
      assert.deepStrictEqual(yield* shown({}), [undefined, "SUCCEEDED"])
      assert.deepStrictEqual(yield* shown({ source: "binance" }), ["binance", "FAILED"])
      const unknown = yield* tagOf("job", { windowStart: start, source: "bybit" })
      assert.deepInclude(unknown, { tag: "UnknownJob", source: "bybit" })
      assert.include(unknown.message, "no job that asks bybit once more")

      // what fills the window has succeeded, and nothing is done to the other for its sake
      for (const verb of ["retry", "cancel"]) assert.strictEqual((yield* tagOf(verb, { start })).tag, "NoSuitedJob")
      for (const verb of ["skip", "quarantine"]) {
        assert.strictEqual((yield* tagOf(verb, { start, source: "binance" })).tag, "InvalidAdminRequest")
      }
      assert.deepStrictEqual(yield* shown({ source: "binance" }), ["binance", "FAILED"])

      state.isWell = true
      const told = yield* memoryHost.askAdmin<Changed>("retry", { ...series, start, source: "binance" })
      assert.deepStrictEqual(
        told.jobs.map(({ revises, state }) => [revises, state]),
        [["binance", "FAILED"]]
      )
      yield* untilTrue("all has settled", isSettled, 18_000)
      assert.strictEqual((yield* read(start, end)).columns.close.at(-1), 7)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("are called off for good: the bars stay as they are stored, and nobody asks for them once more", () =>
    Effect.gen(function* () {
      const { source } = makeSource()
      yield* memoryHost.start({ configuration: patient, sources: [source] })
      const { start } = yield* untilFailed
      const asked = { ...series, start, source: "binance", reason: "lost" }
      const before = yield* rootNow
      const { job } = yield* memoryHost.askAdmin<AdminAnswer<"job">>("job", {
        ...series,
        windowStart: start,
        source: "binance"
      })
      const told = yield* memoryHost.askAdmin<Changed>("cancel", asked)
      assert.deepStrictEqual(
        told.jobs.map(({ failure, nextAttemptAt, revises }) => [revises, nextAttemptAt, failure?.message]),
        [["binance", null, "called off by alice: lost"]]
      )
      const root = yield* rootNow
      assert.deepStrictEqual([root.covered, root.exceptions], [before.covered, before.exceptions])
      const unsettled = RangeSet.make(root.unsettled?.map(({ end, start }) => [start, end] as const) ?? [])
      assert.deepStrictEqual(RangeSet.intersect(unsettled, RangeSet.make(job.ranges)), RangeSet.empty)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
