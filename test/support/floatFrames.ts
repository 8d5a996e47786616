/**
 * How do tests say columns of numbers?
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

const asFloats = (column: Column): FloatColumn => {
  if (column.type !== "float64") throw new TypeError(`${column.name} is ${column.type}, not float64`)
  return column
}

/** The columns of a frame that has only numbers; any other fails the test. */
export const floatColumns = ({ columns }: Frame): ReadonlyArray<FloatColumn> => columns.map(asFloats)

/** The frame with each number of its columns of float64 changed. */
export const mapFloats = (frame: Frame, change: (value: number) => number): Frame => ({
  ...frame,
  columns: frame.columns.map((column) =>
    column.type === "float64" ? float64(column.name, column.values.map(change)) : column
  )
})
