/** Does a read as of a point of the past give what was read then, bit for bit, whatever was committed since? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import * as ChunkStore from "../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../actors/sources/SeriesCatalog.ts"
import * as sweepRun from "../../actors/sweeper/sweepRun.ts"
import { sweepSeries } from "../../actors/sweeper/sweepSeries.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { HistoryDiff } from "../../protocol/history/HistoryDiff.ts"
import type { HistoryResult } from "../../protocol/history/HistoryResult.ts"
import type { Verified } from "../../protocol/messages/Verify.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { askAdmin } from "../support/memoryHost.ts"
import * as LongSeries from "../support/LongSeries.ts"
import * as NatsServer from "../support/NatsServer.ts"
import { flatBars } from "../support/rows.ts"

const commits = 1000
const minutes = Array.from({ length: LongSeries.windowMinutes }, (_, minute) => minute)
const hourOf = (window: number): ReadonlyArray<number> =>
  minutes.map((minute) => window * LongSeries.windowMinutes + minute)

/** Runs on a server of its own. */
const onServer = <A, E, R>(run: Effect.Effect<A, E, R | Mesh>) =>
  Effect.gen(function* () {
    const server = yield* NatsServer.start()
    return yield* Effect.provide(run, Layer.fresh(NatsMesh.layer({ servers: server.url, name: "points" })))
  })

/** Sweeps the series, for which what was put so long ago is old; gives what came of its chunks. */
const sweep = Effect.fnUntraced(function* ({ ageMs }: { readonly ageMs: number }) {
  yield* Effect.sleep("5 millis")
  const entry = yield* SeriesCatalog.make(LongSeries.configurationOf()).find(LongSeries.series.nodeId, "1m")
  let tally = sweepRun.noTally
  const from = { chunks: 1, pages: 1 }
  const terms = { isDry: false, order: "none", rootsMs: Infinity, graceMs: 0, ageMs, from } as const
  yield* sweepSeries(entry, terms, (kind, share) => {
    tally = sweepRun.added(tally, kind, share)
  }).pipe(Effect.provide(Layer.fresh(ChunkStore.layer(1_000_000))))
  return tally
})

/** All that an answer says about its rows. */
const saidOf = ({ df, meta }: HistoryResult) => ({
  times: Array.from(df.eventTimeMs),
  columns: df.columns.map(({ name, values }) => [name, Array.from(new BigUint64Array(values.slice().buffer))]),
  flags: Array.from(df.flags),
  lineage: df.lineage,
  fingerprint: meta.fingerprint,
  version: meta.coverageVersion,
  covered: meta.coverageRanges,
  missing: meta.missingRanges,
  contributions: meta.sourceContributions,
  quality: meta.qualitySummary
})

describe("what differs between two versions", () => {
  it.live("is told bar by bar and page by page, of windows alone that are not the same", () =>
    onServer(
      Effect.gen(function* () {
        const { commit, provider } = yield* LongSeries.start()
        for (let window = 0; window < 40; window++) yield* commit({ window, minutes, price: 100 })
        // one bar less, one more, and a new price in two windows far apart; the same again in another
        yield* commit({ window: 3, minutes: minutes.slice(1), price: 100 })
        yield* commit({ window: 5, minutes, price: 100 })
        const last = yield* commit({ window: 39, minutes, price: 101 })
        const difference = (more: object) =>
          provider.diff({ ...LongSeries.series, fromVersion: 40, toVersion: last, ...more })

        const whole = yield* difference({ limit: 1000 })
        assert.deepStrictEqual([whole.windows, whole.barsLeft, whole.next], [{ differing: 2, looked: 2 }, 0, null])
        assert.deepStrictEqual([whole.from.version, whole.to.version], [40, last])
        assert.lengthOf(whole.changes, 61)
        const [removed, changed] = whole.changes
        assert.deepStrictEqual(removed, {
          eventTime: 3 * LongSeries.windowMs,
          before: { open: 100, high: 100, low: 100, close: 100, volume: 100 },
          after: null
        })
        assert.strictEqual(changed?.eventTime, 39 * LongSeries.windowMs)
        assert.deepInclude(changed?.before, { open: 100 })
        assert.deepInclude(changed?.after, { open: 101 })

        const pages: Array<HistoryDiff["changes"]> = []
        let start: number | null = 0
        while (start !== null) {
          const page: HistoryDiff = yield* difference({ limit: 25, start })
          pages.push(page.changes)
          start = page.next
          if (pages.length === 1) assert.deepStrictEqual([page.barsLeft, page.windows.looked], [36, 2])
        }
        assert.deepStrictEqual(
          pages.map(({ length }) => length),
          [25, 25, 11]
        )
        assert.deepStrictEqual(pages.flat(), whole.changes)

        const nothing = yield* difference({ start: 0, end: 3 * LongSeries.windowMs })
        assert.deepStrictEqual([nothing.changes, nothing.windows.differing], [[], 0])
        const turned = yield* difference({ fromVersion: last, toVersion: 40, limit: 1 })
        assert.deepInclude(turned.changes[0], { before: null })
        // from nothing all is new, in as many windows as one answer looks into
        const all = yield* difference({ fromVersion: 0, toVersion: 40, limit: 1000 })
        assert.deepStrictEqual([all.windows, all.changes.length], [{ differing: 40, looked: 17 }, 1000])
        assert.strictEqual(all.barsLeft, 20)

        const unknown = yield* Effect.flip(difference({ toVersion: 99 }))
        assert.strictEqual(unknown._tag, "UnknownPoint")
        for (const wrong of [
          { end: 60_000 },
          { start: 1, end: 60_000 },
          { limit: 0 },
          { fromVersion: -1 },
          { more: 1 }
        ]) {
          const { _tag } = yield* Effect.flip(difference(wrong))
          assert.include(["InvalidRequest", "UnalignedRange"], _tag, JSON.stringify(wrong))
        }
      })
    )
  )
})

describe("a sweep", () => {
  it.live("beside commits takes nothing away that any of their roots names", () =>
    onServer(
      Effect.gen(function* () {
        const { chunkOf, commit, store } = yield* LongSeries.start()
        const versions: Array<number> = []
        const done = { sweeps: 0, swept: 0 }
        const committing = Effect.gen(function* () {
          for (let count = 0; done.swept < 20 || done.sweeps < 10; count++) {
            // every other one is abandoned
            const told = { window: count % 7, minutes, price: 100 + count }
            yield* store.putChunk(LongSeries.series, told.window * LongSeries.windowMs, chunkOf(told))
            if (count % 2 === 0) versions.push(yield* commit(told))
          }
        })
        const sweeping = Effect.gen(function* () {
          const { chunks } = yield* sweep({ ageMs: 1000 })
          done.sweeps += 1
          done.swept += chunks.swept.count
        }).pipe(Effect.forever)
        yield* Effect.raceFirst(committing, sweeping)
        const other = yield* LongSeries.start(LongSeries.configurationOf(), "other")
        for (const version of versions) {
          const { meta } = yield* other.read([0, 7], { asOf: { version } })
          assert.strictEqual(meta.coverageVersion, version)
          assert.strictEqual(meta.missingRanges.filter(({ reason }) => /stored/.test(reason)).length, 0)
        }
      })
    )
  )
})

describe("a read as of a point of the past", () => {
  it.live("gives the old rows and the old fingerprint bit for bit after a revision and a thousand commits", () =>
    onServer(
      Effect.gen(function* () {
        const bars = new Map([["LONG", flatBars(minutes, hourOf(3))]])
        const { chunkOf, commit, provider, read, store } = yield* LongSeries.start(undefined, "memory", bars)
        const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } }
        yield* read([0, 1], patient)
        // a quiet minute, and a window that is not there yet
        const version = yield* commit({ window: 1, minutes: minutes.slice(1), price: 200 })
        const before = yield* read([0, 3], { minVersion: version })
        const coverageBefore = yield* provider.coverage(LongSeries.series)
        const time = yield* Clock.currentTimeMillis
        assert.lengthOf(before.df.eventTimeMs, 119)

        // the source has corrected each price
        bars.set("LONG", flatBars(minutes, hourOf(4)))
        const corrected = { start: 0, end: LongSeries.windowMs, reason: "they corrected it" }
        const { repairedBars } = yield* askAdmin<Verified>("repair", { ...LongSeries.series, ...corrected })
        assert.strictEqual(repairedBars, LongSeries.windowMinutes)
        let last = version
        for (let count = 0; count < commits; count++) {
          last = yield* commit({ window: 1 + (count % 4), minutes: minutes.slice(count % 7), price: 300 + count })
        }
        assert.isAtLeast(last, version + 1 + commits)
        const now = yield* read([0, 3], { minVersion: last })
        assert.notStrictEqual(now.meta.fingerprint, before.meta.fingerprint)
        assert.deepStrictEqual(now.meta.missingRanges, [])
        const revised = now.df.flags.filter((flags) => (flags & RowFlag.revised) > 0)
        assert.lengthOf(revised, LongSeries.windowMinutes)

        for (const asOf of [{ version }, { time }]) {
          const then = yield* read([0, 3], { asOf })
          assert.deepStrictEqual(saidOf(then), saidOf(before), JSON.stringify(asOf))
          assert.include(then.meta.notes.join(), `as of version ${version} of `)
          const coverage = yield* provider.coverage({ ...LongSeries.series, asOf })
          assert.deepStrictEqual(
            { ...coverage, missingRanges: coverage.missingRanges.length },
            { ...coverageBefore, missingRanges: coverageBefore.missingRanges.length }
          )
        }
        // a host that has nothing in memory gives the same, when all that no root names has been swept away
        for (const price of [1, 2, 3]) {
          yield* store.putChunk(LongSeries.series, 0, chunkOf({ window: 0, minutes, price }))
        }
        const { chunks } = yield* sweep({ ageMs: 0 })
        assert.deepStrictEqual([chunks.swept.count, chunks.kept.count], [3, commits + 3])
        const other = yield* LongSeries.start(LongSeries.configurationOf(), "other")
        assert.deepStrictEqual(saidOf(yield* other.read([0, 3], { asOf: { version } })), saidOf(before))
      })
    )
  )

  it.live("gives what a source said first, when it says something else of time that was invalidated", () =>
    onServer(
      Effect.gen(function* () {
        const flat = (price: number) =>
          flatBars(
            minutes,
            minutes.map((minute) => price + minute)
          )
        const bars = new Map([["LONG", flat(100)]])
        const { provider, read } = yield* LongSeries.start(LongSeries.configurationOf(), "memory", bars)
        const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } }
        const first = yield* read([0, 1], patient)
        assert.deepStrictEqual([first.df.eventTimeMs.length, first.meta.missingRanges], [60, []])
        const { coverageVersion: version } = first.meta
        bars.set("LONG", flat(200))
        const range = { ...LongSeries.series, start: 0, end: 10 * 60_000 }
        yield* askAdmin("invalidate", { ...range, reason: "the source says something else now" })
        const second = yield* read([0, 1], patient)
        const { coverageVersion: last } = second.meta
        assert.deepStrictEqual([second.df.columns[0]?.values[0], second.df.columns[0]?.values[59]], [200, 159])

        assert.deepStrictEqual(saidOf(yield* read([0, 1], { asOf: { version } })), saidOf(first))
        const between = yield* read([0, 1], { asOf: { version: version + 1 } })
        assert.deepInclude(between.meta.missingRanges[0], { start: 0, end: 10 * 60_000 })
        const { changes } = yield* provider.diff({ ...LongSeries.series, fromVersion: version, toVersion: last })
        assert.lengthOf(changes, 10)
        for (const { after, before, eventTime } of changes) {
          const minute = eventTime / 60_000
          assert.deepStrictEqual([before?.["close"], after?.["close"]], [100 + minute, 200 + minute])
        }
      })
    )
  )

  it.live("fetches nothing, and is judged by its strategy alone", () =>
    onServer(
      Effect.gen(function* () {
        const { commit, provider, read } = yield* LongSeries.start()
        const version = yield* commit({ window: 0, minutes, price: 100 })
        yield* commit({ window: 1, minutes, price: 200 })
        for (const strategy of ["partial_fill", "auto_backfill", "seamless"] as const) {
          const { meta } = yield* read([0, 2], { asOf: { version }, strategy })
          assert.strictEqual(meta.missingRanges.length, 1)
          assert.deepInclude(meta.missingRanges[0], { start: LongSeries.windowMs, state: "missing" })
          assert.deepStrictEqual(meta.sourceOutcomes["binance"], { outcome: "not_asked" })
        }
        const fast = yield* Effect.flip(read([0, 2], { asOf: { version }, strategy: "fail_fast" }))
        assert.strictEqual(fast._tag === "Refused" && fast.error._tag, "CoverageMissing")
        const strict = yield* Effect.flip(read([0, 2], { asOf: { version }, strict: true }))
        assert.strictEqual(strict._tag === "Refused" && strict.error._tag, "StrictViolation")
        const nowhere = yield* Effect.flip(read([0, 2], { asOf: { version: 99 } }))
        assert.strictEqual(nowhere._tag, "UnknownPoint")
        assert.match(nowhere.message, /^version 99 of .* has not come yet; kept are version 0 of .* to version 2 of /)
        // and no job was opened for any of it
        const { missingRanges } = yield* provider.coverage(LongSeries.series)
        assert.deepStrictEqual(
          missingRanges.filter(({ state }) => state === "missing"),
          []
        )
      })
    )
  )
})
