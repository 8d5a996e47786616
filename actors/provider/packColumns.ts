/**
 * What are a frame's columns in MessagePack?
 *
 * Numbers as typed arrays, a copy of the memory in which they are held; texts and booleans as lists, in which nil is a
 * missing value. Each text of a column is encoded once, however many rows have it.
 */
import { type BoolColumn, type CategoryColumn, type Column, missing } from "../../protocol/frame/Column.ts"
import { reservedColumns } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { Lineage, LineageRun } from "../../protocol/frame/Lineage.ts"
import { listHead, Packed, packNumbers, packText } from "../../protocol/wire/PlainPack.ts"

const nil = 0xc0
const no = 0xc2
const yes = 0xc3

const boolList = ({ values }: BoolColumn): Packed => {
  const head = listHead(values.length)
  const out = new Uint8Array(head.length + values.length)
  out.set(head)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    out[head.length + row] = value === missing.bool ? nil : value === 0 ? no : yes
  }
  return new Packed(out)
}

/** Texts that stand in rows, each so often in a row. */
const textRuns = (rows: number, runs: ReadonlyArray<{ readonly rows: number; readonly bytes: Uint8Array }>): Packed => {
  const head = listHead(rows)
  const out = new Uint8Array(runs.reduce((sum, run) => sum + run.rows * run.bytes.length, head.length))
  out.set(head)
  let at = head.length
  for (const { bytes, rows: count } of runs) {
    const end = at + bytes.length * count
    if (count === 0) continue
    out.set(bytes, at)
    // what is written already is copied behind itself, twice as much each time
    for (let done = at + bytes.length; done < end;) {
      const more = Math.min(done - at, end - done)
      out.copyWithin(done, at, at + more)
      done += more
    }
    at = end
  }
  return new Packed(out)
}

const categoryList = ({ dictionary, values }: CategoryColumn): Packed => {
  const head = listHead(values.length)
  const texts = dictionary.map(packText)
  const absent = Uint8Array.of(nil)
  let length = head.length
  for (let row = 0; row < values.length; row++) length += (texts[values[row]!] ?? absent).length
  const out = new Uint8Array(length)
  out.set(head)
  let at = head.length
  for (let row = 0; row < values.length; row++) {
    const bytes = texts[values[row]!] ?? absent
    out.set(bytes, at)
    at += bytes.length
  }
  return new Packed(out)
}

const columnPacked = (column: Column): Packed => {
  switch (column.type) {
    case "float64":
    case "timestamp":
    case "int64":
      return packNumbers(column.values)
    case "bool":
      return boolList(column)
    case "category":
      return categoryList(column)
  }
}

const lineageTexts = (rows: number, runs: Lineage, textOf: (run: LineageRun) => string): Packed =>
  textRuns(
    rows,
    runs.map((run) => ({ rows: run.rows, bytes: packText(textOf(run)) }))
  )

const ingestTimes = (rows: number, runs: Lineage): Packed => {
  const out = new Float64Array(rows)
  let row = 0
  for (const run of runs) out.fill(run.ingestAtMs, row, (row += run.rows))
  return packNumbers(out)
}

/** The columns by name, in the order that every form of a reply has, ready to be packed. */
export const packColumns = ({ columns, eventTimeMs, flags, lineage }: Frame): ReadonlyMap<string, Packed> => {
  const rows = eventTimeMs.length
  return new Map([
    [reservedColumns.eventTime, packNumbers(eventTimeMs)],
    ...columns.map((column) => [column.name, columnPacked(column)] as const),
    [reservedColumns.source, lineageTexts(rows, lineage, (run) => run.source)],
    [reservedColumns.ingestAt, ingestTimes(rows, lineage)],
    [reservedColumns.jobId, lineageTexts(rows, lineage, (run) => run.jobId)],
    [reservedColumns.flags, packNumbers(flags)]
  ])
}
