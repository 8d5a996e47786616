/**
 * Which of several rows of one time is the newest?
 *
 * Pure. By a column that numbers versions, or has the time of each: numbers are compared as numbers, of any length.
 */
import { readIsoTime } from "../conformance/readIsoTime.ts"
import type { Cell } from "./Parquet.ts"

/** Without a version a row is older than any that has one. */
const oldest = -Infinity

/** What orders as the version does; undefined where it is neither a number nor a time. */
const versionOf = (cell: Cell): number | bigint | undefined => {
  if (typeof cell === "number") return Number.isNaN(cell) ? oldest : cell
  const text = cell?.trim() ?? ""
  if (text === "") return oldest
  if (/^[-+]?\d+$/.test(text)) return BigInt(text.replace(/^\+/, ""))
  const number = Number(text)
  const told = Number.isNaN(number) ? readIsoTime(text).timeMs : number
  return Number.isNaN(told) ? undefined : told
}

/** The rows of each time that have its highest version; or the first whose version can't be told from others. */
export const newestRows = (
  versions: ReadonlyArray<Cell>,
  times: Float64Array,
  rows: ReadonlyArray<number>
): { readonly newest: ReadonlyArray<number> } | { readonly unread: number } => {
  const newest: Array<number> = []
  let highest: number | bigint = oldest
  for (const [at, row] of rows.entries()) {
    const before = newest.at(-1)
    const isAnother = before === undefined || times[before] !== times[row]
    if (isAnother && times[rows[at + 1] ?? -1] !== times[row]) {
      newest.push(row)
      continue
    }
    const version = versionOf(versions[row] ?? null)
    if (version === undefined) return { unread: row }
    if (!isAnother && version > highest) while (times[newest.at(-1) ?? -1] === times[row]) newest.pop()
    if (isAnother || version >= highest) {
      newest.push(row)
      highest = version
    }
  }
  return { newest }
}
