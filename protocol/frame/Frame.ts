/**
 * What is a batch of rows?
 *
 * A frame holds its rows by column, in typed arrays: event times, the schema's columns, flags, and lineage as
 * runs. No row is ever an object. A frame is *sealed* when its event times ascend strictly; everything that is stored
 * or answered is sealed.
 */
import * as Column from "./Column.ts"
import * as ColumnRows from "./ColumnRows.ts"
import { concatColumns } from "./concatColumns.ts"
import { type DataSchema } from "./DataSchema.ts"
import * as Lineage from "./Lineage.ts"

/** Rows by column; every column is as long as `eventTimeMs`. */
export interface Frame {
  /** The start of each bar, in epoch milliseconds UTC. */
  readonly eventTimeMs: Float64Array
  /** The schema's columns, in the schema's order; extra columns follow. */
  readonly columns: ReadonlyArray<Column.Column>
  /** Bits of `RowFlag`, one number a row. */
  readonly flags: Uint32Array
  readonly lineage: Lineage.Lineage
}

const empties = new WeakMap<DataSchema, Frame>()

/** A frame without rows that has the columns of a schema. */
export const empty = (schema: DataSchema): Frame => {
  const known = empties.get(schema)
  if (known !== undefined) return known
  const made: Frame = {
    eventTimeMs: new Float64Array(0),
    columns: schema.fields.map(({ name, type }) => Column.absent(name, type, 0)),
    flags: new Uint32Array(0),
    lineage: []
  }
  empties.set(schema, made)
  return made
}

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
        columns: frame.columns.map((column) => ColumnRows.slice(column, from, to)),
        flags: frame.flags.subarray(from, to),
        lineage: Lineage.slice(frame.lineage, from, to)
      }

/** The rows named by `order`, in that order; memory of its own. */
export const pick = (frame: Frame, order: Uint32Array): Frame => ({
  eventTimeMs: ColumnRows.pickFloats(frame.eventTimeMs, order),
  columns: frame.columns.map((column) => ColumnRows.pick(column, order)),
  flags: ColumnRows.pickUints(frame.flags, order),
  lineage: Lineage.pick(frame.lineage, order)
})

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

/** Whether the frame's columns begin with those of each of the others, in the same types. */
const hasAllOf = ({ columns }: Frame, others: ReadonlyArray<Frame>): boolean =>
  others.every((other) =>
    other.columns.every(({ name, type }, place) => columns[place]?.name === name && columns[place].type === type)
  )

/**
 * The rows of all frames, one after another. Columns are those of any frame, in the order in which they are first met;
 * a frame that lacks one gives missing values. A first frame without rows says the types of its columns, as `empty`
 * does for a schema's, where those have a place for all values; other columns have the type of their values. Where one
 * frame has all of it already, it is that frame, and memory is shared.
 */
export const concat = (frames: ReadonlyArray<Frame>): Frame => {
  const [only, ...others] = frames.filter((frame) => length(frame) > 0)
  // most answers are rows of one chunk, beside the schema that it was made by
  if (only !== undefined && others.length === 0 && hasAllOf(only, frames)) return only
  if (frames.length === 1) return frames[0]!
  const rows = frames.reduce((sum, frame) => sum + length(frame), 0)
  const names = new Set(frames.flatMap((frame) => frame.columns.map((column) => column.name)))
  const out: Frame = {
    eventTimeMs: new Float64Array(rows),
    columns: Array.from(names, (name) =>
      concatColumns(
        name,
        frames.map((frame) => ({ column: frame.columns.find((column) => column.name === name), rows: length(frame) }))
      )
    ),
    flags: new Uint32Array(rows),
    lineage: Lineage.compact(frames.flatMap((frame) => frame.lineage))
  }
  let row = 0
  for (const frame of frames) {
    out.eventTimeMs.set(frame.eventTimeMs, row)
    out.flags.set(frame.flags, row)
    row += length(frame)
  }
  return out
}
