/**
 * What becomes of a column when its rows are taken together?
 *
 * First open, highest high, lowest low, last close, the sum of volumes, the average price by volume: by event time,
 * and a value that is missing in one of the rows is missing in the whole.
 */
import { type Column, float64, missing } from "../../protocol/frame/Column.ts"
import { pick } from "../../protocol/frame/ColumnRows.ts"
import type { Field, RollUpKind } from "../../protocol/frame/DataSchema.ts"
import { exactSum } from "./exactSum.ts"
import { exactVwap } from "./exactVwap.ts"
import * as RowGroups from "./RowGroups.ts"

const kindByName: ReadonlyMap<string, RollUpKind> = new Map([
  ["open", "first"],
  ["high", "highest"],
  ["low", "lowest"],
  ["close", "last"],
  ["volume", "sum"],
  ["vwap", "vwap"]
])

/** What a longer bar has of a column; undefined where neither its field nor its name says it. */
export const kindOf = ({ name, rollUp }: Pick<Field, "name" | "rollUp">): RollUpKind | undefined =>
  rollUp ?? kindByName.get(name)

/** Whether a longer bar can have something of the column, by its type and by what its field or its name says. */
export const canRollUp = (field: Pick<Field, "name" | "rollUp" | "type">): boolean => {
  const kind = kindOf(field)
  if (kind === undefined) return false
  if (kind === "first" || kind === "last" || field.type === "float64") return true
  if (field.type === "timestamp") return kind === "highest" || kind === "lowest"
  return field.type === "int64" && kind !== "vwap"
}

const reducers = {
  first: RowGroups.first,
  last: RowGroups.last,
  highest: RowGroups.highest,
  lowest: RowGroups.lowest,
  sum: exactSum,
  count: exactSum
} as const

/** The rows of which each group takes the first, or the last. */
export const firstRows = ({ firstRow }: RowGroups.RowGroups): Uint32Array => firstRow.subarray(0, -1)
const lastRows = ({ firstRow }: RowGroups.RowGroups): Uint32Array => firstRow.subarray(1).map((row) => row - 1)

const reduceInts = (
  { firstRow, startMs }: RowGroups.RowGroups,
  values: BigInt64Array,
  combine: (a: bigint, b: bigint) => bigint
): BigInt64Array => {
  const out = new BigInt64Array(startMs.length)
  for (let group = 0; group < out.length; group++) {
    let result = values[firstRow[group]!]!
    for (let row = firstRow[group]! + 1; row < firstRow[group + 1]!; row++) {
      const value = values[row]!
      result = result === missing.int64 || value === missing.int64 ? missing.int64 : combine(result, value)
    }
    // a sum beyond 63 bits would come out as another number
    out[group] = result === BigInt.asIntN(64, result) ? result : missing.int64
  }
  return out
}

const combineInts = {
  highest: (a: bigint, b: bigint): bigint => (a > b ? a : b),
  lowest: (a: bigint, b: bigint): bigint => (a < b ? a : b),
  sum: (a: bigint, b: bigint): bigint => a + b,
  count: (a: bigint, b: bigint): bigint => a + b
} as const

/** Amounts to weigh by; missing where there are none, and where a float64 does not hold them as they are. */
const amountsOf = (volume: Column | undefined, rows: number): Float64Array => {
  if (volume?.type === "float64") return volume.values
  if (volume?.type !== "int64") return new Float64Array(rows).fill(Number.NaN)
  return Float64Array.from(volume.values, (value) =>
    value === missing.int64 || BigInt(Number(value)) !== value ? Number.NaN : Number(value)
  )
}

/** The average price by volume, where there is a column of it: the missing volume makes it missing. */
const vwap = (groups: RowGroups.RowGroups, prices: Float64Array, volume: Column | undefined): Float64Array => {
  const amounts = amountsOf(volume, prices.length)
  return RowGroups.reduce(groups, prices, (values, from, to) => exactVwap(values, amounts, from, to))
}

/**
 * One value a group. A vwap is weighed by `volume`. Undefined where values of the column's type can't be taken
 * together in that way.
 */
export const rollUpColumn = (
  groups: RowGroups.RowGroups,
  column: Column,
  kind: RollUpKind,
  volume: Column | undefined
): Column | undefined => {
  if (kind === "first") return pick(column, firstRows(groups))
  if (kind === "last") return pick(column, lastRows(groups))
  switch (column.type) {
    case "float64":
      return kind === "vwap"
        ? float64(column.name, vwap(groups, column.values, volume))
        : float64(column.name, RowGroups.reduce(groups, column.values, reducers[kind]))
    case "timestamp":
      if (kind !== "highest" && kind !== "lowest") return undefined
      return { ...column, values: RowGroups.reduce(groups, column.values, reducers[kind]) }
    case "int64":
      return kind === "vwap" ? undefined : { ...column, values: reduceInts(groups, column.values, combineInts[kind]) }
    default:
      return undefined
  }
}
