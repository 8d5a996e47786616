/** Has the same data one hash, however it came, and other data another? */
import { createHash } from "node:crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Category from "../../../protocol/frame/Category.ts"
import { type Column, columnTypes, absent, float64, missing } from "../../../protocol/frame/Column.ts"
import { contentHash, sha256 } from "../../../protocol/frame/contentHash.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import { floats, floatSchema, mapFloats } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { frame, frameAndRows, lineageOf, twoDictionaries } from "../frames.ts"

const one = (name: string, value: number, timeMs = 0): Frame.Frame => ({
  ...Frame.empty(floatSchema([])),
  eventTimeMs: Float64Array.of(timeMs),
  flags: new Uint32Array(1),
  columns: [floats(name, value)]
})

/** The column with another value in that row. */
const withChange = (column: Column, row: number): Column => {
  const change = <Values extends { [row: number]: Value }, Value>(values: Values, either: readonly [Value, Value]) => {
    values[row] = values[row] === either[0] ? either[1] : either[0]
    return values
  }
  switch (column.type) {
    case "float64":
    case "timestamp":
      return { ...column, values: change(column.values.slice(), [1, 2]) }
    case "int64":
      return { ...column, values: change(column.values.slice(), [1n, 2n]) }
    case "bool":
      return { ...column, values: change(column.values.slice(), [0, 1]) }
    case "category": {
      const texts = Category.toTexts(column)
      return Category.fromTexts(column.name, texts.with(row, texts[row] === "one" ? "another" : "one"))
    }
  }
}

/** A NaN with bits of its own. */
const otherNaN = new Float64Array(BigInt64Array.of(0x7ff8_0000_0000_0001n).buffer)

describe("contentHash", () => {
  law("contentHash() does not depend on how a frame was sliced and joined", [frameAndRows], ({ frame, from, to }) => {
    const parts = [
      Frame.slice(frame, 0, from),
      Frame.slice(frame, from, to),
      Frame.slice(frame, to, Frame.length(frame))
    ]
    expect(contentHash(Frame.concat(parts))).toBe(contentHash(frame))
  })
  law("contentHash() is kept through the bytes of a chunk", [frame], (drawn) => {
    const bytes = FrameCodec.encode(drawn, { lineage: "none", metadata: new Map() })
    expect(contentHash(FrameCodec.decode(bytes).frame)).toBe(contentHash(drawn))
  })
  law("contentHash() does not see lineage and flags", [frame, fc.nat(30).chain(lineageOf)], (drawn, lineage) =>
    expect(contentHash({ ...drawn, lineage, flags: drawn.flags.map((bits) => bits ^ 1) })).toBe(contentHash(drawn))
  )
  law("contentHash() sees one zero, whatever its sign", [frame], (drawn) =>
    expect(contentHash(mapFloats(drawn, (value) => (Object.is(value, -0) ? 0 : value)))).toBe(contentHash(drawn))
  )
  law("contentHash() sees each change of a value", [frameAndRows, fc.nat()], ({ frame, from }, which) => {
    fc.pre(from < Frame.length(frame) && frame.columns.length > 0)
    const columns = frame.columns.map((column, index) =>
      index === which % frame.columns.length ? withChange(column, from) : column
    )
    expect(contentHash({ ...frame, columns })).not.toBe(contentHash(frame))
  })
  law("contentHash() sees texts, and not the dictionary that they are held in", [twoDictionaries], ({ frame, same }) =>
    expect(contentHash(same)).toBe(contentHash(frame))
  )
  law("contentHash() leaves the frame as it is", [frame], (drawn) => {
    const copy = structuredClone(drawn)
    contentHash(drawn)
    expect(drawn).toEqual(copy)
  })
  it("contentHash() sees one NaN, whatever its bits", () => {
    const frame = one("open", Number.NaN)
    expect(new Uint8Array(otherNaN.buffer)).not.toEqual(new Uint8Array(frame.columns[0]!.values.buffer))
    const other = { ...frame, columns: [float64("open", otherNaN)] }
    expect(contentHash(other)).toBe(contentHash(frame))
  })
  it("contentHash() sees times, names, extra columns and the number of rows", () => {
    const frame = one("open", 1)
    const others = [one("open", 1, 60_000), one("close", 1), one("open", Number.NaN), Frame.slice(frame, 0, 0)]
    const extra = { ...frame, columns: [...frame.columns, ...one("trades", 1).columns] }
    expect(new Set([frame, ...others, extra].map(contentHash)).size).toBe(6)
  })
  it("contentHash() is kept through bytes also of text that has no form in UTF-8", () => {
    const venue = Category.fromTexts("venue", ["\uD83D", "\uDE00", "\uFFFD"])
    const drawn = {
      ...one("open", 1),
      eventTimeMs: Float64Array.of(0, 1, 2),
      columns: [venue],
      flags: new Uint32Array(3)
    }
    const bytes = FrameCodec.encode(drawn, { lineage: "none", metadata: new Map() })
    expect(contentHash(FrameCodec.decode(bytes).frame)).toBe(contentHash(drawn))
  })
  it("contentHash() sees the type of a column, but for numbers that float64 and int64 have alike", () => {
    const columns: ReadonlyArray<Column> = [
      float64("open", Float64Array.of(1)),
      { name: "open", type: "timestamp", values: Float64Array.of(1) },
      { name: "open", type: "int64", values: BigInt64Array.of(2n ** 53n) },
      float64("open", Float64Array.of(2 ** 53)),
      { name: "open", type: "bool", values: Uint8Array.of(1) },
      Category.fromTexts("open", ["1"])
    ]
    const hashes = columns.map((column) => contentHash({ ...one("open", 1), columns: [column] }))
    expect(new Set(hashes).size).toBe(columnTypes.length + 1)
  })
  law("contentHash() does not see a column without any value, wherever it is", [frame, fc.nat()], (drawn, rank) => {
    for (const type of columnTypes) {
      const at = rank % (drawn.columns.length + 1)
      const columns = drawn.columns.toSpliced(at, 0, absent("none of this name", type, Frame.length(drawn)))
      expect(contentHash({ ...drawn, columns })).toBe(contentHash(drawn))
    }
  })
  const safe = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 1 - 2 ** 53, 2 ** 53 - 1, -(2 ** 32), Number.NaN))
  law("contentHash() does not see whether numbers are float64 or int64", [fc.array(safe)], (numbers) => {
    const values = BigInt64Array.from(numbers, (value) => (Number.isNaN(value) ? missing.int64 : BigInt(value)))
    const frameOf = (column: Column): Frame.Frame => ({
      ...one("open", 1),
      eventTimeMs: Float64Array.from(numbers, (_, row) => row),
      columns: [column],
      flags: new Uint32Array(numbers.length)
    })
    const asInts = contentHash(frameOf({ name: "trades", type: "int64", values }))
    expect(asInts).toBe(contentHash(frameOf(floats("trades", ...numbers))))
  })
  law("contentHash() does not see the order of columns", [frame, fc.nat()], (drawn, rank) => {
    const at = rank % (drawn.columns.length + 1)
    const columns = [...drawn.columns.slice(at), ...drawn.columns.slice(0, at)].toReversed()
    expect(contentHash({ ...drawn, columns })).toBe(contentHash(drawn))
  })
  it("contentHash() has the columns of a bar first, and the others by code points", () => {
    const names = ["open", "high", "low", "close", "volume", "Close", "aa", "vwap", "\uFB01", "\u{1F600}"]
    const hash = createHash("sha256").update("1\n").update(new Uint8Array(8))
    for (const name of names) hash.update(`${name}\n`).update(new Uint8Array(Float64Array.of(1).buffer))
    const columns = names.toSorted().map((name) => floats(name, 1))
    expect(contentHash({ ...one("open", 1), columns })).toBe(hash.digest("hex"))
  })
  it("contentHash() is one for no rows, whatever the columns", () => {
    const none = ["open", "trades"].map((name) => contentHash(Frame.slice(one(name, 1), 0, 0)))
    const hash = createHash("sha256").update("0\nopen\nhigh\nlow\nclose\nvolume\n").digest("hex")
    expect(none).toEqual([hash, hash])
  })
  it("contentHash() is what its documentation says", () => {
    const bytes = new DataView(new ArrayBuffer(16))
    bytes.setFloat64(0, 60_000, true)
    bytes.setFloat64(8, 1.5, true)
    const hash = createHash("sha256")
    hash
      .update("1\n")
      .update(new Uint8Array(bytes.buffer, 0, 8))
      .update("open\n")
      .update(new Uint8Array(bytes.buffer, 8))
    expect(contentHash(one("open", 1.5, 60_000))).toBe(hash.digest("hex"))
  })
  it("sha256() is the same for text and for its bytes", () => {
    expect(sha256("é")).toBe(sha256(new TextEncoder().encode("é")))
  })
})
