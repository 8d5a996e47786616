/**
 * Which float64 columns are in the rows given?
 *
 * The schema's columns come first, in its order; what a source gives beyond them stays behind, in the source's order.
 */
import { Result } from "effect"
import { type Column, float64, type FloatColumn } from "../../protocol/frame/Column.ts"
import { type DataSchema, fieldNames, reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type { RawColumn, RawRows } from "../../protocol/frame/RawRows.ts"
import { ConformanceFailed, quote } from "./ConformanceFailed.ts"

/**
 * Numbers and decimal text become float64; null, `""` and `"NaN"` are missing values and become NaN. A column that is a
 * `Float64Array` already is passed on as it is. An optional column that is absent is filled with NaN.
 *
 * Fails where a required column is absent, text is no decimal number, a column is longer or shorter than the event
 * times, or a name is given twice or belongs to the columns of time and lineage.
 */
export const castColumns = (
  { columns, eventTime }: RawRows,
  schema: DataSchema
): Result.Result<ReadonlyArray<Column>, ConformanceFailed> => {
  const fault = findFault(columns, schema, eventTime.length)
  if (fault !== undefined) return Result.fail(fault)
  const promised = fieldNames(schema)
  const extra = columns.map((column) => column.name).filter((name) => !promised.includes(name))
  const given = new Map(columns.map((column) => [column.name, column]))
  return Result.all(
    [...promised, ...extra].map((name) => castColumn(given.get(name) ?? absent(name, eventTime.length)))
  )
}

const absent = (name: string, rows: number): FloatColumn => float64(name, new Float64Array(rows).fill(Number.NaN))

const findFault = (
  columns: ReadonlyArray<RawColumn>,
  schema: DataSchema,
  rows: number
): ConformanceFailed | undefined => {
  const seen = new Set<string>()
  for (const { name, values } of columns) {
    if (seen.has(name)) return fail(name, `${name} is given twice`)
    if (isReserved(name)) return fail(name, `${name} is a name of the columns of time and lineage`)
    if (values.length !== rows) return fail(name, `${name} has ${values.length} values for ${rows} event times`)
    seen.add(name)
  }
  const missing = schema.fields.find((field) => field.required && !seen.has(field.name))
  return missing && fail(missing.name, `${missing.name} is required and absent`)
}

const fail = (column: string, message: string): ConformanceFailed =>
  new ConformanceFailed({ step: "castColumns", column, message })

const isReserved = (name: string): boolean => (Object.values(reservedColumns) as ReadonlyArray<string>).includes(name)

const castColumn = ({ name, values }: RawColumn): Result.Result<Column, ConformanceFailed> => {
  if (values instanceof Float64Array) return Result.succeed(float64(name, values))
  const out = new Float64Array(values.length)
  for (let row = 0; row < values.length; row++) {
    const given = values[row] ?? ""
    const value = typeof given === "number" ? given : parseDecimal(given)
    if (value === undefined) {
      const message = `${name}, row ${row}: ${quote(given)} is no decimal number`
      return Result.fail(new ConformanceFailed({ step: "castColumns", column: name, row, message }))
    }
    out[row] = value
  }
  return Result.succeed(float64(name, out))
}

// Stricter than Number(), which also reads hexadecimal, blanks and "Infinity".
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

const parseDecimal = (text: string): number | undefined => {
  if (text === "" || text === "NaN") return Number.NaN
  const value = decimal.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}
