/** What becomes of bars that a source gives otherwise after they were stored? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import { fieldNames, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
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

describe("a bar that changes after it was served", () => {
  it.live("is asked for once more when it has settled, and read with its new value and REVISED", () =>
    Effect.gen(function* () {
      let last = Number.NaN
      const { asked, source } = sourceOf((bar, count) => (bar === last && count > 1 ? 7 : 1))
      yield* memoryHost.start({ configuration, sources: [source] })
      const nowMs = yield* barNow
      const start = nowMs - 10 * secondMs
      last = nowMs - secondMs
      const before = yield* read(start, nowMs)
      assert.deepStrictEqual(
        before.columns.close,
        Array.from({ length: 10 }, () => 1)
      )
      const first = yield* rootNow
      assert.isDefined(first.unsettled)
      yield* untilTrue("all has settled", isSettled, 18_000)
      const after = yield* read(start, nowMs)
      assert.deepStrictEqual(after.columns.close, [...Array.from({ length: 9 }, () => 1), 7])
      assert.deepStrictEqual(after.columns.__flags.map((flags) => (flags & RowFlag.revised) > 0).lastIndexOf(false), 8)
      assert.deepStrictEqual(after.columns.__ingest_at.slice(0, 9), before.columns.__ingest_at.slice(0, 9))
      assert.notStrictEqual(after.meta.fingerprint, before.meta.fingerprint)
      const root = yield* rootNow
      assert.deepStrictEqual(toPairs(root.diff.revised!), [[last, nowMs]])
      const changed = Object.fromEntries(fieldNames(ohlcv).map((name) => [name, 1]))
      assert.deepStrictEqual(root.diff.revisedBars, [
        {
          eventTime: last,
          source: "binance",
          before: changed,
          after: Object.fromEntries(fieldNames(ohlcv).map((name) => [name, 7]))
        }
      ])
      assert.deepStrictEqual(
        [root.diff.cause, toPairs(root.diff.added), toPairs(root.diff.removed)],
        ["settle", [], []]
      )
      // each of them once more, and no other
      const again = asked.slice(1).reduce((sum, [from, until]) => sum + until - from, 0)
      assert.deepStrictEqual(
        [again, RangeSet.make(asked.slice(1))],
        [
          first.unsettled.reduce((sum, range) => sum + range.end - range.start, 0),
          RangeSet.make(first.unsettled.map((range) => [range.start, range.end] as const))
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("is not asked for again where it settled before it was stored", () =>
    Effect.gen(function* () {
      const { asked, source } = sourceOf(() => 1)
      yield* memoryHost.start({ configuration, sources: [source] })
      yield* read(0, 10 * secondMs)
      assert.isUndefined((yield* rootNow).unsettled)
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("is settled by the next host, where the one that stored it is gone", () =>
    Effect.gen(function* () {
      const { source } = sourceOf((_, count) => (count > 1 ? 7 : 1))
      const nowMs = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* memoryHost.start({ configuration, sources: [source] }, "first")
          const nowMs = yield* barNow
          yield* read(nowMs - 10 * secondMs, nowMs)
          return nowMs
        })
      )
      assert.isDefined((yield* rootNow).unsettled)
      // nobody reads anything meanwhile
      yield* memoryHost.start({ configuration, sources: [source] }, "second")
      yield* untilTrue("all has settled", isSettled, 18_000)
      assert.strictEqual((yield* read(nowMs - 10 * secondMs, nowMs)).columns.close.at(-1), 7)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("stays as it is stored while its source fails, and is settled when it answers again", () =>
    Effect.gen(function* () {
      const made = sourceOf((_, count) => (count > 1 ? 7 : 1))
      let failures = 0
      const page: DataSource["page"] = (request) =>
        made.asked.length === 1 && failures < 1
          ? Effect.suspend(() => {
              failures++
              return Effect.fail(new RequestFailed({ reason: "HTTP 500", retryable: true, retryAfterMs: null }))
            })
          : made.source.page(request)
      yield* memoryHost.start({ configuration, sources: [{ ...made.source, page }] })
      const nowMs = yield* barNow
      const start = nowMs - 10 * secondMs
      const before = yield* read(start, nowMs)
      yield* untilTrue(
        "the source has failed",
        Effect.sync(() => failures > 0)
      )
      const meanwhile = yield* read(start, nowMs)
      assert.deepStrictEqual(meanwhile.columns, before.columns)
      assert.deepStrictEqual(meanwhile.meta.missingRanges, [])
      yield* untilTrue("all has settled", isSettled, 18_000)
      assert.strictEqual((yield* read(start, nowMs)).columns.close.at(-1), 7)
      assert.strictEqual(failures, 1)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})

describe("verify and repair", () => {
  it.live("verify tells which bars differ and changes nothing; repair makes them a revision, with who and why", () =>
    Effect.gen(function* () {
      // the source has corrected one bar, taken one back, and has one that it had not
      const [changed, gone, late] = [3 * secondMs, 5 * secondMs, 7 * secondMs] as const
      const { source } = sourceOf((bar, count) => {
        if (bar === late && count === 1) return null
        if (count === 1) return 1
        return bar === gone ? null : bar === changed ? 2 : 1
      })
      yield* memoryHost.start({ configuration, sources: [source] })
      const before = yield* read(0, 10 * secondMs)
      const asked = { ...series, start: 0, end: 10 * secondMs }
      const told = yield* memoryHost.askAdmin<Verified>("verify", asked)
      const [part] = told.parts
      assert.deepStrictEqual(
        [part?.sameBars, part?.changedBars, part?.absentBars, part?.extraBars, part?.failure],
        [7, 1, 1, 1, null]
      )
      assert.deepStrictEqual(
        part?.bars.map(({ after, before, eventTime }) => [
          eventTime,
          before?.["close"] ?? null,
          after?.["close"] ?? null
        ]),
        [
          [changed, 1, 2],
          [gone, 1, null],
          [late, null, 1]
        ]
      )
      assert.deepStrictEqual(yield* read(0, 10 * secondMs).pipe(Effect.map(({ columns }) => columns)), before.columns)

      const repaired = yield* memoryHost.askAdmin<Verified>("repair", { ...asked, reason: "they corrected it" })
      assert.strictEqual(repaired.repairedBars, 3)
      const after = yield* read(0, 10 * secondMs)
      assert.deepStrictEqual(
        after.columns.event_time,
        [0, 1, 2, 3, 4, 6, 7, 8, 9].map((bar) => bar * secondMs)
      )
      assert.deepStrictEqual(
        after.columns.event_time.filter((_, row) => (after.columns.__flags[row]! & RowFlag.revised) > 0),
        [changed, late]
      )
      const root = yield* rootNow
      assert.strictEqual(root.diff.cause, "repaired by alice: they corrected it")
      assert.deepStrictEqual(
        toPairs(root.diff.revised!),
        [3, 5, 7].map((bar) => [bar * secondMs, (bar + 1) * secondMs])
      )
      assert.deepStrictEqual(toPairs(root.covered), [[0, 10 * secondMs]])

      const again = yield* memoryHost.askAdmin<Verified>("repair", { ...asked, reason: "once more" })
      assert.strictEqual(again.repairedBars, 0)
      assert.strictEqual((yield* rootNow).version, root.version)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("verify says what its source did not answer, and takes nothing of it for a difference", () =>
    Effect.gen(function* () {
      const made = sourceOf(() => 1)
      const page: DataSource["page"] = (request) =>
        made.asked.length === 0
          ? made.source.page(request)
          : Effect.fail(new RequestFailed({ reason: "HTTP 400", retryable: false, retryAfterMs: null }))
      yield* memoryHost.start({ configuration, sources: [{ ...made.source, page }] })
      yield* read(0, 10 * secondMs)
      const { parts } = yield* memoryHost.askAdmin<Verified>("repair", {
        ...series,
        start: 0,
        end: 10 * secondMs,
        reason: "x"
      })
      assert.deepStrictEqual(
        parts.map(({ bars, failure, unproven }) => [bars, failure?.message, unproven]),
        [[[], "HTTP 400", [[0, 10 * secondMs]]]]
      )
      assert.strictEqual((yield* rootNow).version, 1)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
