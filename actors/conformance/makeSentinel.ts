/** Which values stand for none? */
import type { Field } from "../../protocol/frame/DataSchema.ts"
import { readDecimal } from "./readDecimal.ts"
import type { Cell } from "./readCell.ts"

const numberOf = (value: Cell): number => {
  if (typeof value === "string") return readDecimal(value) ?? Number.NaN
  return typeof value === "boolean" ? Number.NaN : Number(value)
}

/** Whether a value is one of those listed: text as it is spelt, numbers by their value, however they are spelt. */
export const makeSentinel = (listed: NonNullable<Field["missing"]>): ((cell: Cell) => boolean) => {
  if (listed.length === 0) return () => false
  const texts = new Set(listed.map(String))
  const numbers = new Set(listed.map(numberOf).filter((value) => !Number.isNaN(value)))
  if (numbers.size === 0) return (cell) => typeof cell !== "number" && texts.has(String(cell))
  return (cell) =>
    typeof cell === "number" ? numbers.has(cell) : texts.has(String(cell)) || numbers.has(numberOf(cell))
}
