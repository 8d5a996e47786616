/**
 * How do numbers since the epoch become whole milliseconds?
 *
 * A moment within a millisecond belongs to that millisecond: what is finer is cut off, never rounded up, since the
 * next millisecond may be in the next bar.
 */
import { Result } from "effect"
import type { TimeUnit } from "../../protocol/frame/DataSchema.ts"

/** A unit that is known. */
export type KnownUnit = Exclude<TimeUnit, "auto">

/** A year that no market data has, to either side; times of a finer unit than is named are beyond it. */
const startMs = Date.UTC(1980, 0, 1)
const endMs = Date.UTC(2100, 0, 1)

const perMs: { readonly [Unit in KnownUnit]: number } = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 }

const units: ReadonlyArray<KnownUnit> = ["s", "ms", "us", "ns"]

/** The unit in which a number is between 1980 and 2100; undefined where it is in none. */
export const unitByMagnitude = (value: number): KnownUnit | undefined =>
  units.find((unit) => value >= startMs * perMs[unit] && value < endMs * perMs[unit])

/** A number that shows no unit, or another than those before it. */
export interface UnclearUnit {
  readonly row: number
  readonly problem: string
}

/** The one unit of all numbers; NaN is passed over. Milliseconds where there are none. */
export const findUnit = (rows: number, numberAt: (row: number) => number): Result.Result<KnownUnit, UnclearUnit> => {
  let common: KnownUnit | undefined
  for (let row = 0; row < rows; row++) {
    const value = numberAt(row)
    if (Number.isNaN(value)) continue
    const unit = unitByMagnitude(value)
    if (unit === undefined) return Result.fail({ row, problem: "is between 1980 and 2100 in no unit: name the unit" })
    if (common !== undefined && unit !== common) {
      return Result.fail({ row, problem: `is in ${unit}, and those before it are in ${common}` })
    }
    common = unit
  }
  return Result.succeed(common ?? "ms")
}

/** In nanoseconds float64 has steps of 256: one that stands for a whole millisecond may be just below it. */
const fromNanoseconds = (value: number): number => {
  const timeMs = Math.floor(value / perMs.ns)
  return (timeMs + 1) * perMs.ns === value ? timeMs + 1 : timeMs
}

/** A float64 in whole milliseconds. A float64 of seconds is exact to the microsecond. */
export const fromNumber = (value: number, unit: KnownUnit): number => {
  if (unit === "ns") return fromNanoseconds(value)
  return unit === "s" ? Math.floor(Math.round(value * 1e6) / 1e3) : Math.floor(value / perMs[unit])
}

/** An exact whole number in whole milliseconds. */
export const fromBigInt = (value: bigint, unit: KnownUnit): number => {
  if (unit === "s") return Number(value) * 1e3
  const divisor = BigInt(perMs[unit])
  const quotient = value / divisor
  return Number(quotient * divisor > value ? quotient - 1n : quotient)
}

// 2^32 in units of the divisor, and what is left of it: `high * rest + low` is then a safe integer.
const wordMs = 2 ** 32

/** Exact whole numbers in whole milliseconds, without a bigint a row. */
export const fromBigInts = (values: BigInt64Array, unit: KnownUnit): Float64Array => {
  const out = new Float64Array(values.length)
  if (unit === "s") {
    for (let row = 0; row < out.length; row++) out[row] = Number(values[row]) * 1e3
    return out
  }
  const divisor = perMs[unit]
  const whole = Math.floor(wordMs / divisor)
  const rest = wordMs - whole * divisor
  const words = new DataView(values.buffer, values.byteOffset, values.byteLength)
  for (let row = 0; row < out.length; row++) {
    const low = words.getUint32(row * 8, true)
    const high = words.getInt32(row * 8 + 4, true)
    out[row] = high * whole + Math.floor((high * rest + low) / divisor)
  }
  return out
}
