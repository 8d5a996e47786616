/**
 * How is a schema configured?
 *
 * Columns and rules are the frame's; a configuration gives them names.
 */
import { Schema } from "effect"
import { ConformanceRules } from "./frame/ConformanceRules.ts"
import { Field } from "./frame/DataSchema.ts"

/** The columns of series, and how the rows of their sources are read. */
export const SchemaSettings = Schema.Struct({
  /** Counts from 1, which it is without it. */
  version: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  fields: Schema.NonEmptyArray(Field),
  rules: Schema.optionalKey(ConformanceRules)
})
export type SchemaSettings = typeof SchemaSettings.Type
