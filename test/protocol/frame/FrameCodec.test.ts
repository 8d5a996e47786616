/** Is a frame the same after its bytes, and does any Arrow reader see the types that we promise? */
import { tableFromIPC } from "apache-arrow"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Frame from "../../../protocol/frame/Frame.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import { floats, floatSchema } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { frame, frameAndRows, text } from "../frames.ts"

const asReply = (frame: Frame.Frame, metadata: ReadonlyMap<string, string> = new Map()): Uint8Array =>
  FrameCodec.encode(frame, { lineage: "columns", metadata })

/** The bytes at an address that is not a multiple of 8, as a received payload has them. */
const shifted = (bytes: Uint8Array, by: number): Uint8Array => {
  const room = new Uint8Array(bytes.length + by)
  room.set(bytes, by)
  return room.subarray(by)
}

const bars: Frame.Frame = {
  eventTimeMs: Float64Array.of(-60_000, 0, 60_000),
  columns: ["open", "extra"].map((name, index) => floats(name, 1.5, Number.NaN, index)),
  flags: Uint32Array.of(1, 2 ** 32 - 1, 0),
  lineage: [
    { rows: 1, source: "binance", ingestAtMs: 5, jobId: "0.1" },
    { rows: 2, source: "börse", ingestAtMs: 6, jobId: "" }
  ]
}

describe("FrameCodec", () => {
  law("decode() gives back the frame of a reply", [frame], (drawn) =>
    expect(FrameCodec.decode(asReply(drawn)).frame).toEqual(drawn)
  )
  law("decode() gives back a chunk's frame without lineage", [frame], (drawn) => {
    const bytes = FrameCodec.encode(drawn, { lineage: "none", metadata: new Map() })
    expect(FrameCodec.decode(bytes).frame).toEqual({ ...drawn, lineage: [] })
  })
  law("encode() of a part writes that part alone", [frameAndRows], ({ frame, from, to }) => {
    const part = Frame.slice(frame, from, to)
    expect(asReply(part)).toEqual(asReply(Frame.pick(part, Uint32Array.from(part.eventTimeMs.keys()))))
  })
  law("decode() reads from any address", [frame, fc.nat(7)], (drawn, by) =>
    expect(FrameCodec.decode(shifted(asReply(drawn), by)).frame).toEqual(drawn)
  )
  it("decode() keeps a byte-order mark that a source's name begins with", () => {
    const marked = { ...bars, lineage: bars.lineage.map((run) => ({ ...run, source: `\uFEFF${run.source}` })) }
    expect(FrameCodec.decode(asReply(marked)).frame.lineage).toEqual(marked.lineage)
  })
  // Arrow's own reader takes a byte-order mark at the beginning of metadata for none of it; ours is JSON, which has none
  const unmarked = text.filter((drawn) => !drawn.startsWith("\uFEFF"))
  law("decode() gives back the metadata", [fc.dictionary(unmarked, unmarked)], (drawn) => {
    const metadata = new Map(Object.entries(drawn))
    expect(FrameCodec.decode(asReply(bars, metadata)).metadata).toEqual(metadata)
  })
  it("encode() writes the types that other readers rely on, and no dictionaries", () => {
    const { batches, schema } = tableFromIPC(asReply(bars))
    expect(schema.fields.map(({ name, nullable, type }) => [name, String(type), nullable])).toEqual([
      ["event_time", "Timestamp<MILLISECOND, UTC>", false],
      ["open", "Float64", false],
      ["extra", "Float64", false],
      ["__source", "Utf8", false],
      ["__ingest_at", "Timestamp<MILLISECOND, UTC>", false],
      ["__backfill_job_id", "Utf8", false],
      ["__flags", "Uint32", false]
    ])
    expect(schema.dictionaries.size).toBe(0)
    expect(batches.length).toBe(1)
  })
  it("encode() writes rows that another reader reads as they are", () => {
    const rows = tableFromIPC(asReply(bars))
      .toArray()
      .map((row) => Object.values(row.toJSON()))
    expect(rows).toEqual([
      [-60_000, 1.5, 1.5, "binance", 5, "0.1", 1],
      [0, Number.NaN, Number.NaN, "börse", 6, "", 2 ** 32 - 1],
      [60_000, 0, 1, "börse", 6, "", 0]
    ])
  })
  it("encode() of no rows still has the columns", () => {
    const { frame } = FrameCodec.decode(asReply(Frame.empty(floatSchema(["open"]))))
    expect(frame).toEqual(Frame.empty(floatSchema(["open"])))
  })
  it("encode() gives equal bytes for equal frames", () => {
    expect(asReply(bars)).toEqual(asReply(Frame.concat([Frame.slice(bars, 0, 1), Frame.slice(bars, 1, 3)])))
  })
  it("decode() gives views of aligned bytes", () => {
    const bytes = new Uint8Array(asReply(bars))
    expect(FrameCodec.decode(bytes).frame.columns[0]!.values.buffer).toBe(bytes.buffer)
  })
  it("decode() makes no run for each row", () => {
    const rows = 50_000
    const long = { ...Frame.empty(floatSchema([])), eventTimeMs: Float64Array.from({ length: rows }, (_, row) => row) }
    const lineage = [{ rows, source: "binance", ingestAtMs: 7, jobId: "0.1" }]
    const reply = asReply({ ...long, flags: new Uint32Array(rows), lineage })
    expect(FrameCodec.decode(reply).frame.lineage).toEqual(lineage)
  })
})
