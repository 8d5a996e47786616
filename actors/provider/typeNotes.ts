/** What should a reader know of columns that are not of the type that the schema promises? */
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { Column } from "../../protocol/frame/Column.ts"

/** What is known of columns without their values. */
export interface ColumnTypes {
  readonly columns: ReadonlyArray<Pick<Column, "name" | "type">>
}

/** A sentence for each column that came in another type, since that of the schema has no place for a stored value. */
export const typeNotes = ({ fields }: DataSchema, { columns }: ColumnTypes): ReadonlyArray<string> =>
  fields.flatMap(({ name, type }) => {
    const given = columns.find((column) => column.name === name)?.type ?? type
    return given === type
      ? []
      : [`${name} is ${given} here: not all that is stored of it is ${type}, as the schema says`]
  })
