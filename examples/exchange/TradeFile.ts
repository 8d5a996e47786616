/** How does a CSV file of recorded trades become trades, and what does a broken one say? */
import * as Decimal from "./Decimal.ts"
import { readText } from "./readText.ts"
import type { Trade } from "./Trades.ts"
import { UsageError } from "./UsageError.ts"

const header = "ts,id,side,price,amount"
// The header is line 1, as an editor counts.
const firstRowLine = 2

const isWhole = (text: string): boolean => /^\d{1,15}$/.test(text)

const parseRow = (row: string, place: string): Trade => {
  const [ts = "", id = "", side = "", price = "", amount = "", ...rest] = row.split(",")
  const isRight = isWhole(ts) && isWhole(id) && [price, amount].every(Decimal.isDecimal) && rest.length === 0
  if (!isRight || (side !== "buy" && side !== "sell")) {
    const right = "ts in epoch milliseconds, id a whole number, side buy or sell, price and amount decimal text"
    throw new UsageError(`${place}: "${row}" is no trade; a row is ${header}: ${right}`)
  }
  return { id: Number(id), atMs: Number(ts), side, price, amount }
}

/** Reads one file whole. Fails with a `UsageError` that names file and line. */
export const readTradeFile = (file: string): ReadonlyArray<Trade> => {
  const [first = "", ...rows] = readText(file).trimEnd().split(/\r?\n/)
  if (first !== header) throw new UsageError(`${file}:1: the first line must be ${header}`)
  const trades = rows.map((row, index) => parseRow(row, `${file}:${index + firstRowLine}`))
  const astray = trades.findIndex(({ atMs, id }, row) => {
    const before = trades[row - 1]
    return before !== undefined && (id <= before.id || atMs < before.atMs)
  })
  if (astray >= 0) {
    const right = "numbers must ascend, and times must not go back"
    throw new UsageError(`${file}:${astray + firstRowLine}: is not behind the row above; ${right}`)
  }
  return trades
}
