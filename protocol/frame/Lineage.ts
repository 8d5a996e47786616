/**
 * Where did each row come from?
 *
 * Rows of one fetch share their origin, so lineage is kept as runs: one entry for as many rows as follow each other
 * with the same source, ingest time and job.
 */
import { Schema } from "effect"

/** A stretch of rows that came in together. */
export const LineageRun = Schema.Struct({
  /** How many rows the run spans; at least 1. */
  rows: Schema.Int,
  /** Name of the source in the configuration. */
  source: Schema.String,
  /** When the rows entered, in epoch milliseconds UTC. */
  ingestAtMs: Schema.Finite,
  /** The backfill job that fetched them; empty where no job did. */
  jobId: Schema.String
})
export type LineageRun = typeof LineageRun.Type

/** Where a row came from. */
export type Origin = Omit<LineageRun, "rows">

/** The runs of a frame in row order; their `rows` add up to the frame's length, or there are none at all. */
export type Lineage = ReadonlyArray<LineageRun>

const sameOrigin = (a: Origin, b: Origin): boolean =>
  a.source === b.source && a.ingestAtMs === b.ingestAtMs && a.jobId === b.jobId

/** Joins neighbouring runs of one origin and drops empty ones. */
export const compact = (runs: Iterable<LineageRun>): Lineage => {
  const out: Array<LineageRun> = []
  for (const run of runs) {
    if (run.rows === 0) continue
    const last = out.at(-1)
    if (last !== undefined && sameOrigin(last, run)) out[out.length - 1] = { ...last, rows: last.rows + run.rows }
    else out.push(run)
  }
  return out
}

/** How many rows the runs span. */
export const rowsOf = (runs: Lineage): number => runs.reduce((sum, { rows }) => sum + rows, 0)

/** The runs of rows `[from, to)`. */
export const slice = (runs: Lineage, from: number, to: number): Lineage => {
  const out: Array<LineageRun> = []
  let row = 0
  for (const run of runs) {
    const rows = Math.min(row + run.rows, to) - Math.max(row, from)
    if (rows > 0) out.push({ ...run, rows })
    row += run.rows
  }
  return out
}

/** The origins of rows, asked for one by one. */
export interface RowOrigins {
  readonly rows: number
  /** Whether the row has the origin of the row before it; asked from row 1 on. */
  readonly goesOn: (row: number) => boolean
  readonly at: (row: number) => Origin
}

/** The runs of rows that are held by column; makes one object a run. */
export const fromRows = ({ at, goesOn, rows }: RowOrigins): Lineage => {
  const out: Array<LineageRun> = []
  for (let first = 0, row = 1; first < rows; row++) {
    if (row < rows && goesOn(row)) continue
    out.push({ rows: row - first, ...at(first) })
    first = row
  }
  return out
}

const firstRows = (runs: Lineage): Uint32Array => {
  const out = new Uint32Array(runs.length + 1)
  for (const [index, run] of runs.entries()) out[index + 1] = out[index]! + run.rows
  return out
}

/** Which run a row is in. The one before is the guess: rows that are picked mostly follow each other. */
const runAt = (firstRow: Uint32Array, row: number, guess: number): number => {
  if (row >= firstRow[guess]! && row < firstRow[guess + 1]!) return guess
  let low = 0
  let high = firstRow.length - 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (firstRow[middle]! <= row) low = middle
    else high = middle
  }
  return low
}

/** The runs of the rows named by `order`, in that order. Of a frame without lineage there are none. */
export const pick = (runs: Lineage, order: Uint32Array): Lineage => {
  const [only] = runs
  if (only === undefined || order.length === 0) return []
  if (runs.length === 1) return [{ ...only, rows: order.length }]
  const firstRow = firstRows(runs)
  const picked: Array<LineageRun> = []
  let current = runAt(firstRow, order[0]!, 0)
  let since = 0
  for (let row = 1; row <= order.length; row++) {
    const run = row < order.length ? runAt(firstRow, order[row]!, current) : -1
    if (run === current) continue
    picked.push({ ...runs[current]!, rows: row - since })
    current = run
    since = row
  }
  return compact(picked)
}
