/** Is a point of the past the same data also when the schema has got a column since, and what differs no more than did? */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import * as LongSeries from "../../support/LongSeries.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"

const minutes = [0, 1, 2, 3, 30, 31]

const meshOf = Effect.map(Layer.build(Layer.fresh(MemoryMesh.layer)), Context.get(Mesh))

const hostOn = (mesh: MeshShape, configuration: Configuration, hostId: string) =>
  Effect.provide(LongSeries.start(configuration, hostId), Layer.succeed(Mesh, Mesh.of(mesh)))

/** The series with a schema that has one more column than its bars had. */
const extended = (): Configuration => {
  const { series, ...rest } = LongSeries.configurationOf()
  const [first, ...fields] = ohlcv.fields
  return {
    ...rest,
    series: [{ ...series[0], schema: "more" }],
    schemas: {
      more: { version: 2, fields: [first!, ...fields, { name: "vwap", type: "float64", required: false }] }
    }
  }
}

describe("a schema that got a column", () => {
  it.live("leaves the fingerprint of what was stored before, of whole windows and of parts of them", () =>
    Effect.gen(function* () {
      const mesh = yield* meshOf
      const before = yield* hostOn(mesh, LongSeries.configurationOf(), "before")
      const version = yield* before.commit({ window: 0, minutes, price: 100 })
      yield* before.commit({ window: 1, minutes, price: 200 })
      const after = yield* hostOn(mesh, extended(), "after")
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
