/** Is a frame the same after its JSON, but for what JSON can't say? */
import { describe, expect, it } from "vitest"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { floats, mapFloats } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { frame } from "../frames.ts"

const throughText = (frame: Frame): Frame => {
  const columns: FrameJson.JsonColumns = JSON.parse(JSON.stringify(FrameJson.toJson(frame)))
  return FrameJson.fromJson(columns)
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
