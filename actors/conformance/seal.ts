/**
 * What is a sealed frame made of?
 */
import * as Frame from "../../protocol/frame/Frame.ts"
import * as Lineage from "../../protocol/frame/Lineage.ts"
import type { Kept } from "./markDuplicates.ts"

/**
 * The rows that were kept, strictly ascending in event time, each with the origin given. Where all rows were kept as
 * they lie, the frame shares their memory.
 */
export const seal = (
  rows: Omit<Frame.Frame, "lineage">,
  kept: Kept["rows"],
  origin: Omit<Lineage.LineageRun, "rows">
): Frame.Frame => {
  const frame = { ...rows, lineage: Lineage.compact([{ rows: rows.eventTimeMs.length, ...origin }]) }
  return kept === "all" ? frame : Frame.pick(frame, kept)
}
