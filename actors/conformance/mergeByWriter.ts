/**
 * Whose row stands where several sources have one, and the last writer is to be right?
 *
 * The row of the highest version, or of the latest ingest time; of equal ones that of the preferred source. A row
 * always stands against the lack of one: that a source has none says nothing of when it looked.
 */
import type { Column } from "../../protocol/frame/Column.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { Lineage } from "../../protocol/frame/Lineage.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Merged, SourceRows } from "./mergeBySource.ts"
import { rowsIn } from "./mergeFrames.ts"
import { orderRows } from "./orderRows.ts"
import { tradeIds } from "./tradeIds.ts"

/** How the last writer is known. */
export interface WriterRule {
  /** The column that numbers versions; null where the ingest time decides. */
  readonly versionColumn: string | null
  /** The length of a bar. */
  readonly intervalMs: number
}

/** All rows of all sources, one source after another, and whose they are. */
interface Candidates {
  readonly frame: Frame.Frame
  /** The place of each row's source in the order of preference. */
  readonly sourceOf: Uint32Array
}

const candidatesOf = (
  sources: ReadonlyArray<SourceRows>,
  wanted: RangeSet.RangeSet,
  empty: Frame.Frame
): Candidates => {
  const frames = sources.map(({ frame, ranges }) =>
    Frame.concat([empty, ...rowsIn(frame, RangeSet.intersect(ranges, wanted))])
  )
  const frame = Frame.concat([empty, ...frames.filter((each) => Frame.length(each) > 0)])
  const sourceOf = new Uint32Array(Frame.length(frame))
  let row = 0
  for (const [place, { eventTimeMs }] of frames.entries()) {
    sourceOf.fill(place, row, row + eventTimeMs.length)
    row += eventTimeMs.length
  }
  return { frame, sourceOf }
}

/** A number for each version that orders as they do, also where they are beyond what a float64 holds. */
const versionsIn = (column: Column | undefined, rows: number): Float64Array =>
  column?.type === "int64" || column?.type === "float64" || column?.type === "timestamp"
    ? tradeIds(column, rows)
    : new Float64Array(rows)

const ingestTimesIn = (lineage: Lineage, rows: number): Float64Array => {
  const out = new Float64Array(rows)
  let row = 0
  for (const run of lineage) {
    out.fill(run.ingestAtMs, row, row + run.rows)
    row += run.rows
  }
  return out
}

/** The rows that stand, by number, ascending in event time: the last of each time. */
const standing = (eventTimeMs: Float64Array, order: Uint32Array): Uint32Array =>
  order.filter((row, at) => at + 1 === order.length || eventTimeMs[order[at + 1]!] !== eventTimeMs[row])

/** The bars of rows that follow each other, by the place of their source. */
const barsBySource = (
  { frame, sourceOf }: Candidates,
  rows: Uint32Array,
  intervalMs: number
): ReadonlyMap<number, ReadonlyArray<Range>> => {
  const out = new Map<number, Array<Range>>()
  for (const row of rows) {
    const start = frame.eventTimeMs[row]!
    const ranges = out.get(sourceOf[row]!) ?? []
    const last = ranges.at(-1)
    if (last?.[1] === start) ranges[ranges.length - 1] = [last[0], start + intervalMs]
    else ranges.push([start, start + intervalMs])
    out.set(sourceOf[row]!, ranges)
  }
  return out
}

/** The rows of `wanted` time, each of the last writer; time without a row is the first source's that covers it. */
export const mergeByWriter = (
  sources: ReadonlyArray<SourceRows>,
  wanted: RangeSet.RangeSet,
  empty: Frame.Frame,
  { intervalMs, versionColumn }: WriterRule
): Merged => {
  const candidates = candidatesOf(sources, wanted, empty)
  const { frame, sourceOf } = candidates
  const rows = Frame.length(frame)
  const writer =
    versionColumn === null
      ? ingestTimesIn(frame.lineage, rows)
      : versionsIn(
          frame.columns.find(({ name }) => name === versionColumn),
          rows
        )
  const preference = Float64Array.from(sourceOf, (place) => -place)
  const kept = standing(frame.eventTimeMs, orderRows([frame.eventTimeMs, writer, preference]))
  const bars = barsBySource(candidates, kept, intervalMs)
  const withRows = Array.from(bars.values(), (ranges) => RangeSet.make(ranges)).reduce(RangeSet.union, RangeSet.empty)
  const contributions = new Map<string, RangeSet.RangeSet>()
  let open = RangeSet.subtract(wanted, withRows)
  for (const [place, { ranges, source }] of sources.entries()) {
    const empties = RangeSet.intersect(ranges, open)
    open = RangeSet.subtract(open, empties)
    const own = RangeSet.union(RangeSet.make(bars.get(place) ?? []), empties)
    const before = contributions.get(source) ?? RangeSet.empty
    if (!isEmpty(own)) contributions.set(source, RangeSet.union(before, own))
  }
  return { frame: Frame.pick(frame, kept), contributions }
}
