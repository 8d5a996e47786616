/**
 * Which of the columns given stands for which column of the schema?
 */
import { Result } from "effect"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import { type DataSchema, type Field, reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type { RawColumn, RawRows } from "../../protocol/frame/RawRows.ts"
import { ConformanceFailed } from "./ConformanceFailed.ts"

/** A column of the schema, and what was given for it, if anything. */
interface Selected {
  readonly field: Field
  readonly given: RawColumn | undefined
}

/** All columns that a frame is to have. */
export interface Selection {
  /** Those of the schema, in its order. */
  readonly promised: ReadonlyArray<Selected>
  /** What else was given and is kept, in the source's order. */
  readonly extra: ReadonlyArray<RawColumn>
}

const fail = (column: string, message: string): ConformanceFailed =>
  new ConformanceFailed({ step: "castColumns", column, message })

const reserved: ReadonlyArray<string> = Object.values(reservedColumns)

/** What is wrong with the columns as such, if anything. */
const findFault = (columns: ReadonlyArray<RawColumn>, rows: number): ConformanceFailed | undefined => {
  const seen = new Set<string>()
  for (const { name, values } of columns) {
    if (seen.has(name)) return fail(name, `${name} is given twice`)
    if (reserved.includes(name)) return fail(name, `${name} is a name of the columns of time and lineage`)
    if (values.length !== rows) return fail(name, `${name} has ${values.length} values for ${rows} event times`)
    seen.add(name)
  }
  return undefined
}

/** The names under which a source may give a field. */
const namesOf = ({ from, name }: Field): ReadonlyArray<string> => [name, ...(from ?? [])]

const selectField = (
  field: Field,
  columns: ReadonlyMap<string, RawColumn>
): Result.Result<Selected, ConformanceFailed> => {
  const found = [...new Set(namesOf(field))].filter((name) => columns.has(name))
  if (found.length > 1) return Result.fail(fail(field.name, `${field.name} is given as ${found.join(" and as ")}`))
  if (found.length === 0 && field.required) {
    const looked = field.from === undefined ? "" : `, also as ${field.from.join(", ")}`
    return Result.fail(fail(field.name, `${field.name} is required and absent${looked}`))
  }
  return Result.succeed({ field, given: columns.get(found[0] ?? field.name) })
}

/**
 * A column of the schema is given under its own name or one of those that its field lists. Fails where a required
 * column is absent, where two stand for one, where a column is longer or shorter than the event times, where a name is
 * given twice or belongs to the columns of time and lineage, and where the rules want no others and there is one.
 */
export const selectColumns = (
  { columns, eventTime }: RawRows,
  { fields }: DataSchema,
  { drop = [], extraColumns = "keep" }: ConformanceRules
): Result.Result<Selection, ConformanceFailed> => {
  const taken = columns.filter(({ name }) => !drop.includes(name))
  const fault = findFault(taken, eventTime.length)
  if (fault !== undefined) return Result.fail(fault)
  const byName = new Map(taken.map((column) => [column.name, column]))
  const names = new Set(fields.flatMap(namesOf))
  const extra = taken.filter(({ name }) => !names.has(name))
  if (extraColumns === "fail" && extra.length > 0) {
    return Result.fail(fail(extra[0]!.name, `${extra[0]!.name} is no column of the schema`))
  }
  return Result.map(Result.all(fields.map((field) => selectField(field, byName))), (promised) => ({
    promised,
    extra: extraColumns === "keep" ? extra : []
  }))
}
