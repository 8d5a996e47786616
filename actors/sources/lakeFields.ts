/**
 * Which columns of a file does the schema of a series name?
 *
 * Pure. Beside prices and volume, and what the source's own mapping says, a file may have columns that the schema knows
 * by their names: they are read as well, under the names that they have in the file.
 */
import type { Field } from "../../protocol/frame/DataSchema.ts"
import type { FileFacts } from "./learnFile.ts"

/** The file with the columns that the fields name and nothing else has taken. */
export const withFields = (facts: FileFacts, fields: ReadonlyArray<Field>): FileFacts => {
  const { layout, others } = facts
  const taken = new Set(layout.roles.values.map(([role]) => role))
  const names = new Set(fields.flatMap(({ from = [], name }) => (taken.has(name) ? [] : [name, ...from])))
  const more = others.filter(({ name }) => names.has(name)).map((column) => [column.name, column] as const)
  if (more.length === 0) return facts
  return { ...facts, layout: { ...layout, roles: { ...layout.roles, values: [...layout.roles.values, ...more] } } }
}
