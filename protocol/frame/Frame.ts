/**
 * What is a batch of rows?
 *
 * A frame holds its rows by column, in typed arrays: event times, the schema's float64 columns, flags, and lineage as
 * runs. No row is ever an object. A frame is *sealed* when its event times ascend strictly; everything that is stored
 * or answered is sealed.
 */
import { type Column, pickFloats } from "./Column.ts"
import * as Lineage from "./Lineage.ts"

/** Rows by column; every column is as long as `eventTimeMs`. */
export interface Frame {
  /** The start of each bar, in epoch milliseconds UTC. */
  readonly eventTimeMs: Float64Array
  /** The schema's columns, in the schema's order; extra columns follow. */
  readonly columns: ReadonlyArray<Column>
  /** Bits of `RowFlag`, one number a row. */
  readonly flags: Uint32Array
  readonly lineage: Lineage.Lineage
}

/** A frame without rows that has the named columns. */
export const empty = (columnNames: Iterable<string>): Frame => ({
  eventTimeMs: new Float64Array(0),
  columns: Array.from(columnNames, (name) => ({ name, values: new Float64Array(0) })),
  flags: new Uint32Array(0),
  lineage: []
})

/** Whether event times ascend strictly, as those of a sealed frame do. */
export const isAscending = (eventTimeMs: Float64Array): boolean => {
  for (let row = 1; row < eventTimeMs.length; row++) {
    if (!(eventTimeMs[row - 1]! < eventTimeMs[row]!)) return false
  }
  return true
}

/** How many rows. */
export const length = (frame: Frame): number => frame.eventTimeMs.length

/** Rows `[from, to)`, sharing memory with `frame`. */
export const slice = (frame: Frame, from: number, to: number): Frame =>
  from === 0 && to === length(frame)
    ? frame
    : {
        eventTimeMs: frame.eventTimeMs.subarray(from, to),
        columns: frame.columns.map(({ name, values }) => ({ name, values: values.subarray(from, to) })),
        flags: frame.flags.subarray(from, to),
        lineage: Lineage.slice(frame.lineage, from, to)
      }

/** The rows named by `order`, in that order; memory of its own. */
export const pick = (frame: Frame, order: Uint32Array): Frame => ({
  eventTimeMs: pickFloats(frame.eventTimeMs, order),
  columns: frame.columns.map(({ name, values }) => ({ name, values: pickFloats(values, order) })),
  flags: pickFlags(frame.flags, order),
  lineage: Lineage.pick(frame.lineage, order)
})

const pickFlags = (flags: Uint32Array, order: Uint32Array): Uint32Array => {
  const out = new Uint32Array(order.length)
  for (let row = 0; row < order.length; row++) out[row] = flags[order[row]!]!
  return out
}

/** The first row of a sealed frame whose event time is `timeMs` or later; the frame's length when there is none. */
export const lowerBound = (frame: Frame, timeMs: number): number => {
  let low = 0
  let high = length(frame)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (frame.eventTimeMs[middle]! < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows of a sealed frame with event times in `[start, end)`, sharing memory with it. */
export const within = (frame: Frame, start: number, end: number): Frame =>
  slice(frame, lowerBound(frame, start), lowerBound(frame, end))

/**
 * The rows of all frames, one after another. Columns are those of any frame, in the order in which they are first met;
 * a frame that lacks one gives NaN, the sentinel of a missing value.
 */
export const concat = (frames: ReadonlyArray<Frame>): Frame => {
  if (frames.length === 1) return frames[0]!
  const rows = frames.reduce((sum, frame) => sum + length(frame), 0)
  const names = new Set(frames.flatMap((frame) => frame.columns.map((column) => column.name)))
  const out: Frame = {
    eventTimeMs: new Float64Array(rows),
    columns: Array.from(names, (name) => ({ name, values: new Float64Array(rows) })),
    flags: new Uint32Array(rows),
    lineage: Lineage.compact(frames.flatMap((frame) => frame.lineage))
  }
  let row = 0
  for (const frame of frames) {
    out.eventTimeMs.set(frame.eventTimeMs, row)
    out.flags.set(frame.flags, row)
    for (const { name, values } of out.columns) {
      const given = frame.columns.find((column) => column.name === name)
      if (given === undefined) values.fill(Number.NaN, row, row + length(frame))
      else values.set(given.values, row)
    }
    row += length(frame)
  }
  return out
}
