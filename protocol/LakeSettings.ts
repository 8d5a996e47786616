/**
 * What can be set of a source that is files?
 *
 * Bars or trades, as Parquet or CSV, on this machine or in a bucket.
 */
import { Schema } from "effect"

/** Where files lie that are not on this machine. Keys are never written here: these are names of variables. */
export const BucketSettings = Schema.Struct({
  /** Host and port, where it is not Amazon's own. */
  endpoint: Schema.optionalKey(Schema.NonEmptyString),
  region: Schema.optionalKey(Schema.NonEmptyString),
  /** `path` where the bucket is part of the path, not of the host's name. */
  urlStyle: Schema.optionalKey(Schema.Literals(["vhost", "path"])),
  /** Whether it is reached by TLS, as it is unless this says false. */
  tls: Schema.optionalKey(Schema.Boolean),
  /** The environment variable that holds the id of the key. */
  keyIdVariable: Schema.optionalKey(Schema.NonEmptyString),
  /** The environment variable that holds the key. */
  secretVariable: Schema.optionalKey(Schema.NonEmptyString)
})
export type BucketSettings = typeof BucketSettings.Type

/** What is set of such a source beside what is set of every source. */
export const lakeFields = {
  kind: Schema.Literal("lake"),
  /**
   * Files, by name or by pattern: `*` and `?` within a name, `**` over folders, and `{symbol}` where the path has the
   * symbol. A path that is not absolute counts from the folder of the configuration.
   */
  path: Schema.Union([Schema.NonEmptyString, Schema.NonEmptyArray(Schema.NonEmptyString)]),
  /** What the files are; by their ending without it. */
  format: Schema.optionalKey(Schema.Literals(["csv", "parquet"])),
  /** What one row is: a bar, or a trade of which bars are made. */
  rows: Schema.optionalKey(Schema.Literals(["bars", "trades"])),
  /** The columns of a CSV file without a header line, in order. */
  header: Schema.optionalKey(Schema.NonEmptyArray(Schema.NonEmptyString)),
  /** The file's column for each of ours; the usual names are known without it. */
  columns: Schema.optionalKey(Schema.Record(Schema.String, Schema.NonEmptyString)),
  /** Columns of bars that the files do not have; the series needs a schema that does not require them. */
  without: Schema.optionalKey(Schema.Array(Schema.Literal("volume"))),
  /** What stands before the fraction of a number in CSV files; a point without it. */
  decimal: Schema.optionalKey(Schema.Literals([".", ","])),
  /** What a number that stands for a time counts; told from its size without it. */
  timeUnit: Schema.optionalKey(Schema.Literals(["s", "ms", "us", "ns", "iso"])),
  /** How a time is written that is no ISO 8601, as strptime has it: `%d.%m.%Y %H:%M`. */
  timeFormat: Schema.optionalKey(Schema.NonEmptyString),
  /** The zone of times that name none, such as `America/New_York`; UTC without it. */
  zone: Schema.optionalKey(Schema.NonEmptyString),
  /** Whether a bar's time is when it begins or when it ends. */
  stamped: Schema.optionalKey(Schema.Literals(["open", "close"])),
  /** How long the bars of the files are; no other interval is answered then. */
  interval: Schema.optionalKey(Schema.NonEmptyString),
  /**
   * Of what time a file of trades has all there was: from its first trade to its last without it, `days` where it is of
   * whole days in UTC, `false` where it is of none.
   */
  whole: Schema.optionalKey(Schema.Literals([true, false, "days"])),
  s3: Schema.optionalKey(BucketSettings)
} as const
