/**
 * Which columns does a series promise?
 *
 * The contract between those who write rows and those who read them. Required fields never vanish; what a source gives
 * beyond the contract is kept behind it, in the source's order.
 */
import { Schema } from "effect"
import { columnTypes } from "./Column.ts"

/** One promised column. */
export const Field = Schema.Struct({
  name: Schema.NonEmptyString,
  type: Schema.Literals(columnTypes),
  required: Schema.Boolean
})
export type Field = typeof Field.Type

/** A version of the contract; `version` counts from 1. */
export const DataSchema = Schema.Struct({ version: Schema.Int, fields: Schema.Array(Field) })
export type DataSchema = typeof DataSchema.Type

const required = (name: string): Field => ({ name, type: "float64", required: true })

/** Bars of prices and volume, the contract of every series unless it names another. */
export const ohlcv: DataSchema = {
  version: 1,
  fields: ["open", "high", "low", "close", "volume"].map(required)
}

/** The names of the promised columns, in order. */
export const fieldNames = (schema: DataSchema): ReadonlyArray<string> => schema.fields.map((field) => field.name)

/** The column names of a reply that are not the schema's: time in front, lineage behind. */
export const reservedColumns = {
  eventTime: "event_time",
  source: "__source",
  ingestAt: "__ingest_at",
  jobId: "__backfill_job_id",
  flags: "__flags"
} as const
