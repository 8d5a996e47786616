/**
 * What is a frame in JSON?
 *
 * One array a column, under the names and in the order that an Arrow reply has. Numbers are written so that parsing
 * them gives the same float64. JSON has no NaN and no infinities: each is null, and reads as a missing value; -0 reads
 * as 0.
 */
import { type Column, float64 } from "./Column.ts"
import { reservedColumns } from "./DataSchema.ts"
import type { Frame } from "./Frame.ts"
import * as Lineage from "./Lineage.ts"

/** The `columns` of a JSON reply. */
export type JsonColumns = Readonly<Record<string, ReadonlyArray<number | string | null>>>

const expand = <Value>(runs: Lineage.Lineage, valueOf: (run: Lineage.LineageRun) => Value): ReadonlyArray<Value> =>
  runs.flatMap((run) => Array.from({ length: run.rows }, () => valueOf(run)))

/** The frame as plain arrays, ready for `JSON.stringify`. */
export const toJson = ({ columns, eventTimeMs, flags, lineage }: Frame): JsonColumns => ({
  [reservedColumns.eventTime]: Array.from(eventTimeMs),
  ...Object.fromEntries(
    columns.map(({ name, values }) => [
      name,
      Array.from(values as Float64Array, (value) => (Number.isFinite(value) ? value : null))
    ])
  ),
  [reservedColumns.source]: expand(lineage, (run) => run.source),
  [reservedColumns.ingestAt]: expand(lineage, (run) => run.ingestAtMs),
  [reservedColumns.jobId]: expand(lineage, (run) => run.jobId),
  [reservedColumns.flags]: Array.from(flags)
})

const numbersText = (values: Float64Array | Uint32Array): string =>
  values.every(Number.isFinite)
    ? values.join(",")
    : Array.from(values, (value) => (Number.isFinite(value) ? String(value) : "null")).join(",")

const runsText = (runs: Lineage.Lineage, valueOf: (run: Lineage.LineageRun) => string | number): string =>
  runs
    .map((run) => `${JSON.stringify(valueOf(run))},`.repeat(run.rows))
    .join("")
    .slice(0, -1)

/**
 * The text that `JSON.stringify(toJson(frame))` gives, several times faster: columns are joined as they are, and what a
 * run of rows shares is written once and repeated.
 */
export const toText = ({ columns, eventTimeMs, flags, lineage }: Frame): string => {
  const texts: ReadonlyArray<readonly [name: string, text: string]> = [
    [reservedColumns.eventTime, numbersText(eventTimeMs)],
    ...columns.map(({ name, values }) => [name, numbersText(values as Float64Array)] as const),
    [reservedColumns.source, runsText(lineage, (run) => run.source)],
    [reservedColumns.ingestAt, runsText(lineage, (run) => run.ingestAtMs)],
    [reservedColumns.jobId, runsText(lineage, (run) => run.jobId)],
    [reservedColumns.flags, numbersText(flags)]
  ]
  return `{${texts.map(([name, text]) => `${JSON.stringify(name)}:[${text}]`).join(",")}}`
}

type JsonColumn = JsonColumns[string]

const lineageOf = (columns: Readonly<Record<"source" | "ingestAt" | "jobId", JsonColumn>>): Lineage.Lineage => {
  const each = Object.values(columns)
  return Lineage.fromRows({
    rows: columns.source.length,
    goesOn: (row) => each.every((column) => column[row] === column[row - 1]),
    at: (row) => ({
      source: String(columns.source[row]),
      ingestAtMs: Number(columns.ingestAt[row]),
      jobId: String(columns.jobId[row])
    })
  })
}

/** The frame that `toJson` wrote. */
export const fromJson = (json: JsonColumns): Frame => {
  const {
    [reservedColumns.eventTime]: eventTime = [],
    [reservedColumns.source]: source = [],
    [reservedColumns.ingestAt]: ingestAt = [],
    [reservedColumns.jobId]: jobId = [],
    [reservedColumns.flags]: flags = [],
    ...values
  } = json
  return {
    eventTimeMs: Float64Array.from(eventTime, Number),
    columns: Object.entries(values).map(([name, column]): Column =>
      float64(
        name,
        Float64Array.from(column, (value) => (value === null ? Number.NaN : Number(value)))
      )
    ),
    flags: Uint32Array.from(flags, Number),
    lineage: lineageOf({ source, ingestAt, jobId })
  }
}
