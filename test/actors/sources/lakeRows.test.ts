/** Are the rows of files the same bars, whatever files they lie in? */
import * as fc from "fast-check"
import { Result } from "effect"
import { describe, expect } from "vitest"
import { tradesOf } from "../../../actors/sources/lakeRows.ts"
import type { Cell } from "../../../actors/sources/Parquet.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { law } from "../../support/law.ts"
import { intervalOf } from "../../support/rows.ts"

interface Trade {
  readonly time: number
  readonly price: number
  readonly amount: number
}

/** A trade in a file: its place in it, and its number where trades have one. */
interface Row extends Trade {
  readonly file: string
  readonly row: number
  readonly id: string | null
}

// few times, prices and amounts, so that trades are alike
const trades = fc
  .array(
    fc.record({
      time: fc.integer({ min: 0, max: 12 }).map((step) => step * 20_000),
      price: fc.integer({ min: 1, max: 2 }),
      amount: fc.integer({ min: 1, max: 2 })
    }),
    { maxLength: 40 }
  )
  .map((drawn) => drawn.toSorted((a, b) => a.time - b.time))

const inFile = (rows: ReadonlyArray<Trade>, file: string, [from, until]: Range, numbered: boolean) =>
  rows.flatMap((trade, at): Array<Row> => {
    const isIn = from <= trade.time && trade.time < until
    return isIn ? [{ ...trade, file, row: at, id: numbered ? String(at) : null }] : []
  })

/** As a page has them: by time, number, file and place. */
const tableOf = (rows: ReadonlyArray<Row>): Record<string, ReadonlyArray<Cell>> => {
  const sorted = rows.toSorted(
    (a, b) =>
      a.time - b.time ||
      Number(a.id) - Number(b.id) ||
      (a.file < b.file ? -1 : 1) * Number(a.file !== b.file) ||
      a.row - b.row
  )
  return {
    t: sorted.map(({ time }) => time),
    file: sorted.map(({ file }) => file),
    row: sorted.map(({ row }) => row),
    bad: sorted.map(() => null),
    "v price": sorted.map(({ price }) => price),
    "v amount": sorted.map(({ amount }) => amount),
    "v id": sorted.map(({ id }) => id)
  }
}

const barsOf = (rows: ReadonlyArray<Row>) =>
  Result.getOrThrow(tradesOf(tableOf(rows), { interval: intervalOf("1m"), barsMax: 100 }))

const step = fc.integer({ min: 0, max: 13 }).map((at) => at * 20_000)

describe("tradesOf()", () => {
  law(
    "tradesOf() gives the same bars of numbered trades from any files that have them all",
    [trades, step, step],
    (all, a, b) => {
      const files = [
        ...inFile(all, "a", [0, Math.max(a, b)], true),
        ...inFile(all, "b", [Math.min(a, b), Infinity], true)
      ]
      expect(barsOf(files)).toEqual(barsOf(inFile(all, "a", [0, Infinity], true)))
    }
  )

  law(
    "tradesOf() counts trades without numbers once where files overlap, and each of those that are alike in one",
    [trades, step, step],
    (all, a, b) => {
      const files = [
        ...inFile(all, "a", [0, Math.max(a, b)], false),
        ...inFile(all, "b", [Math.min(a, b), Infinity], false)
      ]
      expect(barsOf(files)).toEqual(barsOf(inFile(all, "a", [0, Infinity], false)))
    }
  )
})
