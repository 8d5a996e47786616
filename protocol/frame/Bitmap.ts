/**
 * How are yes and no, one a row, kept in bits?
 *
 * As Arrow has them: the first row of eight is the lowest bit of its byte, and the bits behind the last row are 0.
 */

/** A bit for each byte: 1 where the byte is not 0. */
export const pack = (bytes: Uint8Array): Uint8Array => {
  const bits = new Uint8Array((bytes.length + 7) >>> 3)
  for (let row = 0; row < bytes.length; row++) if (bytes[row] !== 0) bits[row >>> 3]! |= 1 << (row & 7)
  return bits
}

/** A byte for each of `rows` bits: 1 or 0; rows beyond the bits have 0. */
export const unpack = (bits: Uint8Array, rows: number): Uint8Array => {
  const bytes = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) bytes[row] = (bits[row >>> 3]! >>> (row & 7)) & 1
  return bytes
}
