/**
 * How do the trades of a source become rows of a schema of bars?
 *
 * Trades are ordered by time, id and arrival. With ids a trade that is given again is one trade; without them nothing
 * tells it from another of the same price and amount, and every one counts.
 */
import { Result } from "effect"
import { absent, type Column, float64 } from "../../protocol/frame/Column.ts"
import { pickFloats, pickUints } from "../../protocol/frame/ColumnRows.ts"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import type { DataSchema, Field } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type { Batch } from "./Batch.ts"
import { castColumn } from "./castColumn.ts"
import { castColumns, type CastColumns } from "./castColumns.ts"
import { ConformanceFailed } from "./ConformanceFailed.ts"
import { orderRows } from "./orderRows.ts"
import { flagsOfAny } from "./rollUpBars.ts"
import { kindOf } from "./rollUpColumns.ts"
import { type Trades, tradeValues } from "./rollUpTrades.ts"
import * as RowGroups from "./RowGroups.ts"
import { tradeIds } from "./tradeIds.ts"

const namesOf = ({ tradeColumns = {} }: ConformanceRules) => {
  const { amount = "amount", id = "id", price = "price" } = tradeColumns
  return { amount, id, price }
}

/** Price, amount and, where there is one, id of the trades. What else is given of a trade is no part of a bar. */
export const castTrades = (rows: RawRows, rules: ConformanceRules): Result.Result<CastColumns, ConformanceFailed> => {
  const { amount, id, price } = namesOf(rules)
  const columns = rows.columns.filter(({ name }) => [amount, id, price].includes(name))
  const fields = [price, amount].map((name): Field => ({ name, type: "float64", required: true }))
  return castColumns({ ...rows, columns }, { version: 1, fields }, { ...rules, extraColumns: "keep" })
}

/** The rows that stand for a trade each, ascending, and how many gave way to others of the same time and id. */
const distinct = (batch: Batch, { amount, eventTimeMs, id, price }: Trades) => {
  const order = orderRows([eventTimeMs, id])
  const kept = new Uint32Array(order.length)
  let count = 0
  for (const row of order) {
    const last = kept[count - 1]
    const isAgain = last !== undefined && eventTimeMs[last] === eventTimeMs[row] && id[last] === id[row]
    if (!isAgain || id[row] === -Infinity) {
      kept[count] = row
      count += 1
    } else if (price[last] !== price[row] || amount[last] !== amount[row]) {
      kept[count - 1] = row
      batch.flags[row]! |= RowFlag.duplicate
    }
  }
  return kept.slice(0, count)
}

const columnOf = (
  field: Field,
  groups: RowGroups.RowGroups,
  trades: Pick<Trades, "price" | "amount">
): Result.Result<Column, ConformanceFailed> => {
  const kind = kindOf(field)
  if (kind !== undefined) {
    const { name, required, type } = field
    const values = float64(name, tradeValues(groups, trades, kind))
    return Result.map(castColumn({ name, type, required }, values, {}), ({ column }) => column)
  }
  if (!field.required) return Result.succeed(absent(field.name, field.type, groups.startMs.length))
  const message = `${field.name} is required, and nothing says what trades have of it: name its rollUp`
  return Result.fail(new ConformanceFailed({ step: "rollUp", column: field.name, message }))
}

/** Rows of bars, and how many trades are in them no more than once. */
export interface BarsOfTrades {
  readonly batch: Batch
  readonly gaveWayCount: number
}

/** The bars of trades that `castTrades` has cast, with the columns of the schema. Writes `flags` in place. */
export const barsOfTrades = (
  batch: Batch,
  interval: Interval,
  schema: DataSchema,
  rules: ConformanceRules
): Result.Result<BarsOfTrades, ConformanceFailed> => {
  const names = namesOf(rules)
  const columnBy = (name: string): Column | undefined => batch.columns.find((column) => column.name === name)
  const floats = (name: string): Float64Array => {
    const column = columnBy(name)
    return column?.type === "float64" ? column.values : new Float64Array(0)
  }
  const id = tradeIds(columnBy(names.id), batch.eventTimeMs.length)
  const all = { eventTimeMs: batch.eventTimeMs, id, price: floats(names.price), amount: floats(names.amount) }
  const kept = distinct(batch, all)
  const groups = RowGroups.byBar(pickFloats(all.eventTimeMs, kept), interval)
  const trades = { price: pickFloats(all.price, kept), amount: pickFloats(all.amount, kept) }
  const flags = flagsOfAny(groups, pickUints(batch.flags, kept))
  return Result.map(
    Result.all(schema.fields.map((field) => columnOf(field, groups, trades))),
    (columns): BarsOfTrades => ({
      batch: { eventTimeMs: groups.startMs, columns, flags },
      gaveWayCount: all.price.length - kept.length
    })
  )
}
