/** Do cutting, picking and joining frames keep every row whole? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Category from "../../../protocol/frame/Category.ts"
import * as Column from "../../../protocol/frame/Column.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { toJson } from "../../../protocol/frame/FrameJson.ts"
import { hasValue } from "../../../protocol/frame/hasValue.ts"
import { floats, floatSchema } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { frame, frameAndOrder, frameAndRows, framesOf, origins, valuesOf } from "../frames.ts"

/** One object a row: the naive frame. */
const rowsOf = (frame: Frame.Frame) => {
  const from = origins(frame.lineage)
  const columns = frame.columns.map((column) => ({ name: column.name, values: valuesOf(column) }))
  return Array.from(frame.eventTimeMs, (time, row) => ({
    time,
    values: Object.fromEntries(columns.map(({ name, values }) => [name, values[row]])),
    flags: frame.flags[row],
    from: from[row]
  }))
}

const namesOf = (frame: Frame.Frame) => frame.columns.map(({ name }) => name)

describe("Frame", () => {
  law("slice() gives the rows in between, in shared memory", [frameAndRows], ({ frame, from, to }) => {
    const part = Frame.slice(frame, from, to)
    expect(rowsOf(part)).toEqual(rowsOf(frame).slice(from, to))
    expect(namesOf(part)).toEqual(namesOf(frame))
    expect(part.eventTimeMs.buffer).toBe(frame.eventTimeMs.buffer)
  })
  law("pick() gives the named rows, in memory of its own", [frameAndOrder], ({ frame, order }) => {
    const picked = Frame.pick(frame, order)
    expect(rowsOf(picked)).toEqual(Array.from(order, (row) => rowsOf(frame)[row]))
    expect(picked.eventTimeMs.buffer).not.toBe(frame.eventTimeMs.buffer)
  })
  law("concat() puts together what slice() took apart", [frameAndRows], ({ frame, from, to }) => {
    const parts = [
      Frame.slice(frame, 0, from),
      Frame.slice(frame, from, to),
      Frame.slice(frame, to, Frame.length(frame))
    ]
    expect(Frame.concat(parts)).toEqual(frame)
  })
  law(
    "concat() keeps each column of each frame, and fills with missing values",
    [fc.array(frame, { maxLength: 4 })],
    (frames) => {
      const whole = Frame.concat(frames)
      const names = [...new Set(frames.flatMap(namesOf))]
      expect(namesOf(whole)).toEqual(names)
      const absent = Object.fromEntries(
        frames
          .flatMap((each) => each.columns)
          .map(({ name, type }) => [name, valuesOf(Column.absent(name, type, 1))[0]])
      )
      const rows = frames.flatMap(rowsOf).map((row) => ({ ...row, values: { ...absent, ...row.values } }))
      expect(rowsOf(whole)).toEqual(rows)
    }
  )
  law("concat() associates", [frame, frame, frame], (a, b, c) =>
    expect(Frame.concat([Frame.concat([a, b]), c])).toEqual(Frame.concat([a, Frame.concat([b, c])]))
  )
  law("within() gives the rows whose times are in the range", [frame, fc.integer(), fc.integer()], (frame, a, b) => {
    const [start, end] = [Math.min(a, b), Math.max(a, b)]
    const inside = rowsOf(frame).filter(({ time }) => time >= start && time < end)
    expect(rowsOf(Frame.within(frame, start, end))).toEqual(inside)
  })
  law("lowerBound() counts the rows before a time", [framesOf([]), fc.integer({ min: -60, max: 60 })], (frame, time) =>
    expect(Frame.lowerBound(frame, time)).toBe(frame.eventTimeMs.filter((each) => each < time).length)
  )
  it("concat() makes one dictionary of several, with each text once", () => {
    const one = (timeMs: number, ...texts: ReadonlyArray<string>): Frame.Frame => ({
      ...Frame.empty(floatSchema([])),
      eventTimeMs: Float64Array.from(texts, (_, row) => timeMs + row),
      columns: [Category.fromTexts("venue", texts)],
      flags: new Uint32Array(texts.length)
    })
    const [column] = Frame.concat([one(0, "XNYS", "ARCX"), one(10, "BATS", "XNYS")]).columns
    expect(column).toMatchObject({ values: Uint32Array.of(0, 1, 2, 0), dictionary: ["XNYS", "ARCX", "BATS"] })
  })
  it("concat() gives the promised type where that holds all values, and loses none where it does not", () => {
    const one = (column: Column.Column): Frame.Frame => ({
      ...Frame.empty(floatSchema([])),
      eventTimeMs: new Float64Array(column.values.length).map((_, row) => row),
      columns: [column],
      flags: new Uint32Array(column.values.length)
    })
    const whole = one(floats("trades", 7, -0, Number.NaN))
    const broken = one(floats("trades", 0.5, Infinity))
    const ints = one({ name: "trades", type: "int64", values: BigInt64Array.of(8n, Column.missing.int64) })
    const long = one({ name: "trades", type: "int64", values: BigInt64Array.of(2n ** 53n + 1n) })
    const texts = one(Category.fromTexts("trades", ["many"]))
    const promise = (frame: Frame.Frame) => Frame.slice(frame, 0, 0)
    const joined = (...frames: ReadonlyArray<Frame.Frame>) => Frame.concat(frames).columns[0]
    expect(joined(promise(ints), ints, long, whole)?.values).toEqual(
      BigInt64Array.of(8n, Column.missing.int64, 2n ** 53n + 1n, 7n, 0n, Column.missing.int64)
    )
    expect(joined(promise(whole), whole, ints)).toEqual(floats("trades", 7, -0, Number.NaN, 8, Number.NaN))
    expect(joined(promise(ints), ints, broken)).toEqual(floats("trades", 8, Number.NaN, 0.5, Infinity))
    expect(joined(promise(whole), long)).toEqual(long.columns[0])
    expect(joined(promise(texts), broken)).toEqual(broken.columns[0])
    expect(joined(promise(ints), ints, texts)).toEqual(Category.fromTexts("trades", ["8", null, "many"]))
  })

  const column = fc.oneof(
    fc.array(fc.constantFrom(7, 0.5, Number.NaN)).map((values) => floats("extra", ...values)),
    fc
      .array(fc.constantFrom(7n, 2n ** 53n + 1n, Column.missing.int64))
      .map((values): Column.Column => ({ name: "extra", type: "int64", values: BigInt64Array.from(values) })),
    fc
      .array(fc.constantFrom(0, 1, Column.missing.bool))
      .map((values): Column.Column => ({ name: "extra", type: "bool", values: Uint8Array.from(values) })),
    fc.array(fc.constantFrom("007", "7", null)).map((texts) => Category.fromTexts("extra", texts))
  )
  const extras = column.map((column): Frame.Frame => ({
    ...Frame.empty(floatSchema([])),
    eventTimeMs: new Float64Array(column.values.length),
    columns: [column],
    flags: new Uint32Array(column.values.length)
  }))
  law("concat() loses no value where a column is of several types", [fc.array(extras, { maxLength: 5 })], (frames) => {
    // a first frame without rows would say the type
    const parts = frames.filter((each) => Frame.length(each) > 0)
    const textsOf = (each: Frame.Frame) =>
      (toJson(each)["extra"] ?? []).map((value) => (value === null ? null : String(value)))
    expect(textsOf(Frame.concat(parts))).toEqual(parts.flatMap(textsOf))
    const types = new Set(parts.flatMap(({ columns }) => columns.filter(hasValue).map(({ type }) => type)))
    const [type] = Frame.concat(parts).columns.map((column) => column.type)
    if (types.size === 1) expect([...types]).toEqual([type])
    for (const promised of Column.columnTypes) {
      const empty = { ...Frame.empty(floatSchema([])), columns: [Column.absent("extra", promised, 0)] }
      expect(textsOf(Frame.concat([empty, ...parts]))).toEqual(parts.flatMap(textsOf))
    }
  })
  it("concat() keeps the dictionary that slices share, also beside a frame without rows", () => {
    const column = Category.fromTexts("venue", ["XNYS", "ARCX"])
    const whole: Frame.Frame = {
      ...Frame.empty(floatSchema([])),
      eventTimeMs: Float64Array.of(0, 1),
      columns: [column],
      flags: new Uint32Array(2)
    }
    const none = { ...Frame.empty(floatSchema([])), columns: [Column.absent("venue", "category", 0)] }
    const [joined] = Frame.concat([none, Frame.slice(whole, 0, 1), Frame.slice(whole, 1, 2)]).columns
    expect(joined).toEqual(column)
    expect(joined).toHaveProperty("dictionary", column.dictionary)
  })
  it("empty() has the named columns and no rows", () => {
    const frame = Frame.empty(floatSchema(["open", "close"]))
    expect(Frame.length(frame)).toBe(0)
    expect(namesOf(frame)).toEqual(["open", "close"])
  })
  it("concat() of none is a frame without rows or columns", () => {
    expect(Frame.concat([])).toEqual(Frame.empty(floatSchema([])))
  })
})
