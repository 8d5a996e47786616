/** Do cutting, picking and joining frames keep every row whole? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { floatSchema } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { frame, frameAndOrder, frameAndRows, framesOf, origins } from "../frames.ts"

/** One object a row: the naive frame. */
const rowsOf = (frame: Frame.Frame) => {
  const from = origins(frame.lineage)
  return Array.from(frame.eventTimeMs, (time, row) => ({
    time,
    values: Object.fromEntries(frame.columns.map(({ name, values }) => [name, values[row]])),
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
  law("concat() keeps each column of each frame, and fills with NaN", [fc.array(frame, { maxLength: 4 })], (frames) => {
    const whole = Frame.concat(frames)
    const names = [...new Set(frames.flatMap(namesOf))]
    expect(namesOf(whole)).toEqual(names)
    const absent = Object.fromEntries(names.map((name) => [name, Number.NaN]))
    const rows = frames.flatMap(rowsOf).map((row) => ({ ...row, values: { ...absent, ...row.values } }))
    expect(rowsOf(whole)).toEqual(rows)
  })
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
  it("empty() has the named columns and no rows", () => {
    const frame = Frame.empty(floatSchema(["open", "close"]))
    expect(Frame.length(frame)).toBe(0)
    expect(namesOf(frame)).toEqual(["open", "close"])
  })
  it("concat() of none is a frame without rows or columns", () => {
    expect(Frame.concat([])).toEqual(Frame.empty(floatSchema([])))
  })
})
