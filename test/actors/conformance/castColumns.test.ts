/** Do columns come out as float64 in the schema's order, and is what can't be read named? */
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { castColumns } from "../../../actors/conformance/castColumns.ts"
import type { ConformanceFailed } from "../../../actors/conformance/ConformanceFailed.ts"
import type { Column } from "../../../protocol/frame/Column.ts"
import type { ConformanceRules } from "../../../protocol/frame/ConformanceRules.ts"
import type { DataSchema, Field } from "../../../protocol/frame/DataSchema.ts"
import type { RawColumn, RawValue } from "../../../protocol/frame/RawRows.ts"
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

/** Values that say nothing of their type. */
type Given = Float64Array | BigInt64Array | ReadonlyArray<RawValue>

/** What one field makes of the values given under its name. */
const made = (field: Omit<Field, "name" | "required">, values: Given, rules: ConformanceRules = {}) =>
  castColumns(
    { eventTime: new Float64Array(values.length), columns: [{ name: "x", values }] },
    { version: 1, fields: [{ name: "x", required: true, ...field }] },
    rules
  )

const madeOf = (...given: Parameters<typeof made>) => {
  const { columns, defaultCount, lossCount } = Result.getOrThrow(made(...given))
  return { values: Array.from<number | bigint>(columns[0]!.values), lossCount, defaultCount, column: columns[0] }
}

const none = { int64: -(2n ** 63n), bool: 255, category: 2 ** 32 - 1 }

describe("castColumns() to other types", () => {
  it("castColumns() reads whole numbers to the last digit", () => {
    const given = [1, -2n, "9223372036854775807", "-9223372036854775807", "5.00", "2e3", null, "", "NaN", Number.NaN]
    expect(madeOf({ type: "int64" }, given).values).toEqual([
      1n,
      -2n,
      2n ** 63n - 1n,
      -(2n ** 63n) + 1n,
      5n,
      2000n,
      none.int64,
      none.int64,
      none.int64,
      none.int64
    ])
    expect(madeOf({ type: "int64" }, BigInt64Array.of(7n)).values).toEqual([7n])
    expect(madeOf({ type: "int64" }, Float64Array.of(7, Number.NaN)).values).toEqual([7n, none.int64])
  })

  const losses: ReadonlyArray<readonly [Field["type"], RawValue]> = [
    ["int64", 1.5],
    ["int64", "1.5"],
    ["int64", 2 ** 53],
    ["int64", "9223372036854775808"],
    ["int64", 2n ** 63n],
    ["int64", -(2n ** 63n)],
    ["int64", "many"],
    ["int64", true],
    ["int64", Infinity],
    ["float64", 2n ** 53n + 1n],
    ["float64", "9007199254740993"],
    ["float64", true],
    ["float64", "1,5"],
    ["bool", 2],
    ["bool", "perhaps"]
  ]

  it.each(losses)("castColumns() to %s refuses %s, or by rule makes it missing and counts it", (type, value) => {
    const failure = Result.getOrThrow(Result.flip(made({ type }, [null, value])))
    expect(failure).toMatchObject({ _tag: "ConformanceFailed", step: "castColumns", column: "x", row: 1 })
    expect(failure.message).toContain(typeof value === "string" ? JSON.stringify(value) : String(value))
    const nothing = madeOf({ type }, [null]).values[0]
    const lossy = { values: [nothing, nothing], lossCount: 1 }
    expect(madeOf({ type }, [null, value], { onLoss: "missing" })).toMatchObject(lossy)
    expect(madeOf({ type, onLoss: "missing" }, [null, value])).toMatchObject(lossy)
    expect(Result.isFailure(made({ type, onLoss: "fail" }, [null, value], { onLoss: "missing" }))).toBe(true)
  })

  it("castColumns() takes whole numbers beyond 2^53 that a float64 has as they are", () => {
    expect(madeOf({ type: "float64" }, [2n ** 60n, "1152921504606846976", 2n ** 53n]).values).toEqual([
      2 ** 60,
      2 ** 60,
      2 ** 53
    ])
  })

  it("castColumns() reads truth in the usual spellings, or in those of the field and in no others", () => {
    const usual = [true, "TRUE", "t", "Yes", "y", "1", 1, 1n, false, "false", "F", "no", "N", "0", 0, 0n, null]
    expect(madeOf({ type: "bool" }, usual).values).toEqual([...Array(8).fill(1), ...Array(8).fill(0), none.bool])
    const spellings = { true: ["H", "halted"], false: ["-"] }
    expect(madeOf({ type: "bool", spellings }, ["H", "-", "halted", "true", false]).values).toEqual([1, 0, 1, 1, 0])
    expect(Result.isFailure(made({ type: "bool", spellings }, ["yes"]))).toBe(true)
  })

  it("castColumns() makes categories of text, numbers and truth, each text once, in the order met", () => {
    const { column, values } = madeOf({ type: "category" }, ["b", "a", 5, null, "b", 7n, true, "NaN", ""])
    expect(column).toMatchObject({ dictionary: ["b", "a", "5", "7", "true", "NaN"] })
    expect(values).toEqual([0, 1, 2, none.category, 0, 3, 4, 5, none.category])
    const spellings = { buy: ["B", "bid"], sell: ["S"] }
    expect(madeOf({ type: "category", spellings }, ["S", "bid", "buy"]).column).toMatchObject({
      dictionary: ["sell", "buy"]
    })
    expect(Result.isFailure(made({ type: "category", spellings }, ["hold"]))).toBe(true)
  })

  it("castColumns() makes of text what comes back from the store: half a surrogate pair is none", () => {
    const stored = { dictionary: ["a\ufffd"] }
    expect(madeOf({ type: "category" }, ["a\ud800"]).column).toMatchObject(stored)
    const typed = { name: "x", type: "category", values: Uint32Array.of(0), dictionary: ["a\ud800"] } as const
    const schema: DataSchema = { version: 1, fields: [{ name: "x", type: "category", required: true }] }
    const rows = { eventTime: Float64Array.of(0), columns: [typed] }
    expect(Result.getOrThrow(castColumns(rows, schema)).columns[0]).toMatchObject(stored)
  })

  it("castColumns() lets be missing what a column that is tried out can't hold, unless its own rule refuses it", () => {
    const field = { type: "int64", required: false, experimental: true } as const
    expect(madeOf(field, [0.5, 2]).values).toEqual([none.int64, 2n])
    expect(madeOf(field, [0.5]).lossCount).toBe(1)
    expect(Result.isFailure(made({ ...field, onLoss: "fail" }, [0.5]))).toBe(true)
  })

  it("castColumns() reads moments in the unit of the field and the zone of the rules", () => {
    expect(madeOf({ type: "timestamp", unit: "s" }, [60, "90", null]).values).toEqual([60_000, 90_000, Number.NaN])
    const rules = { time: { zone: "America/New_York", unit: "ns" } } as const
    expect(madeOf({ type: "timestamp" }, ["1970-01-01", 5], rules).values).toEqual([18_000_000, 5])
    expect(Result.getOrThrow(Result.flip(made({ type: "timestamp" }, ["soon"])))).toMatchObject({ column: "x", row: 0 })
  })

  it("castColumns() makes sentinels missing, text as spelt and numbers by value, and then puts the default", () => {
    const missing = [-1, "N/A", "999"]
    const given = [1, -1, "-1.0", "N/A", "", 999n, "999.00", null, 2]
    expect(madeOf({ type: "float64", missing }, given).values).toEqual([1, ...Array(7).fill(Number.NaN), 2])
    const { defaultCount, values } = madeOf({ type: "int64", missing, default: 0 }, given)
    expect(values).toEqual([1n, ...Array(7).fill(0n), 2n])
    expect(defaultCount).toBe(7)
    expect(madeOf({ type: "float64", missing }, Float64Array.of(-1, 2)).values).toEqual([Number.NaN, 2])
    expect(madeOf({ type: "category", missing: ["-"] }, ["-", "a"]).values).toEqual([none.category, 0])
  })
})

describe("castColumns() of columns by other names", () => {
  const fields: DataSchema["fields"] = [
    { name: "price", type: "float64", required: true, from: ["Last", "px"] },
    { name: "mood", type: "category", required: false, experimental: true },
    { name: "lots", type: "int64", required: false, default: 1 }
  ]
  const named = (names: ReadonlyArray<string>, rules: ConformanceRules = {}) =>
    castColumns(
      { eventTime: [0], columns: names.map((name, value) => ({ name, values: [value] })) },
      { version: 1, fields },
      rules
    )

  it("castColumns() takes a column by any of its names, and tells which were absent", () => {
    for (const name of ["price", "Last", "px"]) {
      const { absentColumns, columns, defaultCount } = Result.getOrThrow(named(["volume", name]))
      expect(columns.map((column) => [column.name, column.type])).toEqual([
        ["price", "float64"],
        ["mood", "category"],
        ["lots", "int64"],
        ["volume", "float64"]
      ])
      expect(columns.map(({ values }) => values[0])).toEqual([1, none.category, 1n, 0])
      expect(absentColumns).toEqual(["mood", "lots"])
      expect(defaultCount).toBe(1)
    }
  })

  it("castColumns() refuses two columns for one, and names where it has looked for one that is absent", () => {
    const messageOf = (...names: ReadonlyArray<string>) => Result.getOrThrow(Result.flip(named(names))).message
    expect(messageOf("px", "price")).toBe("price is given as price and as px")
    expect(messageOf("lots")).toBe("price is required and absent, also as Last, px")
  })

  it("castColumns() drops what the rules name, and keeps, drops or refuses what the schema does not name", () => {
    const namesOf = (rules: ConformanceRules) =>
      Result.getOrThrow(named(["a", "px", "price2", "b"], rules)).columns.map(({ name }) => name)
    const promised = fields.map(({ name }) => name)
    expect(namesOf({})).toEqual([...promised, "a", "price2", "b"])
    expect(namesOf({ drop: ["price2", "a"] })).toEqual([...promised, "b"])
    expect(namesOf({ extraColumns: "drop" })).toEqual(promised)
    const failure = Result.getOrThrow(Result.flip(named(["a", "px"], { extraColumns: "fail" })))
    expect(failure).toMatchObject({ column: "a", message: "a is no column of the schema" })
    // what is dropped may be wrong in any way
    expect(Result.isSuccess(named(["px", "__flags"], { drop: ["__flags"] }))).toBe(true)
  })

  const withExtra = (values: Given) => {
    const columns = [
      { name: "price", values: [1, 2, 3] },
      { name: "extra", values }
    ]
    return castColumns({ eventTime: [0, 1, 2], columns }, { version: 1, fields })
  }

  it("castColumns() tells the type of an extra column by its values, and text is text", () => {
    const extras: ReadonlyArray<readonly [Given, string, ReadonlyArray<unknown>]> = [
      [[1, "NaN", null], "float64", [1, Number.NaN, Number.NaN]],
      [[1n, null, 2n], "int64", [1n, none.int64, 2n]],
      [[true, null, false], "bool", [1, none.bool, 0]],
      [["x", null, "y"], "category", [0, none.category, 1]],
      [["007", "NaN", "7"], "category", [0, none.category, 1]],
      [BigInt64Array.of(1n, 2n, 3n), "int64", [1n, 2n, 3n]],
      [Float64Array.of(1, 2, 3), "float64", [1, 2, 3]]
    ]
    for (const [given, type, values] of extras) {
      const column = Result.getOrThrow(withExtra(given)).columns.at(-1)!
      expect(column).toMatchObject({ name: "extra", type })
      expect(Array.from<number | bigint>(column.values)).toEqual(values)
    }
  })

  it("castColumns() cuts off what typed times have below the millisecond, as it is stored", () => {
    const times: Column = { name: "until", type: "timestamp", values: Float64Array.of(1.5, -1.5, Number.NaN) }
    const price = { name: "price", values: [1, 2, 3] }
    for (const more of [[], [{ name: "until", type: "timestamp", required: true }] as const]) {
      const cast = castColumns({ eventTime: [0, 1, 2], columns: [price, times] }, { version: 1, fields: [...more] })
      const column = Result.getOrThrow(cast).columns.find(({ name }) => name === "until")
      expect(column?.values).toEqual(Float64Array.of(1, -2, Number.NaN))
    }
  })

  it("castColumns() leaves out an extra column of which no row has a value", () => {
    for (const values of [[null, "NaN", ""], new Float64Array(3).fill(Number.NaN)]) {
      expect(Result.getOrThrow(withExtra(values)).columns.map(({ name }) => name)).not.toContain("extra")
    }
  })

  it("castColumns() refuses an extra column of several types, and says how to have it", () => {
    const failure = Result.getOrThrow(Result.flip(withExtra([null, 1.5, "x"])))
    expect(failure).toMatchObject({ step: "castColumns", column: "extra", row: 2 })
    expect(failure.message).toBe(
      'extra, row 2: "x" is category, and those before it are float64: name extra in the schema, or drop it'
    )
  })

  it("castColumns() reads the typed columns of a frame as it reads what they stand for", () => {
    const venue: Column = {
      name: "px",
      type: "category",
      values: Uint32Array.of(1, none.category),
      dictionary: ["x", "7"]
    }
    const halted: Column = { name: "mood", type: "bool", values: Uint8Array.of(1, none.bool) }
    const lots: Column = { name: "lots", type: "timestamp", values: Float64Array.of(3, Number.NaN) }
    const cast = castColumns({ eventTime: [0, 1], columns: [venue, halted, lots] }, { version: 1, fields })
    const { columns } = Result.getOrThrow(cast)
    expect(columns.map(({ values }) => Array.from<number | bigint>(values))).toEqual([
      [7, Number.NaN],
      [0, none.category],
      [3n, 1n]
    ])
    expect(columns[1]).toMatchObject({ dictionary: ["true"] })
  })
})
