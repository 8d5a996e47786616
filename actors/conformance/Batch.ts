/**
 * What are rows on their way from a source to a sealed frame?
 */
import * as Column from "../../protocol/frame/ColumnRows.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"

/** Rows by column: in any order, several of one time, and of one origin, which is not told yet. */
export type Batch = Omit<Frame, "lineage">

/** The rows named by `order`, in that order; memory of its own. */
export const pick = ({ columns, eventTimeMs, flags }: Batch, order: Uint32Array): Batch => ({
  eventTimeMs: Column.pickFloats(eventTimeMs, order),
  columns: columns.map((column) => Column.pick(column, order)),
  flags: Column.pickUints(flags, order)
})

/** The rows from the last to the first. */
export const reversed = (batch: Batch): Batch => {
  const last = batch.eventTimeMs.length - 1
  return pick(
    batch,
    Uint32Array.from(batch.eventTimeMs, (_, row) => last - row)
  )
}
