/**
 * Which columns has a chunk?
 *
 * Those follow from its rows alone, not from the answers and pages in which these came.
 */
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { hasValue } from "../../protocol/frame/hasValue.ts"

/**
 * The frame with the columns of the schema as they are; behind them, in the order of their names, the others of which
 * some row has a value.
 */
export const chunkColumns = (frame: Frame, { fields }: DataSchema): Frame => {
  const promised = new Set(fields.map(({ name }) => name))
  const extra = frame.columns.filter((column) => !promised.has(column.name) && hasValue(column))
  return {
    ...frame,
    columns: [
      ...frame.columns.filter(({ name }) => promised.has(name)),
      ...extra.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    ]
  }
}
