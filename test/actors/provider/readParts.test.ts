/** Is an answer whose rows go by batch by batch the same as in one piece? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import * as fc from "fast-check"
import * as ReadCursor from "../../../actors/provider/ReadCursor.ts"
import { read, Refused } from "../../../actors/provider/read.ts"
import { readParts } from "../../../actors/provider/readParts.ts"
import type { BatchSize } from "../../../actors/provider/RowBatches.ts"
import type { ValidRequest } from "../../../actors/provider/validRequest.ts"
import { type ChunkName, ChunkStore } from "../../../actors/sources/ChunkStore.ts"
import type { CatalogEntry } from "../../../actors/sources/SeriesCatalog.ts"
import * as Category from "../../../protocol/frame/Category.ts"
import { type Column, missing } from "../../../protocol/frame/Column.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { entry as plainEntry, minute, requestOf } from "../../support/requests.ts"
import { floats } from "../../support/floatFrames.ts"
import { servicesOf, store, type StoredChunk, stores } from "../../support/storedHistory.ts"

const entry: CatalogEntry = {
  ...plainEntry,
  schema: {
    version: 1,
    fields: [
      { name: "close", type: "float64", required: true },
      { name: "volume", type: "float64", required: true, rollUp: "sum" },
      { name: "trades", type: "int64", required: false },
      { name: "venue", type: "category", required: false }
    ]
  }
}

const bars = 60
const windowBars = 4
// a page ends in the middle
const firstMinute = (256 - 7) * windowBars

interface Drawn {
  /** For each source, of each bar whether it is covered and has a row, and how odd that is. */
  readonly sources: ReadonlyArray<ReadonlyArray<number>>
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  sources: fc.array(fc.array(fc.nat(11), { minLength: bars, maxLength: bars }), { minLength: 2, maxLength: 2 })
})

const at = (bar: number): number => (firstMinute + bar) * minute
const rangesOf = (drawnBars: ReadonlyArray<number>, isIn: (kind: number) => boolean, from: number) =>
  RangeSet.make(drawnBars.flatMap((kind, bar) => (isIn(kind) ? [[at(from + bar), at(from + bar + 1)] as const] : [])))

/** Rows of some bars: each kind of bar has a peculiarity of its own. */
const frameOf = (source: number, drawnBars: ReadonlyArray<number>, from: number): Frame.Frame => {
  const rows = drawnBars.flatMap((kind, bar) => (kind > 4 ? [{ kind, bar: from + bar }] : []))
  const isWhole = from % 24 < 12
  const isUnknown = from % 24 < 20
  const trades: Column = isWhole
    ? { name: "trades", type: "int64", values: BigInt64Array.from(rows, ({ bar }) => BigInt(bar)) }
    : floats("trades", ...rows.map(({ bar, kind }) => (isUnknown ? Number.NaN : kind === 11 ? bar + 0.5 : bar)))
  return {
    eventTimeMs: Float64Array.from(rows, ({ bar }) => at(bar)),
    columns: [
      floats("close", ...rows.map(({ bar, kind }) => (kind === 5 ? Number.NaN : source * 1000 + bar))),
      floats("volume", ...rows.map(({ kind }) => kind)),
      trades,
      Category.fromTexts(
        "venue",
        rows.map(({ kind }) => (kind === 7 ? null : `v${kind}`))
      ),
      ...(source === 1 ? [floats("extra", ...rows.map(({ bar }) => bar))] : [])
    ],
    flags: Uint32Array.from(rows, ({ kind }) => (kind === 8 ? RowFlag.duplicate : kind === 9 ? RowFlag.outOfOrder : 0)),
    lineage: rows.length === 0 ? [] : [{ rows: rows.length, source: `s${source}`, ingestAtMs: from, jobId: `j${from}` }]
  }
}

const names = ["binance", "kraken"]

const chunksOf = ({ sources }: Drawn): ReadonlyArray<StoredChunk> =>
  sources.flatMap((all, source) =>
    Array.from({ length: bars / windowBars }, (_, window): StoredChunk => {
      const from = window * windowBars
      const part = all.slice(from, from + windowBars)
      return {
        windowStart: at(from),
        source: names[source]!,
        ranges: rangesOf(part, (kind) => kind > (source === 0 ? 2 : 1), from),
        frame: frameOf(source, part, from),
        findings: Findings.make([
          ["spike", rangesOf(part, (kind) => kind === 10, from)],
          ["step:late", rangesOf(part, (kind) => kind === 11, from)]
        ])
      }
    }).filter(({ ranges }) => ranges.edges.length > 0)
  )

/** What is compared of rows: texts, not the order in which a dictionary has them. */
const plain = (frame: Frame.Frame) => ({
  ...frame,
  columns: frame.columns.map((column) =>
    column.type === "category"
      ? {
          ...column,
          dictionary: [],
          values: Array.from(column.values, (place) =>
            place === missing.category ? null : (column.dictionary[place] ?? "?")
          )
        }
      : column
  )
})

/** What is compared of an account: all but its times. */
const timeless = ({ slaReport, spanId: _span, traceId: _trace, ...meta }: HistoryMeta) => ({
  ...meta,
  violation: slaReport.violation?.phase
})

/** What is compared of a refusal: what it says that needs no rows. */
const refusalOf = ({ error, result: { meta } }: Refused) => ({
  tag: error._tag,
  missingBars: error._tag === "CoverageMissing" ? error.missingBars : undefined,
  missingRanges: "missingRanges" in error ? error.missingRanges : [],
  account: [meta.coverageRanges, meta.missingRanges, meta.coverageVersion, meta.watermarks, meta.requestId]
})

/** How many bars and rows a refusal tells of, where it does. */
const countsOf = ({ error, result: { meta } }: Refused): object => ({
  ...("expectedBars" in error && { expectedBars: error.expectedBars }),
  ...("gotBars" in error && { gotBars: error.gotBars }),
  // whether enough bars came may take the rows
  ...(meta.slaReport.violation !== null && { violation: meta.slaReport.violation.phase }),
  ...(meta.qualitySummary !== undefined && { quality: meta.qualitySummary }),
  ...(meta.sourceContributions !== undefined && { contributions: meta.sourceContributions }),
  ...(meta.fingerprint !== undefined && { fingerprint: meta.fingerprint })
})

/** All that goes by, put together, and its account; or the refusal. */
const drain = Effect.fnUntraced(function* (request: ValidRequest, size: BatchSize, cursor?: ReadCursor.ReadCursor) {
  const flow = yield* readParts(request, cursor, size)
  const frames: Array<Frame.Frame> = [flow.empty]
  for (;;) {
    const next = yield* flow.next
    if (Option.isNone(next)) break
    frames.push(next.value)
  }
  const { error, meta } = yield* flow.account
  const df = Frame.concat(frames)
  return error === undefined ? { df, meta } : yield* new Refused({ error, result: { df, meta } })
})

/** The cursors of an answer as its reader gets them: behind each batch, and in the midst of it. */
const cursorsOf = Effect.fnUntraced(function* (request: ValidRequest, size: BatchSize) {
  const flow = yield* readParts(request, undefined, size)
  const tokens: Array<string> = []
  let sentMs = request.range[0]
  while (Option.isSome(yield* flow.next)) {
    const goneByMs = flow.goneByMs()
    const middle = sentMs + Math.floor((goneByMs - sentMs) / minute / 2) * minute
    for (const timeMs of [middle, goneByMs]) tokens.push(flow.cursorAt(timeMs))
    sentMs = goneByMs
  }
  return yield* Effect.forEach(tokens, (token) =>
    Effect.map(ReadCursor.parse(request, token), (cursor) => ({ cursor, token }))
  )
})

const closesOf = ({ columns }: Frame.Frame) =>
  columns.flatMap(({ name, values }) => (name === "close" ? [values.slice()] : []))

/** The store, and the chunks that were asked of it. */
const countingChunks = (store: ChunkStore["Service"]) => {
  const names: Array<ChunkName> = []
  const chunks: typeof store.chunks = (series, asked, how) => {
    names.push(...asked)
    return store.chunks(series, asked, how)
  }
  return { names, store: { ...store, chunks } }
}

const requests: fc.Arbitrary<Partial<ValidRequest>> = fc.record({
  range: fc
    .tuple(fc.nat(bars - 2), fc.nat(bars - 1))
    .map(([start, length]): readonly [number, number] => [at(start), at(Math.min(bars, start + 1 + length))]),
  fill: fc.constantFrom("none", "forward"),
  strict: fc.boolean(),
  onStrictViolation: fc.constantFrom("error", "flag"),
  sources: fc.shuffledSubarray(names, { minLength: 2 }),
  strategy: fc.constantFrom("seamless", "fail_fast"),
  sla: fc.constantFrom({}, { minCoverage: 0.9 }, { minCoverage: 0.9, onViolation: "error" as const })
})

const sizes: fc.Arbitrary<BatchSize> = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  windows: fc.integer({ min: 1, max: 5 })
})

const rules = fc.constantFrom({}, { conflict: "ingestTime" as const })

const claim = (
  run: (given: {
    readonly request: ValidRequest
    readonly size: BatchSize
  }) => Effect.Effect<void, unknown, Effect.Services<ReturnType<typeof drain> | ReturnType<typeof read>>>
) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(drawn, requests, sizes, rules, async (history, changes, size, conflict) => {
        const own = { ...entry, rules: { ...entry.rules, ...conflict } }
        const request = requestOf({ entry: own, asOf: { version: 3 }, ...changes })
        await Effect.gen(function* () {
          const view = yield* store(own, windowBars, chunksOf(history))
          yield* run({ request, size }).pipe(Effect.provide(servicesOf(view)))
        }).pipe(Effect.provide(stores), Effect.runPromise)
      }),
      { numRuns: 60 }
    )
  )

describe("readParts()", () => {
  it.live(
    "readParts() gives the rows, the account and the refusal of the same read in one piece, however it is cut",
    () =>
      claim(({ request, size }) =>
        Effect.gen(function* () {
          const [whole, parted] = [yield* Effect.result(read(request)), yield* Effect.result(drain(request, size))]
          if (Result.isFailure(whole)) {
            const [expected, refused] = [whole.failure, Result.isFailure(parted) ? parted.failure : undefined]
            assert.isTrue(expected._tag === "Refused" && refused?._tag === "Refused")
            if (expected._tag !== "Refused" || refused?._tag !== "Refused") return
            assert.deepStrictEqual(refusalOf(refused), refusalOf(expected))
            // what it can't know without the rows it leaves out
            assert.deepInclude(countsOf(expected), countsOf(refused))
            return
          }
          const { df, meta } = Result.getOrThrow(parted)
          assert.deepStrictEqual(plain(df), plain(whole.success.df))
          assert.deepStrictEqual(timeless(meta), timeless(whole.success.meta))
        })
      )
  )

  it.live("readParts() from a cursor on gives the rows from then on, and the account of all", () =>
    claim(({ request, size }) =>
      Effect.gen(function* () {
        const whole = yield* Effect.result(read(request))
        if (Result.isFailure(whole)) return
        const [start, end] = request.range
        const { df, meta } = whole.success
        for (const fromMs of [start, df.eventTimeMs[2] ?? start, end - minute, end]) {
          const rest = yield* drain(request, size, { version: 3, fromMs })
          const expected = Frame.within(df, fromMs, end)
          assert.deepStrictEqual(rest.df.eventTimeMs, expected.eventTimeMs.slice())
          assert.deepStrictEqual(rest.df.flags, expected.flags.slice())
          assert.deepStrictEqual(timeless(rest.meta), timeless(meta))
        }
      })
    )
  )

  it.live("readParts() from any of its own cursors on gives what is left, and the account of all", () =>
    claim(({ request, size }) =>
      Effect.gen(function* () {
        const whole = yield* Effect.result(read(request))
        if (Result.isFailure(whole)) return
        const { df, meta } = whole.success
        for (const { cursor } of yield* cursorsOf(request, size)) {
          const rest = yield* drain(request, size, cursor)
          const expected = Frame.within(df, cursor.fromMs, request.range[1])
          const { columns: _, ...rows } = plain(expected)
          const { columns: __, ...restRows } = plain(rest.df)
          assert.deepStrictEqual(JSON.stringify(restRows), JSON.stringify(rows))
          assert.deepStrictEqual(closesOf(rest.df), closesOf(expected))
          assert.deepStrictEqual(timeless(rest.meta), timeless(meta))
        }
      })
    )
  )

  it.live("readParts() from a cursor late in a long range on reads no chunk that is behind it", () =>
    Effect.gen(function* () {
      const kinds = Array.from({ length: bars }, (_, bar) => 5 + (bar % 7))
      const view = yield* store(entry, windowBars, chunksOf({ sources: [kinds, []] }))
      const counted = countingChunks(yield* ChunkStore)
      yield* Effect.gen(function* () {
        const request = requestOf({ entry, range: [at(0), at(bars)], asOf: { version: 3 } })
        for (const fill of ["none", "forward"] as const) {
          const filled = { ...request, fill }
          const cursors = yield* cursorsOf(filled, { rows: 8, windows: 2 })
          const { meta } = yield* read(filled)
          for (const { cursor, token } of cursors) {
            // a reader has it in a header
            assert.isAtMost(token.length, 2048)
            const before = counted.names.length
            const rest = yield* drain(filled, { rows: 8, windows: 2 }, cursor)
            const windows = counted.names.slice(before).map(({ windowStart }) => windowStart)
            // what goes on may be one batch of two windows, and a price that is carried on is in one before it
            const oldest = cursor.fromMs - 3 * windowBars * minute
            assert.isTrue(
              windows.every((start) => start >= oldest),
              `${cursor.fromMs}: ${windows.join()}`
            )
            assert.deepStrictEqual(timeless(rest.meta), timeless(meta))
          }
        }
      }).pipe(Effect.provide(servicesOf(view)), Effect.provideService(ChunkStore, counted.store))
    }).pipe(Effect.provide(stores))
  )

  it.live("readParts() from a cursor on whose findings are too many to be in it gives the same account", () =>
    Effect.gen(function* () {
      const kinds = Array.from({ length: bars }, () => 10)
      const chunks = chunksOf({ sources: [kinds, []] }).map((chunk, index) => ({
        ...chunk,
        findings: Findings.make(
          Array.from({ length: 40 }, (_, rule) => [`${index}-${rule}`.padEnd(40, "x"), chunk.ranges] as const)
        )
      }))
      const view = yield* store(entry, windowBars, chunks)
      yield* Effect.gen(function* () {
        const request = requestOf({ entry, range: [at(0), at(bars)], asOf: { version: 3 } })
        const { meta } = yield* read(request)
        const { cursor, token } = (yield* cursorsOf(request, { rows: 8, windows: 2 })).at(-1)!
        assert.isAtMost(token.length, 2048)
        assert.isUndefined(cursor.tally)
        const rest = yield* drain(request, { rows: 8, windows: 2 }, cursor)
        assert.deepStrictEqual(timeless(rest.meta), timeless(meta))
      }).pipe(Effect.provide(servicesOf(view)))
    }).pipe(Effect.provide(stores))
  )
})
