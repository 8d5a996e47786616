/** Is a frame the same after its JSON, but for what JSON can't say? */
import { describe, expect, it } from "vitest"
import * as Frames from "../../../protocol/frame/Frame.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { floats, floatSchema, mapFloats } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { typedFrame } from "../../support/typedFrame.ts"
import { frame, twoDictionaries } from "../frames.ts"

type Frame = Frames.Frame

const throughText = (frame: Frame): Frame => {
  const columns: FrameJson.JsonColumns = JSON.parse(JSON.stringify(FrameJson.toJson(frame)))
  return FrameJson.fromJson(columns, FrameJson.typesOf(frame))
}

/** What a value is after JSON: infinities are missing values, and a zero has no sign. */
const sayable = (value: number): number => (Number.isFinite(value) ? value + 0 : Number.NaN)

describe("FrameJson", () => {
  law("fromJson() gives back the frame through text", [frame], (drawn) => {
    expect(throughText(drawn)).toEqual(mapFloats(drawn, sayable))
  })
  law("toJson() has nothing that its text leaves out", [frame], (drawn) => {
    const json = FrameJson.toJson(drawn)
    const unsigned = Object.fromEntries(
      Object.entries(json).map(([name, column]) => [name, column.map((value) => (value === 0 ? 0 : value))])
    )
    expect(JSON.parse(JSON.stringify(json))).toEqual(unsigned)
  })
  law("toText() is the text of toJson()", [frame], (drawn) => {
    expect(FrameJson.toText(drawn)).toBe(JSON.stringify(FrameJson.toJson(drawn)))
  })
  law("contentHash() is kept through JSON where all values are finite or NaN", [frame], (drawn) => {
    const finite = mapFloats(drawn, (value) => (Math.abs(value) === Infinity ? Number.NaN : value))
    expect(contentHash(throughText(finite))).toBe(contentHash(finite))
  })
  law("toJson() does not depend on the dictionaries", [twoDictionaries], ({ frame, same }) =>
    expect(FrameJson.toJson(same)).toEqual(FrameJson.toJson(frame))
  )
  it("toJson() has every digit of an int64 as text, and null for a missing value of any type", () => {
    expect(FrameJson.toJson(typedFrame)).toMatchObject({
      trades: ["9223372036854775807", "-9223372036854775807", null],
      halted: [true, false, null],
      venue: ["XNYS", 'Börse "Nord"', null],
      settledAt: [-1, 1_670_889_600_000, null]
    })
    expect(FrameJson.typesOf(typedFrame)).toEqual({
      trades: "int64",
      halted: "bool",
      venue: "category",
      settledAt: "timestamp"
    })
    expect(throughText(typedFrame)).toEqual(typedFrame)
  })
  it("typesOf() says nothing of a frame that has only numbers", () => {
    expect(FrameJson.typesOf(Frames.empty(floatSchema(["open"])))).toEqual({})
  })
  it("fromJson() passes a column over whose type it does not know", () => {
    const { columns } = FrameJson.fromJson({ event_time: [0], open: [1], fee: ["0.1"] }, { fee: "decimal" })
    expect(columns).toEqual([floats("open", 1)])
  })
  it("toJson() names the columns as an Arrow reply does, in its order", () => {
    const bar: Frame = {
      eventTimeMs: Float64Array.of(60_000),
      columns: [floats("open", 0.1), floats("vwap", Number.NaN)],
      flags: Uint32Array.of(257),
      lineage: [{ rows: 1, source: "binance", ingestAtMs: 9, jobId: "0.1" }]
    }
    expect(JSON.stringify(FrameJson.toJson(bar))).toBe(
      '{"event_time":[60000],"open":[0.1],"vwap":[null],"__source":["binance"],"__ingest_at":[9],' +
        '"__backfill_job_id":["0.1"],"__flags":[257]}'
    )
  })
})
