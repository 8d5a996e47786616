/**
 * At which price were things traded on average, to the last digit?
 *
 * As in sums, a float64 stands for the shortest decimal that reads back as it. Price times amount and amount are added
 * exactly, divided, and rounded once.
 */
import { decimalOf, digitsEnd, scaleMax } from "./exactSum.ts"

/**
 * The sum of price times amount over the sum of amounts, of rows `[from, to)`. Rows without amount do not count,
 * whatever their price. Missing where nothing was traded, and where a price or an amount that counts is missing or
 * infinite.
 *
 * @example
 * exactVwap(Float64Array.of(0.1, 0.3), Float64Array.of(2, 1)) // => 0.16666666666666666
 */
export const exactVwap = (prices: Float64Array, amounts: Float64Array, from = 0, to = prices.length): number =>
  safeVwap(prices, amounts, from, to) ?? bigVwap(prices, amounts, from, to)

/** The least power of ten, from `scale` on, that makes the value a whole number of few digits; NaN where none does. */
const scaleFor = (value: number, scale: number): number => {
  for (let least = scale; least <= scaleMax; least *= 10) {
    const digits = Math.round(value * least)
    if (Math.abs(digits) >= digitsEnd) return Number.NaN
    if (digits / least === value) return least
  }
  return Number.NaN
}

/** The quotient of sums in safe integers; undefined where they have too many digits for that. */
const safeVwap = (prices: Float64Array, amounts: Float64Array, from: number, to: number): number | undefined => {
  let [priceScale, amountScale] = [1, 1]
  for (let row = from; row < to; row++) {
    if (amounts[row] === 0) continue
    priceScale = scaleFor(prices[row]!, priceScale)
    amountScale = scaleFor(amounts[row]!, amountScale)
  }
  if (Number.isNaN(priceScale + amountScale)) return undefined
  let [turnover, amount] = [0, 0]
  for (let row = from; row < to; row++) {
    const digits = Math.round(amounts[row]! * amountScale)
    if (digits === 0) continue
    const product = digits * Math.round(prices[row]! * priceScale)
    turnover += product
    amount += digits
    if (Math.max(Math.abs(product), Math.abs(turnover)) > Number.MAX_SAFE_INTEGER) return undefined
  }
  const divisor = amount * priceScale
  // of two whole numbers that are exact the quotient is rounded once
  return Math.abs(divisor) <= Number.MAX_SAFE_INTEGER ? turnover / divisor : undefined
}

/** The quotient of any finite values; missing where one is not. */
const bigVwap = (prices: Float64Array, amounts: Float64Array, from: number, to: number): number => {
  let turnover = { digits: 0n, places: 0 }
  let amount = { digits: 0n, places: 0 }
  for (let row = from; row < to; row++) {
    if (amounts[row] === 0) continue
    if (!Number.isFinite(prices[row]! * 0 + amounts[row]! * 0)) return Number.NaN
    const [price, size] = [decimalOf(prices[row]!), decimalOf(amounts[row]!)]
    turnover = add(turnover, { digits: price.digits * size.digits, places: price.places + size.places })
    amount = add(amount, size)
  }
  const places = Math.max(turnover.places, amount.places)
  return quotient(scaled(turnover, places), scaled(amount, places))
}

type Decimal = ReturnType<typeof decimalOf>

const scaled = ({ digits, places }: Decimal, to: number): bigint => digits * 10n ** BigInt(to - places)

const add = (a: Decimal, b: Decimal): Decimal => {
  const places = Math.max(a.places, b.places)
  return { digits: scaled(a, places) + scaled(b, places), places }
}

const bitsOf = (value: bigint): number => value.toString(2).length

/** The quotient of whole numbers, rounded once: as a whole number of more than 60 bits whose last says what was cut. */
const quotient = (dividend: bigint, divisor: bigint): number => {
  if (divisor === 0n) return Number.NaN
  const sign = dividend < 0n === divisor < 0n ? 1 : -1
  const [top, bottom] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor]
  const shift = Math.max(0, 64 - (bitsOf(top) - bitsOf(bottom)))
  const shifted = top << BigInt(shift)
  const whole = shifted / bottom
  const sticky = whole * bottom === shifted ? whole : whole | 1n
  return sign * scaledDown(Number(sticky), shift)
}

// The largest power of two that is a float64 ends a little above this one.
const powerMax = 1_000

/** Divided by two to a power that may be larger than any float64 has. */
const scaledDown = (value: number, power: number): number =>
  power <= powerMax ? value / 2 ** power : scaledDown(value / 2 ** powerMax, power - powerMax)
