/** Which commits, to which series, do the tests of coverage run on? */
import { Result } from "effect"
import * as Coverage from "../../actors/coverage/Coverage.ts"
import type { ChunkRef } from "../../protocol/history/CoveragePage.ts"
import { initial } from "../../protocol/history/CoverageRoot.ts"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { Commit, WindowCommit } from "../../protocol/messages/Coverage.ts"
import { series } from "./jobs.ts"

/** Bars of one millisecond, ten to a window: a page is 2,560 long. */
export const grid: Window.Grid = { intervalMs: 1, anchorMs: 0, windowBars: 10 }

/** How long a page is. */
export const pageMs = 10 * Window.windowsPerPage

/** A series of which nothing is stored. */
export const nothing: Coverage.State = {
  root: initial(series, { windowBars: 10, schemaVersion: 1 }),
  covered: RangeSet.empty,
  pages: new Map()
}

/** A chunk that covers this time, named by it. */
export const refOf = (pairs: ReadonlyArray<Range>, changes: Partial<ChunkRef> = {}): ChunkRef => {
  const ranges = RangeSet.make(pairs)
  const id = JSON.stringify(toPairs(ranges))
  const last = toPairs(ranges).at(-1)?.[1]
  const lastEventTime = last === undefined ? null : last - 1
  return { source: "binance", id, ranges, contentHash: `content of ${id}`, rows: 1, lastEventTime, ...changes }
}

/** The chunk as what a commit brings for its window, upon nothing unless told otherwise. */
export const part = (chunk: ChunkRef, changes: Partial<WindowCommit> = {}): WindowCommit => ({
  windowStart: Window.windowStart(grid, toPairs(chunk.ranges)[0]![0]),
  generation: 0,
  base: null,
  chunk,
  ...changes
})

/** A commit of these windows. */
export const message = (windows: ReadonlyArray<WindowCommit>, changes: Partial<Commit> = {}): Commit => ({
  series,
  windows,
  answered: RangeSet.unionAll(windows.map(({ chunk }) => chunk.ranges)),
  exceptions: [],
  jobs: ["0.1"],
  source: "binance",
  cause: "request-1",
  ...changes
})

/** Where and when changes are made. */
export const at = (nowMs: number): Coverage.Place => ({ grid, nowMs })

/** What comes of a commit that is not refused. */
export const applied = (state: Coverage.State, commit: Commit, nowMs = 1000): Coverage.Step =>
  Result.getOrThrow(Coverage.commit(state, commit, at(nowMs)))

/** Time about which nothing was proven. */
export const deferred = (start: number, end: number, reason = "no bar"): MissingRange => ({
  start,
  end,
  state: "deferred",
  reason,
  retryAt: 9000
})
