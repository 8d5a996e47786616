/** Is a frame the same after its bytes, and does any Arrow reader see the types that we promise? */
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Category from "../../../protocol/frame/Category.ts"
import { type Column, float64, missing } from "../../../protocol/frame/Column.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { floats, floatSchema } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { typedFrame } from "../../support/typedFrame.ts"
import { frame, frameAndRows, text, twoDictionaries } from "../frames.ts"

const asReply = (frame: Frame.Frame, metadata: ReadonlyMap<string, string> = new Map()): Uint8Array =>
  FrameCodec.encode(frame, { lineage: "columns", metadata })

const withDictionaries = (frame: Frame.Frame): Uint8Array =>
  FrameCodec.encode(frame, { lineage: "columns", metadata: new Map(), categories: "dictionary" })

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

/** What another reader of Arrow gives for a column: null for a missing value, but NaN in float64. */
const readable = (column: Column): ReadonlyArray<unknown> => {
  if (column.type === "float64") return Array.from(column.values)
  if (column.type !== "int64") return FrameJson.columnJson(column)
  return Array.from(column.values, (value) => (value === missing.int64 ? null : value))
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
  law("decode() gives back the frame of a reply with dictionaries", [frame], (drawn) =>
    expect(FrameCodec.decode(withDictionaries(drawn)).frame).toEqual(drawn)
  )
  law("encode() gives equal bytes whatever the dictionaries", [twoDictionaries], ({ frame, same }) => {
    expect(asReply(same)).toEqual(asReply(frame))
    expect(withDictionaries(same)).toEqual(withDictionaries(frame))
  })
  law(
    "encode() gives the bytes that Arrow's own writer gives",
    [frame, fc.option(text), fc.boolean(), fc.boolean()],
    (drawn, told, isReply, dictionaries) => {
      const bytes = FrameCodec.encode(drawn, {
        lineage: isReply ? "columns" : "none",
        metadata: new Map(told === null ? [] : [["seamless.told", `{${told}}`]]),
        categories: dictionaries ? "dictionary" : "text"
      })
      expect(Buffer.from(tableToIPC(tableFromIPC(bytes), "stream"))).toEqual(Buffer.from(bytes))
    }
  )
  it("encode() writes columns that share memory as the columns that they are", () => {
    const values = Float64Array.of(1, 2, 3)
    const shared = { ...bars, columns: ["open", "high", "low"].map((name) => float64(name, values)) }
    expect(FrameCodec.decode(asReply(shared)).frame).toEqual(shared)
    const mixed = { ...shared, columns: [...shared.columns, Category.fromTexts("venue", ["a", null, "b"])] }
    expect(FrameCodec.decode(withDictionaries(mixed)).frame).toEqual(mixed)
  })
  law("another reader finds the values and the nulls of every type", [frame, fc.boolean()], (drawn, dictionaries) => {
    const table = tableFromIPC(dictionaries ? withDictionaries(drawn) : asReply(drawn))
    for (const column of drawn.columns) {
      expect(Array.from(table.getChild(column.name) ?? [])).toEqual(readable(column))
    }
  })
  it("encode() writes a column's type, and null where a value is missing", () => {
    const { schema } = tableFromIPC(asReply(typedFrame))
    expect(schema.fields.slice(1, 6).map(({ name, nullable, type }) => [name, String(type), nullable])).toEqual([
      ["close", "Float64", false],
      ["trades", "Int64", true],
      ["halted", "Bool", true],
      ["venue", "Utf8", true],
      ["settledAt", "Timestamp<MILLISECOND, UTC>", true]
    ])
    const read = tableFromIPC(withDictionaries(typedFrame))
    expect(String(read.schema.fields[4]?.type)).toBe("Dictionary<Int32, Utf8>")
    expect(read.getChild("venue")?.data[0]?.dictionary?.toArray()).toEqual(["XNYS", 'Börse "Nord"'])
    expect(read.toArray().map((row) => Object.values(row.toJSON()).slice(1, 6))).toEqual([
      [1.5, 2n ** 63n - 1n, true, "XNYS", -1],
      [2.5, -(2n ** 63n) + 1n, false, 'Börse "Nord"', 1_670_889_600_000],
      [Number.NaN, null, null, null, null]
    ])
  })
  it("encode() says the same schema whether values are missing or not", () => {
    const types = (frame: Frame.Frame) => String(tableFromIPC(asReply(frame)).schema)
    expect(types(Frame.slice(typedFrame, 0, 2))).toBe(types(typedFrame))
  })
  it("decode() keeps the bits of each NaN", () => {
    const values = new Float64Array(BigInt64Array.of(0x7ff8_0000_0000_0001n, -1n, 0x7ff0_0000_0000_0001n).buffer)
    const { frame } = FrameCodec.decode(asReply({ ...typedFrame, columns: [float64("open", values)] }))
    const [column] = frame.columns
    expect(new BigInt64Array(column!.values.slice().buffer)).toEqual(new BigInt64Array(values.buffer))
  })
  it("decode() reads as many texts as there are rows", () => {
    const texts = Array.from({ length: 20_000 }, (_, row) => `order ${(row * 7919) % 20_000}`)
    const column = Category.fromTexts("order", texts)
    const long: Frame.Frame = {
      eventTimeMs: Float64Array.from(texts, (_, row) => row),
      columns: [column],
      flags: new Uint32Array(texts.length),
      lineage: []
    }
    expect(FrameCodec.decode(asReply(long)).frame.columns).toEqual([column])
    expect(FrameCodec.decode(withDictionaries(long)).frame.columns).toEqual([column])
  })
  it("decode() passes a column over whose type is none of ours", () => {
    const batch = tableFromArrays({ event_time: BigInt64Array.of(0n), open: Float64Array.of(1), fee: Uint8Array.of(1) })
    expect(FrameCodec.decode(tableToIPC(batch, "stream")).frame.columns).toEqual([floats("open", 1)])
  })
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
