/** Which rows does the bench of conformance work on? */
import { float64, type FloatColumn } from "../../protocol/frame/Column.ts"
import { pickFloats } from "../../protocol/frame/ColumnRows.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"

/** Rows whose columns are all numbers in typed arrays. */
export interface TypedRows extends RawRows {
  readonly eventTime: Float64Array
  readonly columns: ReadonlyArray<FloatColumn>
}

export const barMs = 60_000
const firstMs = Date.UTC(2020, 0, 1)

/** A small generator with a seed (mulberry32), so that each run works on the same rows. */
const makeRandom = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Minute bars of a price that wanders, in cents; every thousandth minute nothing is traded. */
export const cleanRows = (rows: number): TypedRows => {
  const random = makeRandom(1)
  const eventTime = new Float64Array(rows)
  const [open, high, low, close, volume] = Array.from({ length: 5 }, () => new Float64Array(rows))
  let price = 20_000_00
  let timeMs = firstMs
  for (let row = 0; row < rows; row++) {
    const before = price
    price += Math.round((random() - 0.5) * 1000)
    eventTime[row] = timeMs
    open![row] = before / 100
    close![row] = price / 100
    high![row] = (Math.max(before, price) + Math.floor(random() * 100)) / 100
    low![row] = (Math.min(before, price) - Math.floor(random() * 100)) / 100
    volume![row] = Math.floor(random() * 1e6) / 1e3
    timeMs += random() < 0.001 ? 2 * barMs : barMs
  }
  const columns = { open, high, low, close, volume }
  return { eventTime, columns: Object.entries(columns).map(([name, values]) => float64(name, values!)) }
}

/** The same bars as a careless source gives them: one in fifty given twice, one in twenty late, some within their bar. */
export const dirtyRows = ({ columns, eventTime }: TypedRows): TypedRows => {
  const random = makeRandom(2)
  const order = new Uint32Array(eventTime.length)
  for (let row = 0; row < order.length; row++) {
    const chance = random()
    // a repeated row takes the place of its neighbour, so that there are as many rows as in the clean ones
    order[row] = chance < 0.02 && row > 0 ? row - 1 : row
    if (chance < 0.95 || row < 2) continue
    const back = row - (random() < 0.5 ? 1 : 2)
    ;[order[row], order[back]] = [order[back]!, order[row]!]
  }
  const moved = pickFloats(eventTime, order).map((timeMs) => (random() < 0.05 ? timeMs + 1_500 : timeMs))
  return { eventTime: moved, columns: columns.map(({ name, values }) => float64(name, pickFloats(values, order))) }
}

/** The same bars as text, as a file of comma-separated values has them. */
export const textRows = ({ columns, eventTime }: TypedRows): RawRows => ({
  eventTime: Array.from(eventTime, (timeMs) => new Date(timeMs).toISOString()),
  columns: columns.map(({ name, values }) => ({ name, values: Array.from(values, String) }))
})

/** The same bars with the number of trades of each, in int64, and the venue, one of four. */
export const richRows = (rows: TypedRows): RawRows => {
  const random = makeRandom(4)
  const trades = BigInt64Array.from(rows.eventTime, () => BigInt(Math.floor(random() * 1e4)))
  const venue = Uint32Array.from(rows.eventTime, () => Math.floor(random() * 4))
  const dictionary = ["binance", "bybit", "kraken", "okx"]
  return {
    eventTime: rows.eventTime,
    columns: [
      ...rows.columns,
      { name: "trades", type: "int64", values: trades },
      { name: "venue", type: "category", values: venue, dictionary }
    ]
  }
}

/** Single trades, twenty to a minute, with ids. */
export const tradeRows = (rows: number): TypedRows => {
  const random = makeRandom(3)
  const eventTime = Float64Array.from(
    { length: rows },
    (_, row) => firstMs + row * 3_000 + Math.floor(random() * 2_999)
  )
  const price = Float64Array.from({ length: rows }, () => (20_000_00 + Math.floor(random() * 1e5)) / 100)
  const amount = Float64Array.from({ length: rows }, () => Math.floor(random() * 1e5) / 1e5)
  const id = Float64Array.from({ length: rows }, (_, row) => row)
  return { eventTime, columns: [float64("price", price), float64("amount", amount), float64("id", id)] }
}
