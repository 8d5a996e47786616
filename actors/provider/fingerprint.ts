/**
 * Are two answers the same data?
 *
 * A fingerprint names the series, the range, what of it is covered, and the content of each window. It depends on the
 * data alone: not on the order in which windows were filled, on who filled them, or on how the rows lie in chunks.
 */
import { sha256 } from "../../protocol/frame/contentHash.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import type { Series } from "../../protocol/history/Series.ts"

/** The content of an answer's part of one window. */
export interface WindowContent {
  readonly windowStart: number
  /** The content hash of the rows that are in the answer. */
  readonly contentHash: string
}

/**
 * `sha256:` and the hash, in hex, of these lines: `seamless-fingerprint 1`; the series, range and covered ranges as
 * JSON arrays; one line for each covered window, ascending, of its start and the content hash of its rows in the range.
 */
export const fingerprint = (
  of: { readonly series: Series; readonly range: Range; readonly covered: RangeSet },
  windows: ReadonlyArray<WindowContent>
): string => {
  const lines = [
    "seamless-fingerprint 1",
    JSON.stringify([of.series.nodeId, of.series.interval]),
    JSON.stringify(of.range),
    JSON.stringify(toPairs(of.covered)),
    ...windows.map(({ contentHash, windowStart }) => `${windowStart} ${contentHash}`)
  ]
  return `sha256:${sha256(`${lines.join("\n")}\n`)}`
}
