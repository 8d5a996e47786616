/** What is a reader told of bars that may still change? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { notesOf, unsettledNotes, unsettledOf } from "../../../actors/provider/unsettledNotes.ts"
import type { CatalogEntry } from "../../../actors/sources/SeriesCatalog.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { type CoverageRoot, initial } from "../../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { UnsettledRange } from "../../../protocol/history/Unsettled.ts"
import { Coverage, type CoverageView } from "../../../protocol/messages/Coverage.ts"
import type { Configuration } from "../../../protocol/Settings.ts"

const minuteMs = 60_000

const configuration: Configuration = {
  sources: {
    binance: { kind: "exchange", exchange: "binance", settleMs: 1 },
    bybit: { kind: "exchange", exchange: "bybit" }
  },
  series: [
    { node: "a", intervals: ["1m"], sources: ["binance", "bybit"], symbol: "A" },
    { node: "a", intervals: ["5m"], derivedFrom: "1m" }
  ]
}

const catalog = SeriesCatalog.make(configuration)

const minutes = (start: number, end: number): RangeSet.RangeSet => RangeSet.of(start * minuteMs, end * minuteMs)

const unsettled: ReadonlyArray<UnsettledRange> = [
  { start: 2 * minuteMs, end: 7 * minuteMs, source: "binance", settleMs: 1 },
  { start: 90 * minuteMs, end: 91 * minuteMs, source: "bybit", settleMs: 1 }
]

const rootOf = ({ series }: CatalogEntry, ranges: ReadonlyArray<UnsettledRange>): CoverageRoot => ({
  ...initial(series, { windowBars: 60, schemaVersion: 1 }),
  ...(ranges.length > 0 && { unsettled: ranges })
})

/** Of the two series, the one of minutes alone has bars that may change. */
const coverage = Layer.succeed(
  Coverage,
  Coverage.of({
    of: (series) =>
      Effect.map(Effect.orDie(catalog.find(series.nodeId, series.interval)), (entry): CoverageView => ({
        root: rootOf(entry, series.interval === "1m" ? unsettled : []),
        covered: minutes(0, 10)
      })),
    known: () => undefined,
    ensure: () => Effect.die("nobody asks for it"),
    commit: () => Effect.die("nobody commits"),
    confirm: () => Effect.die("nobody asks strictly")
  })
)

const services = Layer.merge(coverage, Layer.succeed(SeriesCatalog.SeriesCatalog, catalog))

/** The notes of an answer about ten minutes, of which each source gave what is said. */
const notes = (interval: string, contributions: ReadonlyMap<string, RangeSet.RangeSet>, asOf?: { version: number }) =>
  Effect.gen(function* () {
    const entry = yield* catalog.find("a", interval)
    const view = yield* (yield* Coverage).of(entry.series)
    const loaded = { contributions, covered: minutes(0, 10) }
    return yield* notesOf({ entry, ...(asOf && { asOf }) }, view, loaded, 1000)
  }).pipe(Effect.provide(services))

describe("notesOf()", () => {
  it.effect("notesOf() counts bars of the answer, and names the sources that it has them from", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* notes("1m", new Map([["binance", minutes(0, 10)]])), [
        "5 bars may still be changed by binance, and will be asked for once more"
      ])
      assert.deepStrictEqual(yield* notes("1m", new Map([["binance", minutes(6, 10)]])), [
        "1 bar may still be changed by binance, and will be asked for once more"
      ])
    })
  )

  it.effect("notesOf() says nothing where the bars are another's, nor of the past", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* notes("1m", new Map([["bybit", minutes(0, 10)]])), [])
      assert.deepStrictEqual(yield* notes("1m", new Map([["binance", minutes(0, 10)]]), { version: 1 }), [])
    })
  )

  it.effect("notesOf() says of bars that are rolled up what is so of the finer ones", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* notes("5m", new Map([["derived:1m", minutes(0, 10)]])), [
        "2 bars may still be changed by binance, and will be asked for once more"
      ])
    })
  )
})

describe("unsettledOf()", () => {
  it("unsettledOf() leaves out sources of which nothing is unsettled", () => {
    assert.deepStrictEqual(
      unsettledOf(undefined, () => minutes(0, 10)),
      new Map()
    )
    assert.deepStrictEqual(Array.from(unsettledOf(unsettled, () => minutes(0, 10)).keys()), ["binance"])
    assert.deepStrictEqual(unsettledNotes(new Map(), minuteMs), [])
  })
})
