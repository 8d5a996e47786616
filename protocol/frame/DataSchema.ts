/**
 * Which columns does a series promise?
 *
 * The contract between those who write rows and those who read them, and how the columns of a source become those of
 * the contract. Required fields never vanish; what a source gives beyond the contract is kept behind it, in the
 * source's order.
 */
import { Schema } from "effect"
import { columnTypes } from "./Column.ts"

/** A value as a configuration spells it. */
const Value = Schema.Union([Schema.Finite, Schema.String, Schema.Boolean])

/** What becomes of a value that the type of its column can't hold as it is. */
export const OnLoss = Schema.Literals(["fail", "missing"])

/** What a longer bar has of the values of its rows. */
export const RollUpKind = Schema.Literals(["first", "highest", "lowest", "last", "sum", "vwap", "count"])
export type RollUpKind = typeof RollUpKind.Type

/** The units in which sources count time since the epoch. */
export const TimeUnit = Schema.Literals(["s", "ms", "us", "ns", "auto"])
export type TimeUnit = typeof TimeUnit.Type

/** One promised column. */
export const Field = Schema.Struct({
  name: Schema.NonEmptyString,
  type: Schema.Literals(columnTypes),
  /** Rows without it are refused; one that is not required is filled with missing values where it is absent. */
  required: Schema.Boolean,
  /** It is tried out: not required, and it may change or vanish with any version. */
  experimental: Schema.optionalKey(Schema.Boolean),
  /** What sources call it, where they do not call it by its name. */
  from: Schema.optionalKey(Schema.NonEmptyArray(Schema.NonEmptyString)),
  /** Values by which sources say that there is none. */
  missing: Schema.optionalKey(Schema.Array(Value)),
  /** Takes the place of missing values. */
  default: Schema.optionalKey(Value),
  /** Takes the place of the rule of the whole schema. */
  onLoss: Schema.optionalKey(OnLoss),
  /** The texts that stand for each value of a category, or for `true` and `false`; no others are taken then. */
  spellings: Schema.optionalKey(Schema.Record(Schema.String, Schema.Array(Schema.String))),
  /** The unit of numbers in a column of type timestamp; milliseconds unless it is named. */
  unit: Schema.optionalKey(TimeUnit),
  /** What a longer bar has of it; known of prices, `volume` and `vwap` by their names. */
  rollUp: Schema.optionalKey(RollUpKind)
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
