/**
 * How do rows of text become bytes, and come back?
 *
 * As Arrow has them: the UTF-8 of all rows behind each other, and where each begins. A text that many rows have is
 * encoded once and decoded once.
 */
import { missing } from "./Column.ts"

/** Rows of text: row `n` is `bytes` from `offsets[n]` to `offsets[n + 1]`. */
export interface TextBytes {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/** A text, and how many rows have it one after another; at least 1. */
export interface TextRun {
  readonly rows: number
  readonly text: string
}

const textEncoder = new TextEncoder()

// a mark at the beginning is part of the text, not of its encoding
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Repeats what is at the start of `bytes` until it fills them; each step copies all that is there. */
const repeat = (bytes: Uint8Array, length: number): void => {
  for (let filled = length; filled > 0 && filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled)
}

/** Runs whose texts are encoded, to be written where there is room for them. */
export interface EncodedRuns {
  readonly rows: number
  readonly byteLength: number
  readonly write: (offsets: Int32Array, data: Uint8Array) => void
}

/** The rows of runs: each run's text is encoded once and its bytes are repeated. */
export const encodeRuns = (runs: ReadonlyArray<TextRun>): EncodedRuns => {
  const encoded = runs.map(({ rows, text }) => ({ rows, bytes: textEncoder.encode(text) }))
  return {
    rows: runs.reduce((sum, { rows }) => sum + rows, 0),
    byteLength: encoded.reduce((sum, { bytes, rows }) => sum + bytes.length * rows, 0),
    write: (offsets, data) => {
      let row = 0
      let end = 0
      offsets[0] = 0
      for (const { bytes, rows } of encoded) {
        data.set(bytes, end)
        repeat(data.subarray(end, end + bytes.length * rows), bytes.length)
        for (const last = row + rows; row < last; row++) offsets[row + 1] = end += bytes.length
      }
    }
  }
}

/** The rows of runs, in memory of their own. */
export const fromRuns = (runs: ReadonlyArray<TextRun>): TextBytes => {
  const { byteLength, rows, write } = encodeRuns(runs)
  const texts = { offsets: new Int32Array(rows + 1), bytes: new Uint8Array(byteLength) }
  write(texts.offsets, texts.bytes)
  return texts
}

/** Each text one row. */
export const fromTexts = (texts: ReadonlyArray<string>): TextBytes => {
  // one call of the encoder for all: a call for each would take most of the time
  const bytes = textEncoder.encode(texts.join(""))
  const offsets = new Int32Array(texts.length + 1)
  for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
  // only texts of ASCII are as long in bytes
  return bytes.length === offsets[texts.length]
    ? { offsets, bytes }
    : fromRuns(texts.map((text) => ({ rows: 1, text })))
}

// most texts are a few bytes: a loop is done before a call of the engine begins
const copy = (from: TextBytes, place: number, to: Uint8Array, start: number): void => {
  const end = from.offsets[place + 1]!
  for (let byte = from.offsets[place]!, at = start; byte < end; byte++, at++) to[at] = from.bytes[byte]!
}

/** The rows whose texts are at these places of the dictionary; a missing place is a row of no bytes. */
export const fromPlaces = (places: Uint32Array, dictionary: ReadonlyArray<string>): TextBytes => {
  const texts = fromTexts(dictionary)
  const offsets = new Int32Array(places.length + 1)
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!
    const length = place === missing.category ? 0 : texts.offsets[place + 1]! - texts.offsets[place]!
    offsets[row + 1] = offsets[row]! + length
  }
  const bytes = new Uint8Array(offsets[places.length]!)
  for (let row = 0; row < places.length; row++) {
    if (places[row] !== missing.category) copy(texts, places[row]!, bytes, offsets[row]!)
  }
  return { offsets, bytes }
}

/** The text of a row. */
export const textAt = ({ bytes, offsets }: TextBytes, row: number): string =>
  textDecoder.decode(bytes.subarray(offsets[row], offsets[row + 1]))

/** The texts of some rows. */
export const textsAt = (texts: TextBytes, rows: ReadonlyArray<number>): ReadonlyArray<string> => {
  const offsets = new Int32Array(rows.length + 1)
  for (const [at, row] of rows.entries()) offsets[at + 1] = offsets[at]! + texts.offsets[row + 1]! - texts.offsets[row]!
  const bytes = new Uint8Array(offsets[rows.length]!)
  for (const [at, row] of rows.entries()) copy(texts, row, bytes, offsets[at]!)
  const all = textDecoder.decode(bytes)
  // one call of the decoder for all, where each character is a byte
  if (all.length === bytes.length) return rows.map((_, at) => all.slice(offsets[at], offsets[at + 1]))
  return rows.map((row) => textAt(texts, row))
}

/** Whether two rows have the same text. */
export const isSameText = ({ bytes, offsets }: TextBytes, a: number, b: number): boolean => {
  const [startA, startB] = [offsets[a]!, offsets[b]!]
  const length = offsets[a + 1]! - startA
  if (offsets[b + 1]! - startB !== length) return false
  for (let byte = 0; byte < length; byte++) if (bytes[startA + byte] !== bytes[startB + byte]) return false
  return true
}

/** FNV-1a, with the last bits mixed into the first ones, which choose the slot. */
const hashAt = ({ bytes, offsets }: TextBytes, row: number): number => {
  let hash = 0x811c_9dc5
  for (let byte = offsets[row]!; byte < offsets[row + 1]!; byte++) hash = Math.imul(hash ^ bytes[byte]!, 0x0100_0193)
  return hash ^ (hash >>> 15)
}

/** Which rows are the first with their text: an open table of row numbers, found by the bytes of the text. */
interface FirstRows {
  /** The slot of the row's text: the one that it is in, or a free one. */
  readonly slotOf: (row: number) => number
  /** By slot, the place of a text and one more; 0 is a free slot. */
  readonly placeOf: Uint32Array
}

const makeFirstRows = (texts: TextBytes, firstRow: ReadonlyArray<number>, capacity: number): FirstRows => {
  const placeOf = new Uint32Array(capacity)
  const slotOf = (row: number): number => {
    let slot = hashAt(texts, row) & (capacity - 1)
    for (; placeOf[slot] !== 0; slot = (slot + 1) & (capacity - 1)) {
      if (isSameText(texts, firstRow[placeOf[slot]! - 1]!, row)) return slot
    }
    return slot
  }
  return { slotOf, placeOf }
}

/**
 * The texts of the first `rows` rows, each once, in the order in which rows have them first, and the place of the text
 * of each row. `present` says which rows have a value; without it all do.
 */
export const toPlaces = (
  texts: TextBytes,
  rows: number,
  present?: Uint8Array
): { readonly values: Uint32Array; readonly dictionary: ReadonlyArray<string> } => {
  const values = new Uint32Array(rows)
  const firstRow: Array<number> = []
  let table = makeFirstRows(texts, firstRow, 64)
  // rows with one text mostly follow each other
  let last = -1
  for (let row = 0; row < rows; row++) {
    if (present?.[row] === 0) {
      values[row] = missing.category
      continue
    }
    if (last >= 0 && isSameText(texts, last, row)) values[row] = values[last]!
    else {
      const slot = table.slotOf(row)
      if (table.placeOf[slot] === 0) table.placeOf[slot] = firstRow.push(row)
      values[row] = table.placeOf[slot]! - 1
      // a table that is half full finds nothing fast
      if (firstRow.length * 2 > table.placeOf.length) table = grown(texts, firstRow, table.placeOf.length * 4)
    }
    last = row
  }
  return { values, dictionary: textsAt(texts, firstRow) }
}

const grown = (texts: TextBytes, firstRow: ReadonlyArray<number>, capacity: number): FirstRows => {
  const table = makeFirstRows(texts, firstRow, capacity)
  for (const [place, row] of firstRow.entries()) table.placeOf[table.slotOf(row)] = place + 1
  return table
}
