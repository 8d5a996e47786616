/**
 * Which bars do single trades make?
 */
import { float64, type FloatColumn } from "../../protocol/frame/Column.ts"
import { pickFloats } from "../../protocol/frame/ColumnRows.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { exactSum } from "./exactSum.ts"
import { orderRows } from "./orderRows.ts"
import * as RowGroups from "./RowGroups.ts"

/** Trades by column, in order of arrival; all columns are of one length. */
export interface Trades {
  readonly eventTimeMs: Float64Array
  /** The exchange's number of the trade, which orders trades of one millisecond; NaN throughout where it has none. */
  readonly id: Float64Array
  readonly price: Float64Array
  readonly amount: Float64Array
}

/** Bars as a source would give them, clean: typed, aligned and ascending. */
export interface TradeBars extends RawRows {
  readonly eventTime: Float64Array
  readonly columns: ReadonlyArray<FloatColumn>
}

/**
 * Open, high, low, close and volume of each bar that has a trade, ordered by time, then id, then arrival. Volumes are
 * added exactly and rounded once. Every trade given counts: one given twice counts twice.
 *
 * The bars are rows for `conform`, which gives them their lineage and, by its `flags`, `rolledUp`.
 */
export const rollUpTrades = (trades: Trades, interval: Interval): TradeBars => {
  const order = orderRows([trades.eventTimeMs, trades.id])
  const price = pickFloats(trades.price, order)
  const groups = RowGroups.byBar(pickFloats(trades.eventTimeMs, order), interval)
  return {
    eventTime: groups.startMs,
    columns: [
      float64("open", RowGroups.reduce(groups, price, RowGroups.first)),
      float64("high", RowGroups.reduce(groups, price, RowGroups.highest)),
      float64("low", RowGroups.reduce(groups, price, RowGroups.lowest)),
      float64("close", RowGroups.reduce(groups, price, RowGroups.last)),
      float64("volume", RowGroups.reduce(groups, pickFloats(trades.amount, order), exactSum))
    ]
  }
}
