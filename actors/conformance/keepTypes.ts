/**
 * Does a column that no schema names keep its type from page to page of one answer?
 *
 * Its type is that of its values, so one that changes would make rows depend on where pages end.
 */
import { Result } from "effect"
import type { ColumnType } from "../../protocol/frame/Column.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { ConformanceFailed } from "./ConformanceFailed.ts"

/** The types of such columns by name, as far as pages had values of them. */
export type KnownTypes = ReadonlyMap<string, ColumnType>

/** What is known behind one more page; fails at the first column that has another type than on a page before. */
export const keepTypes = (
  { columns }: Pick<Frame, "columns">,
  { fields }: DataSchema,
  before: KnownTypes
): Result.Result<KnownTypes, ConformanceFailed> => {
  const promised = new Set(fields.map(({ name }) => name))
  const types = new Map(before)
  for (const { name, type } of columns) {
    if (promised.has(name)) continue
    const known = types.get(name) ?? type
    if (known !== type) {
      const message = `${name} is ${type}, and ${known} on the pages before: name it in the schema, or drop it`
      return Result.fail(new ConformanceFailed({ step: "castColumns", column: name, message }))
    }
    types.set(name, type)
  }
  return Result.succeed(types)
}
