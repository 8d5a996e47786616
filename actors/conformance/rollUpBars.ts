/**
 * What do short bars say of a longer one?
 *
 * The bar is made of the rows that are there. That a short bar is known to be empty changes nothing in the longer one:
 * it had no trade, so it has no part in any price and adds nothing to any sum. A longer bar of which all short ones
 * are known to be empty has no row, and is known to be empty. Whether rows are *missing* is a matter of coverage.
 */
import type { Field } from "../../protocol/frame/DataSchema.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as Lineage from "../../protocol/frame/Lineage.ts"
import { RowFlag } from "../../protocol/frame/RowFlag.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { firstRows, kindOf, rollUpColumn } from "./rollUpColumns.ts"
import * as RowGroups from "./RowGroups.ts"

/**
 * The bars of a sealed frame as bars of `interval`, which is a whole number of the frame's own.
 *
 * Volumes are added exactly and rounded once. Flags are those of any row of the bar, and `rolledUp`; lineage is that
 * of the bar's first row. Columns are rolled up as their fields say, or else by their names; those of which neither
 * says it are left out: what they mean for a longer bar is not known here.
 */
export const rollUpBars = (frame: Frame, interval: Interval, fields: ReadonlyArray<Field> = []): Frame => {
  const groups = RowGroups.byBar(frame.eventTimeMs, interval)
  const fieldOf = new Map(fields.map((field) => [field.name, field]))
  const volume = frame.columns.find(({ name }) => name === "volume")
  return {
    eventTimeMs: groups.startMs,
    columns: frame.columns.flatMap((column) => {
      const kind = kindOf(fieldOf.get(column.name) ?? column)
      const rolledUp = kind && rollUpColumn(groups, column, kind, volume)
      return rolledUp === undefined ? [] : [rolledUp]
    }),
    flags: flagsOfAny(groups, frame.flags),
    lineage: Lineage.pick(frame.lineage, firstRows(groups))
  }
}

/** The flags of any row of each group, and `rolledUp`. */
export const flagsOfAny = ({ firstRow, startMs }: RowGroups.RowGroups, flags: Uint32Array): Uint32Array => {
  const out = new Uint32Array(startMs.length).fill(RowFlag.rolledUp)
  for (let group = 0; group < out.length; group++) {
    for (let row = firstRow[group]!; row < firstRow[group + 1]!; row++) out[group]! |= flags[row]!
  }
  return out
}
