/**
 * Which bars do single trades make?
 */
import { float64, type FloatColumn } from "../../protocol/frame/Column.ts"
import { pickFloats } from "../../protocol/frame/ColumnRows.ts"
import type { Field, RollUpKind } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { exactSum } from "./exactSum.ts"
import { exactVwap } from "./exactVwap.ts"
import { orderRows } from "./orderRows.ts"
import { kindOf } from "./rollUpColumns.ts"
import * as RowGroups from "./RowGroups.ts"

/** Trades by column, in order of arrival; all columns are of one length. */
export interface Trades {
  readonly eventTimeMs: Float64Array
  /** The exchange's number of the trade, which orders trades of one millisecond; NaN throughout where it has none. */
  readonly id: Float64Array
  readonly price: Float64Array
  readonly amount: Float64Array
  /** How many trades each row stands for, where it may be several of one order and price; one each without it. */
  readonly count?: Float64Array
}

/** Bars as a source would give them, clean: typed, aligned and ascending. */
export interface TradeBars extends RawRows {
  readonly eventTime: Float64Array
  readonly columns: ReadonlyArray<FloatColumn>
}

/** Trades in which rows of one bar are neighbours, ascending in time and id. */
type Ordered = Pick<Trades, "price" | "amount" | "count">

/** One value a bar: of prices, of amounts, or their number. */
export const tradeValues = (groups: RowGroups.RowGroups, trades: Ordered, kind: RollUpKind): Float64Array => {
  const { amount, count, price } = trades
  switch (kind) {
    case "first":
      return RowGroups.reduce(groups, price, RowGroups.first)
    case "highest":
      return RowGroups.reduce(groups, price, RowGroups.highest)
    case "lowest":
      return RowGroups.reduce(groups, price, RowGroups.lowest)
    case "last":
      return RowGroups.reduce(groups, price, RowGroups.last)
    case "sum":
      return RowGroups.reduce(groups, amount, exactSum)
    case "vwap":
      return RowGroups.reduce(groups, price, (values, from, to) => exactVwap(values, amount, from, to))
    case "count":
      return RowGroups.reduce(groups, count ?? price, (values, from, to) =>
        count === undefined ? to - from : exactSum(values, from, to)
      )
  }
}

const barColumns: ReadonlyArray<readonly [name: string, kind: RollUpKind]> = [
  ["open", "first"],
  ["high", "highest"],
  ["low", "lowest"],
  ["close", "last"],
  ["volume", "sum"]
]

/** The five columns of a bar, and what else fields say that a bar has of its trades. */
const columnsFor = (fields: ReadonlyArray<Field>): ReadonlyArray<readonly [name: string, kind: RollUpKind]> => {
  const named = fields.flatMap((field) => {
    const kind = kindOf(field)
    return kind === undefined ? [] : [[field.name, kind] as const]
  })
  return Array.from(new Map([...barColumns, ...named]))
}

/**
 * Open, high, low, close and volume of each bar that has a trade, ordered by time, then id, then arrival; and what the
 * fields of a schema say besides, such as `vwap`. Volumes are added exactly and rounded once. Every trade given counts:
 * one given twice counts twice.
 *
 * The bars are rows for `conform`, which gives them their lineage and, by its `flags`, `rolledUp`.
 */
export const rollUpTrades = (trades: Trades, interval: Interval, fields: ReadonlyArray<Field> = []): TradeBars => {
  const order = orderRows([trades.eventTimeMs, trades.id])
  const ordered = {
    price: pickFloats(trades.price, order),
    amount: pickFloats(trades.amount, order),
    ...(trades.count !== undefined && { count: pickFloats(trades.count, order) })
  }
  const groups = RowGroups.byBar(pickFloats(trades.eventTimeMs, order), interval)
  return {
    eventTime: groups.startMs,
    columns: columnsFor(fields).map(([name, kind]) => float64(name, tradeValues(groups, ordered, kind)))
  }
}
