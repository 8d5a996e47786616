/**
 * What do the rows that have gone by come to?
 *
 * What an account says of rows is added up batch by batch, and is in the end what it would be had all of them been
 * there at once.
 */
import type { Column, ColumnType } from "../../protocol/frame/Column.ts"
import { floatsOf } from "../../protocol/frame/convertNumbers.ts"
import { hasValue } from "../../protocol/frame/hasValue.ts"
import type { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import { size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { fingerprint, type WindowContent } from "./fingerprint.ts"
import type { Told } from "./historyAccount.ts"
import { addFound, foundIn } from "./Found.ts"
import { addCounts, countRows } from "./historyMeta.ts"
import type { Batch } from "./RowBatches.ts"
import type { Sum, Tally, TypesSeen } from "./Tally.ts"
import type { ValidRequest } from "./validRequest.ts"

const typeOf = (promised: ColumnType, { hasWide, types }: TypesSeen): ColumnType => {
  const [only = promised, ...others] = types
  if (others.length === 0) return only
  const areNumbers = Array.from(types).every((type) => type === "float64" || (type === "int64" && !hasWide))
  return areNumbers ? "float64" : "category"
}

const nothing: Sum = {
  counts: { rows: 0, outOfOrderCount: 0, duplicateCount: 0 },
  made: 0,
  chunks: { fromCache: 0, fromStorage: 0 },
  types: new Map(),
  found: {}
}

/** The content of windows, and who gave it. */
export type Contents = Pick<Batch, "contents" | "contributions">

/** An account before its end. */
export interface KnownSoFar {
  /** As it would be if no more came: what is covered and missing, and who gave the rows that have gone by. */
  readonly meta: () => HistoryMeta
  /** How many ranges were given by then. */
  readonly rangesGiven: () => number
}

/** What has gone by, added up. */
export interface AccountSoFar {
  readonly add: (batch: Batch) => void
  /** Adds the content of windows whose rows are counted already, and lie before all others. */
  readonly addEarlier: (contents: Contents) => void
  /** Counts rows that were made. */
  readonly addMade: (rows: number) => void
  /** How many ranges sources have given, and which. */
  readonly rangesGiven: () => number
  readonly contributions: () => Told["contributions"]
  /** What rows have come to until now. */
  readonly sum: () => Sum
  /** What all of it comes to, as the account of an answer about that time. */
  readonly told: (covered: RangeSet.RangeSet) => Told
}

/** The types in which there were values, with those of more columns. */
const addTypes = (seen: ReadonlyMap<string, TypesSeen>, columns: ReadonlyArray<Column>) => {
  const all = new Map(seen)
  for (const column of columns) {
    const before = all.get(column.name)
    if (before === undefined || !hasValue(column)) continue
    const isWide = column.type === "int64" && floatsOf(column.values) === undefined
    all.set(column.name, { types: new Set([...before.types, column.type]), hasWide: before.hasWide || isWide })
  }
  return all
}

const unseen: TypesSeen = { types: new Set(), hasWide: false }

/** Nothing has gone by yet, or what a tally says. */
export const make = ({ entry, fill, range }: ValidRequest, before: Tally | undefined): AccountSoFar => {
  const { fields } = entry.schema
  const earlier: Array<WindowContent> = []
  const contents: Array<WindowContent> = []
  const contributions = new Map<string, Array<RangeSet.RangeSet>>()
  const start = before ?? nothing
  let types: Sum["types"] = new Map(fields.map(({ name }) => [name, start.types.get(name) ?? unseen]))
  let { chunks, counts, found, made } = start
  let rangesGiven = 0
  const contributed = () => new Map(Array.from(contributions, ([source, sets]) => [source, RangeSet.unionAll(sets)]))

  const addContents = (to: Array<WindowContent>, more: Contents): void => {
    // one by one: a batch may have more of them than a call takes arguments
    for (const content of more.contents) to.push(content)
    for (const [source, ranges] of more.contributions) {
      rangesGiven += size(ranges)
      const known = contributions.get(source)
      if (known === undefined) contributions.set(source, [ranges])
      else known.push(ranges)
    }
  }

  return {
    add: (batch) => {
      addContents(contents, batch)
      found = addFound(found, foundIn(batch.findings, entry.interval.lengthMs))
      const { fromCache, fromStorage } = batch.chunks
      chunks = { fromCache: chunks.fromCache + fromCache, fromStorage: chunks.fromStorage + fromStorage }
      counts = addCounts(counts, countRows(batch.frame))
      types = addTypes(types, batch.frame.columns)
    },
    addEarlier: (more) => addContents(earlier, more),
    addMade: (rows) => {
      made += rows
    },
    rangesGiven: () => rangesGiven,
    contributions: contributed,
    sum: () => ({ counts, made, chunks, types, found }),
    told: (covered) => ({
      covered,
      contributions: contributed(),
      found,
      fingerprint: fingerprint({ series: entry.series, range, covered }, [...earlier, ...contents]),
      counts,
      stores: {
        chunks: { wanted: chunks.fromCache + chunks.fromStorage, ...chunks },
        failure: undefined,
        storageAsked: chunks.fromStorage > 0
      },
      columns: fields.map(({ name, type }) => ({ name, type: typeOf(type, types.get(name)!) })),
      ...(fill !== "none" && { forwardFilledBars: made })
    })
  }
}
