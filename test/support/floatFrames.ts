/**
 * How do tests say frames whose columns are all numbers?
 */
import { type Column, float64, type FloatColumn } from "../../protocol/frame/Column.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"

/** A column of these numbers. */
export const floats = (name: string, ...values: ReadonlyArray<number>): FloatColumn =>
  float64(name, Float64Array.from(values))

/** A contract of required numbers under these names. */
export const floatSchema = (names: ReadonlyArray<string>): DataSchema => ({
  version: 1,
  fields: names.map((name) => ({ name, type: "float64", required: true }))
})

/** The column, which is one of numbers; any other fails the test. */
const asFloats = (column: Column): FloatColumn => {
  if (column.type !== "float64") throw new TypeError(`${column.name} is ${column.type}, not float64`)
  return column
}

/** The columns of a frame that has only numbers. */
export const floatColumns = ({ columns }: Frame): ReadonlyArray<FloatColumn> => columns.map(asFloats)

/** A frame that has only numbers, each of them changed. */
export const mapFloats = (frame: Frame, change: (value: number) => number): Frame => ({
  ...frame,
  columns: floatColumns(frame).map(({ name, values }) => float64(name, values.map(change)))
})
