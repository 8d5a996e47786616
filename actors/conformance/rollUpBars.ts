/**
 * What do short bars say of a longer one?
 *
 * First open, highest high, lowest low, last close, the sum of volumes: by event time, and a value that is missing in
 * one of the parts is missing in the whole.
 */
import { float64 } from "../../protocol/frame/Column.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as Lineage from "../../protocol/frame/Lineage.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { exactSum } from "./exactSum.ts"
import * as RowGroups from "./RowGroups.ts"

const reducers: ReadonlyMap<string, RowGroups.Reducer> = new Map([
  ["open", RowGroups.first],
  ["high", RowGroups.highest],
  ["low", RowGroups.lowest],
  ["close", RowGroups.last],
  ["volume", exactSum]
])

/**
 * The bars of a sealed frame as bars of `interval`, which is a whole number of the frame's own. Each is made of the
 * rows that are there; whether rows are missing is a matter of coverage.
 *
 * Volumes are added exactly and rounded once. Flags are those of any row of the bar, and `rolledUp`; lineage is that of
 * the bar's first row. Columns other than those of prices and volume are left out: what they mean for a longer bar is
 * not known here.
 */
export const rollUpBars = (frame: Frame, interval: Interval): Frame => {
  const groups = RowGroups.byBar(frame.eventTimeMs, interval)
  return {
    eventTimeMs: groups.startMs,
    columns: frame.columns.flatMap((column) => {
      const reducer = reducers.get(column.name)
      if (reducer === undefined || column.type !== "float64") return []
      return [float64(column.name, RowGroups.reduce(groups, column.values, reducer))]
    }),
    flags: flagsOfAny(groups, frame.flags),
    lineage: Lineage.pick(frame.lineage, groups.firstRow.subarray(0, -1))
  }
}

const flagsOfAny = ({ firstRow, startMs }: RowGroups.RowGroups, flags: Uint32Array): Uint32Array => {
  const out = new Uint32Array(startMs.length).fill(RowFlag.rolledUp)
  for (let group = 0; group < out.length; group++) {
    for (let row = firstRow[group]!; row < firstRow[group + 1]!; row++) out[group]! |= flags[row]!
  }
  return out
}
