/** Which number is meant by a text? */

// Stricter than Number(), which also reads hexadecimal, blanks and "Infinity".
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

const wholeNumber = /^([+-]?)(\d+)(?:\.0*)?$/

/** Decimal text as a float64; undefined where it is none, or too large for one. */
export const readDecimal = (text: string): number | undefined => {
  const value = decimal.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

/** A whole number, also one with zeros behind its point, to the last digit; undefined where it is none. */
export const readWhole = (text: string): bigint | undefined => {
  const [, sign, digits] = wholeNumber.exec(text) ?? []
  if (digits === undefined) return undefined
  return sign === "-" ? -BigInt(digits) : BigInt(digits)
}
