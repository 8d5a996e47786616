/**
 * Why could rows not be conformed?
 */
import { Schema } from "effect"

/**
 * The rows as given cannot be read under the schema, and none of them is taken. Giving the same rows again fails again:
 * the source, its adapter or the schema has to change.
 */
export class ConformanceFailed extends Schema.TaggedError<ConformanceFailed>()("ConformanceFailed", {
  step: Schema.Literals(["castColumns", "toUtc", "checkQuality"]),
  /** The column at fault, where it is one column. */
  column: Schema.optionalKey(Schema.String),
  /** The row at fault, counted from 0 in the order given. */
  row: Schema.optionalKey(Schema.Int),
  message: Schema.String
}) {}

// A message ends up in logs and job records; a source may hand over a page of HTML where a number should be.
const quotedLengthMax = 60

/** A value as it stands in a message, cut off where it is long. */
export const quote = (value: number | string): string => {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value)
  return text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text
}
