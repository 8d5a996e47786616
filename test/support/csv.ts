/**
 * What is in a CSV file of sample data?
 *
 * Reads the plain CSV of `examples/data`: a header line, no quotes, numbers in all columns that are asked for.
 */
import { readFileSync } from "node:fs"
import { float64 } from "../../protocol/frame/Column.ts"
import type { TradeBars, Trades } from "../../actors/conformance/rollUpTrades.ts"

type Path = string | URL

/** The columns of a file as text, by the names in its header line. */
export const readText = (path: Path): ReadonlyMap<string, ReadonlyArray<string>> => {
  const [header = "", ...lines] = readFileSync(path, "utf8").trimEnd().split("\n")
  const rows = lines.map((line) => line.split(","))
  return new Map(header.split(",").map((name, index) => [name, rows.map((row) => row[index] ?? "")]))
}

/** Bars with their event time from `ts` and all other columns under their own names. */
export const readBars = (path: Path): TradeBars => {
  const { ts, ...columns } = Object.fromEntries(readText(path))
  return {
    eventTime: numbers(ts),
    columns: Object.entries(columns).map(([name, values]) => float64(name, numbers(values)))
  }
}

/** Trades in the order of the file, which is that of arrival. */
export const readTrades = (path: Path): Trades => {
  const { ts, id, price, amount } = Object.fromEntries(readText(path))
  return { eventTimeMs: numbers(ts), id: numbers(id), price: numbers(price), amount: numbers(amount) }
}

const numbers = (texts: ReadonlyArray<string> = []): Float64Array => Float64Array.from(texts, Number)
