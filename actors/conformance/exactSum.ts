/**
 * What do decimal numbers add up to, to the last digit?
 *
 * A float64 stands for the shortest decimal that reads back as it: 0.1 is one tenth here, not the binary fraction
 * beside it. Those decimals are added as integers of a common scale, and the sum becomes a float64 once, at the end.
 */

/**
 * The exact sum of `values[from … to)`, rounded once; 0 for no values. Order does not matter. A missing or infinite
 * value makes the sum what plain addition makes of it: NaN or infinite.
 *
 * @example
 * exactSum(Float64Array.of(0.1, 0.2)) // => 0.3
 */
export const exactSum = (values: Float64Array, from = 0, to = values.length): number =>
  safeSum(values, from, to) ?? plainSum(values, from, to) ?? bigSum(values, from, to)

/**
 * Up to 15 significant digits each decimal has a float64 of its own. So an integer below 10^15 that, divided by the
 * scale, gives the value is that value's shortest decimal, and multiplying cannot have been off by half a unit.
 */
export const digitsEnd = 1e15

/** The last power of ten that is a float64 without rounding, which makes the division by it round correctly. */
export const scaleMax = 1e22

/** The sum in safe integers of a common power of ten; undefined where values or sum have too many digits for that. */
const safeSum = (values: Float64Array, from: number, to: number): number | undefined => {
  let scale = 1
  let sum = 0
  for (let row = from; row < to; row++) {
    const value = values[row]!
    let digits = Math.round(value * scale)
    while (digits / scale !== value) {
      if (scale === scaleMax || Math.abs(sum) > Number.MAX_SAFE_INTEGER / 10) return undefined
      scale *= 10
      sum *= 10
      digits = Math.round(value * scale)
    }
    sum += digits
    if (Math.abs(digits) >= digitsEnd || Math.abs(sum) > Number.MAX_SAFE_INTEGER) return undefined
  }
  return sum / scale
}

/** What plain addition gives where a value is missing or infinite; undefined where all are finite. */
const plainSum = (values: Float64Array, from: number, to: number): number | undefined => {
  let sum = 0
  let isFinite = true
  for (let row = from; row < to; row++) {
    sum += values[row]!
    isFinite &&= Number.isFinite(values[row]!)
  }
  return isFinite ? undefined : sum
}

/** The sum of any finite values. */
const bigSum = (values: Float64Array, from: number, to: number): number => {
  let places = 0
  let sum = 0n
  for (let row = from; row < to; row++) {
    const value = decimalOf(values[row]!)
    if (value.places > places) {
      sum *= 10n ** BigInt(value.places - places)
      places = value.places
    }
    sum += value.digits * 10n ** BigInt(places - value.places)
  }
  // Reading a decimal rounds it correctly, however many digits it has.
  return Number(`${sum}e-${places}`)
}

/** The shortest decimal: `digits` divided by ten to the power of `places`, which is negative for very large values. */
export const decimalOf = (value: number): { readonly digits: bigint; readonly places: number } => {
  const [mantissa = "0", exponent = "0"] = String(value).split("e")
  const [whole = "0", fraction = ""] = mantissa.split(".")
  return { digits: BigInt(whole + fraction), places: fraction.length - Number(exponent) }
}
