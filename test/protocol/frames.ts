/**
 * Which frames do the laws run on?
 *
 * Sealed ones with everything that a frame may hold: times before 1970, every kind of float64, columns of every type
 * with missing values, any flags, lineage of any script in runs of any length.
 */
import * as fc from "fast-check"
import * as Category from "../../protocol/frame/Category.ts"
import { type Column, type ColumnType, float64, missing } from "../../protocol/frame/Column.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as Lineage from "../../protocol/frame/Lineage.ts"

/** Any text that has a form in UTF-8. */
export const text = fc.string({ unit: "binary", maxLength: 12 })

const numbers = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, 0, Infinity, -Infinity))

const times = fc
  .uniqueArray(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -50, max: 50 })), { maxLength: 24 })
  // adding 0 makes a zero of either sign the one that has a form as an integer
  .map((drawn) => Float64Array.from(drawn, (time) => time + 0).toSorted())

/** Where rows come from; few texts, so that neighbours often agree. */
export const origin: fc.Arbitrary<Lineage.Origin> = fc.record({
  source: fc.oneof(fc.constantFrom("", "a", "b"), text),
  ingestAtMs: fc.constantFrom(0, 1, 1_763_800_000_000, -1),
  jobId: fc.constantFrom("", "1.1", "1.2")
})

/** Lineage of this many rows, in canonical form. */
export const lineageOf = (rows: number): fc.Arbitrary<Lineage.Lineage> =>
  fc
    .array(origin, { minLength: rows, maxLength: rows })
    .map((origins) => Lineage.compact(origins.map((each) => ({ rows: 1, ...each }))))

const listOf = <Value>(rows: number, value: fc.Arbitrary<Value>) =>
  fc.array(value, { minLength: rows, maxLength: rows })

const lowest = -(2n ** 63n)

const ints = fc.oneof(
  fc.bigInt({ min: lowest, max: -lowest - 1n }),
  fc.bigInt({ min: -9n, max: 9n }),
  fc.constantFrom(missing.int64, lowest + 1n, -lowest - 1n, 2n ** 53n + 1n)
)

const moments = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -50, max: 50 }), fc.constant(Number.NaN))

const words = fc.oneof(fc.constantFrom("", "XNYS", "ARCX", null), text)

/** A column of that name and type with this many rows; a category has its canonical dictionary. */
const columnOf = (name: string, type: ColumnType, rows: number): fc.Arbitrary<Column> => {
  switch (type) {
    case "float64":
      return listOf(rows, numbers).map((drawn) => float64(name, Float64Array.from(drawn)))
    case "int64":
      return listOf(rows, ints).map((drawn) => ({ name, type, values: BigInt64Array.from(drawn) }))
    case "bool":
      return listOf(rows, fc.constantFrom(0, 1, missing.bool)).map((drawn) => ({
        name,
        type,
        values: Uint8Array.from(drawn)
      }))
    case "category":
      return listOf(rows, words).map((drawn) => Category.fromTexts(name, drawn))
    case "timestamp":
      return listOf(rows, moments).map((drawn) => ({
        name,
        type,
        values: Float64Array.from(drawn, (time) => time + 0)
      }))
  }
}

const flags = (rows: number) =>
  listOf(rows, fc.integer({ min: 0, max: 2 ** 32 - 1 })).map((drawn) => Uint32Array.from(drawn))

/** Frames with columns of these names and types. */
const framesLike = (columns: ReadonlyArray<readonly [name: string, type: ColumnType]>): fc.Arbitrary<Frame> =>
  times.chain((eventTimeMs) =>
    fc.record({
      eventTimeMs: fc.constant(eventTimeMs),
      columns: fc.tuple(...columns.map(([name, type]) => columnOf(name, type, eventTimeMs.length))),
      flags: flags(eventTimeMs.length),
      lineage: lineageOf(eventTimeMs.length)
    })
  )

/** Frames whose columns have these names, all of them numbers. */
export const framesOf = (names: ReadonlyArray<string>): fc.Arbitrary<Frame> =>
  framesLike(names.map((name) => [name, "float64"]))

const someColumns = [
  ["open", "float64"],
  ["trades", "int64"],
  ["halted", "bool"],
  ["größe", "float64"],
  ["venue", "category"],
  ["settledAt", "timestamp"]
] as const

/** Frames with up to six columns of any type. */
export const frame: fc.Arbitrary<Frame> = fc.subarray([...someColumns]).chain(framesLike)

/** The values of a column as they can be compared: a category by its texts. */
export const valuesOf = (column: Column): ReadonlyArray<unknown> =>
  column.type === "category" ? Category.toTexts(column) : Array.from<unknown>(column.values)

/** A frame, and the same data with other dictionaries: in another order, and with texts that no row has. */
export const twoDictionaries = fc.tuple(frame, fc.array(text, { maxLength: 3 })).map(([drawn, unused]) => ({
  frame: drawn,
  same: {
    ...drawn,
    columns: drawn.columns.map((column): Column => {
      if (column.type !== "category") return column
      const dictionary = Array.from(new Set([...unused, ...column.dictionary.toReversed()]))
      const values = column.values.map((place) =>
        place === missing.category ? place : dictionary.indexOf(column.dictionary[place]!)
      )
      return { ...column, values, dictionary }
    })
  }
}))

/** A frame and two row numbers within it, the first not after the second. */
export const frameAndRows = frame.chain((drawn) =>
  fc
    .tuple(fc.nat(drawn.eventTimeMs.length), fc.nat(drawn.eventTimeMs.length))
    .map(([a, b]) => ({ frame: drawn, from: Math.min(a, b), to: Math.max(a, b) }))
)

/** A frame and any of its rows by number, in any order, some of them twice. */
export const frameAndOrder = frame.chain((drawn) => {
  const last = drawn.eventTimeMs.length - 1
  const rows = last < 0 ? fc.constant([]) : fc.array(fc.nat(last), { maxLength: 30 })
  return rows.map((order) => ({ frame: drawn, order: Uint32Array.from(order) }))
})

/** The origin of each row: the naive form of lineage. */
export const origins = (runs: Lineage.Lineage): ReadonlyArray<Lineage.Origin> =>
  runs.flatMap(({ rows, ...each }) => Array.from({ length: rows }, () => each))
