/** Do columns come out as float64 in the schema's order, and is what can't be read named? */
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { castColumns } from "../../../actors/conformance/castColumns.ts"
import type { ConformanceFailed } from "../../../actors/conformance/ConformanceFailed.ts"
import type { Column } from "../../../protocol/frame/Column.ts"
import type { DataSchema } from "../../../protocol/frame/DataSchema.ts"
import type { RawColumn } from "../../../protocol/frame/RawRows.ts"
import { floats } from "../../support/floatFrames.ts"

const schema: DataSchema = {
  version: 1,
  fields: [
    { name: "price", type: "float64", required: true },
    { name: "fee", type: "float64", required: false }
  ]
}

const cast = (columns: ReadonlyArray<RawColumn>, rows = 2): Result.Result<ReadonlyArray<Column>, ConformanceFailed> =>
  Result.map(castColumns({ eventTime: new Float64Array(rows), columns }, schema), (made) => made.columns)

const columnsOf = (columns: ReadonlyArray<RawColumn>, rows = 2): ReadonlyArray<Column> =>
  Result.getOrThrow(cast(columns, rows))

const failureOf = (columns: ReadonlyArray<RawColumn>): ConformanceFailed =>
  Result.getOrThrow(Result.flip(cast(columns)))

describe("castColumns()", () => {
  it.each([
    ["12.5", 12.5],
    ["-0.00162008", -0.00162008],
    ["+7", 7],
    [".5", 0.5],
    ["5.", 5],
    ["1e-8", 1e-8],
    ["2.5E+3", 2500],
    [3, 3],
    [Number.NaN, Number.NaN],
    ["", Number.NaN],
    ["NaN", Number.NaN],
    [null, Number.NaN]
  ])("castColumns() reads %j as %d", (given, value) => {
    expect(columnsOf([{ name: "price", values: [given] }], 1)[0]).toEqual(floats("price", value))
  })

  it.each(["abc", " 1", "1,5", "0x10", "Infinity", "1e999", "1.2.3", ".", "-", "e5", "null", "1_000"])(
    "castColumns() refuses %j and names column, row and value",
    (text) => {
      const failure = failureOf([{ name: "price", values: [1, text] }])
      expect(failure).toMatchObject({ _tag: "ConformanceFailed", step: "castColumns", column: "price", row: 1 })
      expect(failure.message).toBe(`price, row 1: ${JSON.stringify(text)} is no decimal number`)
    }
  )

  it("castColumns() cuts a long value off in the message", () => {
    const failure = failureOf([{ name: "price", values: ["<html>".repeat(100), 1] }])
    expect(failure.message.length).toBeLessThan(120)
  })

  it("castColumns() passes float64 on uncopied", () => {
    const price = Float64Array.of(1, 2)
    const fee = Float64Array.of(3, 4)
    const columns = columnsOf([
      { name: "fee", values: fee },
      { name: "price", values: price }
    ])
    expect(columns[0]?.values).toBe(price)
    expect(columns[1]?.values).toBe(fee)
  })

  it("castColumns() puts the schema's columns first and extra ones behind, in the order given", () => {
    const columns = columnsOf(["trades", "fee", "turnover", "price"].map((name) => ({ name, values: ["1", "2"] })))
    expect(columns.map((column) => column.name)).toEqual(["price", "fee", "trades", "turnover"])
  })

  it("castColumns() fills an absent optional column with NaN", () => {
    const columns = columnsOf([{ name: "price", values: [1, 2] }])
    expect(columns[1]).toEqual(floats("fee", Number.NaN, Number.NaN))
  })

  it("castColumns() fails where a required column is absent", () => {
    const failure = failureOf([{ name: "fee", values: [1, 2] }])
    expect(failure).toMatchObject({ step: "castColumns", column: "price", message: "price is required and absent" })
    expect(failure.row).toBeUndefined()
  })

  it("castColumns() fails where a column is not as long as the event times", () => {
    expect(failureOf([{ name: "price", values: [1] }]).message).toBe("price has 1 values for 2 event times")
  })

  it("castColumns() fails where a name is given twice or reserved", () => {
    const price = { name: "price", values: [1, 2] }
    expect(failureOf([price, price])).toMatchObject({ column: "price", message: "price is given twice" })
    expect(failureOf([price, { ...price, name: "__flags" }])).toMatchObject({ column: "__flags" })
  })
})
