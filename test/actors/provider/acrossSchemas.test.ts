/** Is a point of the past the same data also when the schema has got a column since, and what differs no more than did? */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { Field } from "../../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { SchemaSettings } from "../../../protocol/SchemaSettings.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import * as LongSeries from "../../support/LongSeries.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { flatBars } from "../../support/rows.ts"

const minutes = [0, 1, 2, 3, 30, 31]

const meshOf = Effect.map(Layer.build(Layer.fresh(MemoryMesh.layer)), Context.get(Mesh))

const hostOn = (
  mesh: MeshShape,
  configuration: Configuration,
  hostId: string,
  bars: ReadonlyMap<string, RawRows> = new Map()
) => Effect.provide(LongSeries.start(configuration, hostId, bars), Layer.succeed(Mesh, Mesh.of(mesh)))

/** The series with another schema than its bars had. */
const withFields = (...fields: SchemaSettings["fields"]): Configuration => {
  const { series, ...rest } = LongSeries.configurationOf()
  return { ...rest, series: [{ ...series[0], schema: "other" }], schemas: { other: { version: 2, fields } } }
}

const [open, high, low, close, volume] = ohlcv.fields as unknown as readonly [Field, Field, Field, Field, Field]

describe("a schema that got a column", () => {
  it.live("leaves the fingerprint of what was stored before, of whole windows and of parts of them", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      const before = yield* hostOn(mesh, LongSeries.configurationOf(), "before")
      const version = yield* before.commit({ window: 0, minutes, price: 100 })
      yield* before.commit({ window: 1, minutes, price: 200 })
      const vwap = { name: "vwap", type: "float64", required: false } as const
      const after = yield* hostOn(mesh, withFields(open, high, low, close, volume, vwap), "after")
      const part = { start: 60_000, end: LongSeries.windowMs + 3 * 60_000 }
      for (const more of [{}, part, { asOf: { version } }, { ...part, asOf: { version } }]) {
        const [old, now] = [yield* before.read([0, 2], more), yield* after.read([0, 2], more)]
        assert.strictEqual(now.meta.fingerprint, old.meta.fingerprint, JSON.stringify(more))
        assert.deepStrictEqual(
          now.df.columns.map(({ name }) => name),
          [...old.df.columns.map(({ name }) => name), "vwap"]
        )
      }
      const { changes, windows } = yield* after.provider.diff({
        ...LongSeries.series,
        fromVersion: version,
        toVersion: version + 1
      })
      assert.deepStrictEqual([changes.length, windows], [minutes.length, { differing: 1, looked: 1 }])
    })
  )
})

describe("a schema of the same columns, otherwise", () => {
  const int: Field = { ...volume, type: "int64" }
  const otherwise: Readonly<Record<string, SchemaSettings["fields"]>> = {
    "with whole numbers": [open, high, low, close, int],
    "in another order": [close, low, high, open, volume],
    "with one of them before the others": [volume, open, high, low, close],
    "that names one less": [open, high, low, close],
    "that names another one first": [{ name: "a", type: "category", required: false }, open, high, low, close, int]
  }
  it.live.each(Object.entries(otherwise))(
    "%s leaves the fingerprint of what is stored, of any part of it",
    ([, fields]) =>
      Effect.gen(function* () {
        const mesh = yield* meshOf
        const before = yield* hostOn(mesh, LongSeries.configurationOf(), "before")
        const version = yield* before.commit({ window: 0, minutes, price: 100 })
        yield* before.commit({ window: 1, minutes, price: 200 })
        const after = yield* hostOn(mesh, withFields(...fields), "after")
        const part = { start: 60_000, end: LongSeries.windowMs + 3 * 60_000 }
        const withoutRows = { start: 4 * 60_000, end: 30 * 60_000 }
        for (const range of [{}, part, withoutRows]) {
          for (const more of [range, { ...range, asOf: { version } }]) {
            const [old, now] = [yield* before.read([0, 2], more), yield* after.read([0, 2], more)]
            assert.strictEqual(now.meta.fingerprint, old.meta.fingerprint, JSON.stringify(more))
          }
        }
      })
  )

  it.live("gives one fingerprint whether a window was filled at once or partly before", () =>
    Effect.gen(function* () {
      const prices = Array.from({ length: LongSeries.windowMinutes }, (_, at) => 100 + at)
      const bars = new Map([["LONG", flatBars([...prices.keys()], prices)]])
      const half = { start: 0, end: 30 * 60_000, strategy: "auto_backfill" }
      const rest = { ...half, start: half.end, end: LongSeries.windowMs }
      const now = withFields(volume, close, { ...open, type: "int64" }, high, low)
      const told = yield* Effect.forEach([LongSeries.configurationOf(), now], (then, at) =>
        Effect.gen(function* () {
          const mesh = yield* meshOf
          const before = yield* hostOn(mesh, then, `before-${at}`, bars)
          yield* before.read([0, 1], half)
          const after = yield* hostOn(mesh, now, `after-${at}`, bars)
          const all = yield* after.read([0, 1], { strategy: "auto_backfill" })
          assert.deepStrictEqual(all.meta.missingRanges, [])
          return [all, yield* after.read([0, 1], half), yield* after.read([0, 1], rest)].map(
            ({ meta }) => meta.fingerprint
          )
        })
      )
      assert.deepStrictEqual(told[0], told[1])
    })
  )
})

describe("a schema whose column has another type", () => {
  it.live(
    "loses no stored value that the type has no place for: of the past, now, and beside what is filled later",
    () =>
      Effect.gen(function* () {
        const mesh = yield* meshOf
        const prices = Array.from({ length: LongSeries.windowMinutes }, (_, at) => (at < 30 ? 100.5 : 200))
        const bars = new Map([["LONG", flatBars([...prices.keys()], prices)]])
        const half = { start: 0, end: 30 * 60_000, strategy: "auto_backfill" }
        const before = yield* hostOn(mesh, LongSeries.configurationOf(), "before", bars)
        const then = yield* before.read([0, 1], half)
        const asOf = { version: then.meta.coverageVersion }
        const int: Field = { ...open, type: "int64" }
        const after = yield* hostOn(mesh, withFields(int, high, low, close, volume), "after", bars)
        const opens = ({ df }: typeof then) => Array.from<number | bigint>(df.columns[0]!.values)
        const told = "open is float64 here: not all that is stored of it is int64, as the schema says"
        for (const more of [half, { ...half, asOf }]) {
          const now = yield* after.read([0, 1], more)
          assert.deepStrictEqual(opens(now), prices.slice(0, 30))
          assert.strictEqual(now.meta.fingerprint, then.meta.fingerprint)
          assert.include(now.meta.notes, told)
        }
        const all = yield* after.read([0, 1], { strategy: "auto_backfill" })
        assert.deepStrictEqual(all.meta.missingRanges, [])
        assert.deepStrictEqual(opens(all), prices)
        assert.strictEqual((yield* after.read([0, 1], half)).meta.fingerprint, then.meta.fingerprint)
        const rest = yield* after.read([0, 1], { ...half, start: half.end, end: LongSeries.windowMs })
        assert.deepStrictEqual(rest.meta.notes, [])
      })
  )
})

describe("diff()", () => {
  it.live("diff() of a range looks into its pages alone", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      const { commit } = yield* hostOn(mesh, LongSeries.configurationOf(), "writer")
      // far apart: each in a page of its own
      const far = [0, 300, 600, 900]
      for (const window of far) yield* commit({ window, minutes, price: 100 })
      let pagesRead = 0
      const counting: MeshShape = {
        ...mesh,
        readMany: (stream, subjects) => {
          if (stream === Stream.pages.name) pagesRead += subjects.length
          return mesh.readMany(stream, subjects)
        }
      }
      const { provider } = yield* hostOn(counting, LongSeries.configurationOf(), "reader")
      const [start, end] = [300 * LongSeries.windowMs, 301 * LongSeries.windowMs]
      const asked = { ...LongSeries.series, fromVersion: 0, toVersion: far.length }
      const { changes } = yield* provider.diff({ ...asked, start, end })
      // which is in memory when its rows are looked for
      assert.deepStrictEqual([changes.length, pagesRead], [minutes.length, 1])
      assert.strictEqual((yield* provider.diff(asked)).windows.differing, far.length)
      assert.strictEqual(pagesRead, far.length)
    })
  )
})
