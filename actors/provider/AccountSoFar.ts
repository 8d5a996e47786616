/**
 * What do the rows that have gone by come to?
 *
 * What an account says of rows is added up batch by batch, and is in the end what it would be had all of them been
 * there at once.
 */
import type { Column, ColumnType } from "../../protocol/frame/Column.ts"
import { floatsOf } from "../../protocol/frame/convertNumbers.ts"
import { hasValue } from "../../protocol/frame/hasValue.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { fingerprint, type WindowContent } from "./fingerprint.ts"
import type { Told } from "./historyAccount.ts"
import { addCounts, countRows, type RowCounts } from "./historyMeta.ts"
import type { Batch } from "./RowBatches.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The types in which batches had values of a column. */
interface TypesSeen {
  readonly types: Set<ColumnType>
  /** Whether there was a whole number that no float64 has. */
  hasWide: boolean
}

const typeOf = (promised: ColumnType, { hasWide, types }: TypesSeen): ColumnType => {
  const [only = promised, ...others] = types
  if (others.length === 0) return only
  const areNumbers = Array.from(types).every((type) => type === "float64" || (type === "int64" && !hasWide))
  return areNumbers ? "float64" : "category"
}

/** What has gone by, added up. */
export interface AccountSoFar {
  readonly add: (batch: Batch) => void
  /** Counts rows that were made. */
  readonly addMade: (rows: number) => void
  /** What all of it comes to, as the account of an answer about that time. */
  readonly told: (covered: RangeSet.RangeSet) => Told
}

/** Nothing has gone by yet. */
export const make = ({ entry, fill, range }: ValidRequest): AccountSoFar => {
  const { fields } = entry.schema
  const contents: Array<WindowContent> = []
  const contributions = new Map<string, Array<RangeSet.RangeSet>>()
  const findings: Array<Findings.Findings> = []
  const seen = new Map(fields.map(({ name }) => [name, { types: new Set<ColumnType>(), hasWide: false }]))
  let counts: RowCounts = { rows: 0, outOfOrderCount: 0, duplicateCount: 0 }
  let made = 0
  let [fromCache, fromStorage] = [0, 0]

  const look = (column: Column): void => {
    const known = seen.get(column.name)
    if (known === undefined || !hasValue(column)) return
    known.types.add(column.type)
    if (column.type === "int64") known.hasWide ||= floatsOf(column.values) === undefined
  }

  return {
    add: (batch) => {
      // one by one: a batch may have more of them than a call takes arguments
      for (const content of batch.contents) contents.push(content)
      for (const [source, ranges] of batch.contributions) {
        const known = contributions.get(source)
        if (known === undefined) contributions.set(source, [ranges])
        else known.push(ranges)
      }
      if (!Findings.isNone(batch.findings)) findings.push(batch.findings)
      fromCache += batch.chunks.fromCache
      fromStorage += batch.chunks.fromStorage
      counts = addCounts(counts, countRows(batch.frame))
      for (const column of batch.frame.columns) look(column)
    },
    addMade: (rows) => {
      made += rows
    },
    told: (covered) => ({
      covered,
      contributions: new Map(Array.from(contributions, ([source, sets]) => [source, RangeSet.unionAll(sets)])),
      findings: Findings.unionAll(findings),
      fingerprint: fingerprint({ series: entry.series, range, covered }, contents),
      counts,
      stores: {
        chunks: { wanted: fromCache + fromStorage, fromCache, fromStorage },
        failure: undefined,
        storageAsked: fromStorage > 0
      },
      columns: fields.map(({ name, type }) => ({ name, type: typeOf(type, seen.get(name)!) })),
      ...(fill !== "none" && { forwardFilledBars: made })
    })
  }
}
