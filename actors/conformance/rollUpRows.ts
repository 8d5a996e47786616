/**
 * How do rows that are finer than their bars become bars?
 */
import { Result } from "effect"
import { absent, type Column } from "../../protocol/frame/Column.ts"
import type { DataSchema, Field } from "../../protocol/frame/DataSchema.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { type Batch, pick } from "./Batch.ts"
import type { BarsOfTrades } from "./barsOfTrades.ts"
import { ConformanceFailed } from "./ConformanceFailed.ts"
import { markDuplicates } from "./markDuplicates.ts"
import { rollUpBars } from "./rollUpBars.ts"

const columnOf = (
  field: Field,
  rolledUp: ReadonlyArray<Column>,
  rows: number
): Result.Result<Column, ConformanceFailed> => {
  const column = rolledUp.find(({ name }) => name === field.name)
  if (column !== undefined) return Result.succeed(column)
  if (!field.required) return Result.succeed(absent(field.name, field.type, rows))
  const message = `${field.name} is required, and nothing says what a longer bar has of it: name its rollUp`
  return Result.fail(new ConformanceFailed({ step: "rollUp", column: field.name, message }))
}

/**
 * The bars of samples or shorter bars, each of a time of its own: a row that is given again counts once. Columns that
 * are not the schema's are left out. Writes `flags` in place.
 */
export const rollUpRows = (
  batch: Batch,
  interval: Interval,
  schema: DataSchema,
  versionColumn?: string
): Result.Result<BarsOfTrades, ConformanceFailed> => {
  const { gaveWayCount, rows } = markDuplicates(batch, versionColumn)
  const ordered = rows === "all" ? batch : pick(batch, rows)
  const { columns, eventTimeMs, flags } = rollUpBars({ ...ordered, lineage: [] }, interval, schema.fields)
  return Result.map(
    Result.all(schema.fields.map((field) => columnOf(field, columns, eventTimeMs.length))),
    (columns): BarsOfTrades => ({ batch: { eventTimeMs, columns, flags }, gaveWayCount })
  )
}
