/** How are prices and amounts compared and added without ever becoming floating-point numbers? */

const form = /^(-?\d+)(?:\.(\d+))?(?:e([+-]?\d{1,2}))?$/i

/**
 * Whether the text is a decimal number: digits, perhaps a point, perhaps an exponent as in 9.417e-05. One below zero is
 * no price, and yet what a source may give.
 */
export const isDecimal = (text: string): boolean => form.test(text)

/** The value is `digits / 10 ** places`; an exponent may make `places` negative. */
const take = (text: string): { readonly digits: bigint; readonly places: number } => {
  const [, whole = "0", fraction = "", exponent = "0"] = form.exec(text) ?? []
  return { digits: BigInt(whole + fraction), places: fraction.length - Number(exponent) }
}

/** How many digits stand behind the point when the number is written out. */
export const scale = (text: string): number => Math.max(0, take(text).places)

const widest = (texts: ReadonlyArray<string>): number => texts.reduce((most, text) => Math.max(most, scale(text)), 0)

/** The value as a whole number of units, `10 ** unitScale` of which make one. */
const toUnits = (text: string, unitScale: number): bigint => {
  const { digits, places } = take(text)
  return digits * 10n ** BigInt(unitScale - places)
}

/** Whether `a` is larger than `b` in value: "2.0" is not larger than "2". */
export const isAbove = (a: string, b: string): boolean => {
  const unitScale = widest([a, b])
  return toUnits(a, unitScale) > toUnits(b, unitScale)
}

/**
 * The exact sum, with as many digits behind the point as the addend that has most.
 *
 * @example
 * sum(["0.1", "0.25"]) // => "0.35"
 */
export const sum = (texts: ReadonlyArray<string>): string => {
  const unitScale = widest(texts)
  const units = texts.reduce((total, text) => total + toUnits(text, unitScale), 0n)
  if (unitScale === 0) return units.toString()
  const digits = (units < 0n ? -units : units).toString().padStart(unitScale + 1, "0")
  return `${units < 0n ? "-" : ""}${digits.slice(0, -unitScale)}.${digits.slice(-unitScale)}`
}
