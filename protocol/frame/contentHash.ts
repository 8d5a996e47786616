/**
 * Are two frames the same data?
 *
 * The content hash covers event times and all columns of the frame: the schema's and, behind them, the extra ones that
 * its source gives. It does not cover lineage or flags: rows fetched twice, by other hosts, at other times, have one
 * hash. NaN and zero are made canonical first, since a float64 has many NaNs and two zeros.
 */
import { createHash } from "node:crypto"
import type { Frame } from "./Frame.ts"

const canonicalValue = (value: number): number => (value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value)

/** The values with one bit pattern for each NaN and each zero; the given memory where nothing is to change. */
const canonical = (values: Float64Array): Float64Array => {
  let row = 0
  while (row < values.length && !Object.is(values[row], -0) && !Number.isNaN(values[row])) row++
  if (row === values.length) return values
  const out = values.slice()
  for (; row < out.length; row++) out[row] = canonicalValue(out[row]!)
  return out
}

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/**
 * SHA-256, in hex, over the number of rows, then event times as float64, then each column as its name and float64
 * values; all little-endian. The frame is sealed.
 */
export const contentHash = (frame: Frame): string => {
  const hash = createHash("sha256")
  hash.update(`${frame.eventTimeMs.length}\n`)
  hash.update(bytesOf(canonical(frame.eventTimeMs)))
  for (const { name, values } of frame.columns) {
    hash.update(`${name}\n`)
    hash.update(bytesOf(canonical(values as Float64Array)))
  }
  return hash.digest("hex")
}

/** SHA-256 of bytes or text, in hex. */
export const sha256 = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex")
