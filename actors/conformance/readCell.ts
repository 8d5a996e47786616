/**
 * What is a value of one column type, as sources spell it?
 *
 * A reader gives undefined for a value that its type can't hold as it is: nothing is cut or guessed, and nothing is
 * rounded but the digits of a decimal, to the float64 next to them.
 */
import type { Column, ColumnType } from "../../protocol/frame/Column.ts"
import { missing } from "../../protocol/frame/Column.ts"
import type { Field } from "../../protocol/frame/DataSchema.ts"
import type { RawColumn, RawValue } from "../../protocol/frame/RawRows.ts"
import { readDecimal, readWhole } from "./readDecimal.ts"

/** A value that is not missing. */
export type Cell = Exclude<RawValue, null>

const isColumn = (column: RawColumn): column is Column => "type" in column

/** The values of a column one by one; null where one is missing. NaN and empty text are missing in all of them. */
export const cellsOf = (column: RawColumn): ((row: number) => RawValue) => {
  if (isColumn(column)) return typedCells(column)
  const { values } = column
  return (row) => {
    const value = values[row] ?? null
    return value === "" || Number.isNaN(value) ? null : value
  }
}

const typedCells = (column: Column): ((row: number) => RawValue) => {
  switch (column.type) {
    case "category":
      return (row) => column.dictionary[column.values[row]!] ?? null
    case "bool":
      return (row) => (column.values[row] === missing.bool ? null : column.values[row] === 1)
    case "int64":
      return (row) => (column.values[row] === missing.int64 ? null : column.values[row]!)
    case "float64":
    case "timestamp":
      return (row) => (Number.isNaN(column.values[row]) ? null : column.values[row]!)
  }
}

/** A whole number beyond 2^53 may have been another one before it became a float64. */
export const readFloat = (cell: Cell): number | undefined => {
  if (typeof cell === "number") return cell
  if (typeof cell === "bigint") return exactFloat(cell)
  if (typeof cell === "boolean") return undefined
  const value = readDecimal(cell)
  if (value === undefined || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  const whole = readWhole(cell)
  return whole === undefined ? value : exactFloat(whole)
}

const exactFloat = (value: bigint): number | undefined => (BigInt(Number(value)) === value ? Number(value) : undefined)

/** The whole number; none where it has a fraction, is beyond 63 bits, or is a float64 beyond 2^53. */
export const readInt = (cell: Cell): bigint | undefined => {
  if (typeof cell === "number") return Number.isSafeInteger(cell) ? BigInt(cell) : undefined
  const value = typeof cell === "string" ? (readWhole(cell) ?? wholeOf(readDecimal(cell))) : cell
  return typeof value === "bigint" && value > missing.int64 && value < -missing.int64 ? value : undefined
}

const wholeOf = (value: number | undefined): bigint | undefined =>
  value !== undefined && Number.isSafeInteger(value) ? BigInt(value) : undefined

const boolTexts: ReadonlyMap<string, boolean> = new Map(
  [
    ["true", "false"],
    ["t", "f"],
    ["yes", "no"],
    ["y", "n"],
    ["1", "0"]
  ].flatMap(([yes = "", no = ""]) => [[yes, true] as const, [no, false] as const])
)

/** Reads truth in the spellings of a field, or else in the usual ones, upper or lower case: 1 for true, 0 for false. */
export const boolReader = ({ spellings }: Pick<Field, "spellings">): ((cell: Cell) => number | undefined) => {
  const own = spellings && spellingsOf(spellings)
  return (cell) => {
    if (typeof cell === "boolean") return cell ? 1 : 0
    const text = own?.get(String(cell)) ?? (own === undefined ? String(boolTexts.get(String(cell).toLowerCase())) : "")
    return text === "true" ? 1 : text === "false" ? 0 : undefined
  }
}

/** Reads text as it will be stored; in the spellings of a field, where it has some: none but those are taken then. */
export const textReader = ({ spellings }: Pick<Field, "spellings">): ((cell: Cell) => string | undefined) => {
  if (spellings === undefined) return (cell) => String(cell).toWellFormed()
  const own = spellingsOf(spellings)
  return (cell) => own.get(String(cell))
}

/** Which value each spelling stands for: the value itself is one of them. */
const spellingsOf = (spellings: NonNullable<Field["spellings"]>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(spellings).flatMap(([value, texts]) => [value, ...texts].map((text) => [text, value] as const))
  )

/** What a value of the type would be, in words. */
export const meaning: { readonly [Type in ColumnType]: string } = {
  float64: "decimal number",
  int64: "whole number of 63 bits",
  bool: "true or false",
  category: "value of the category",
  timestamp: "time"
}
