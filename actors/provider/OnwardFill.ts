/**
 * How are rows made for bars without trades, batch by batch?
 *
 * A price is carried on for as long as the time goes on that is covered, from one batch into the next: what comes of it
 * is what it would be had all rows been there at once.
 */
import * as Frame from "../../protocol/frame/Frame.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import { at, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { type ForwardFilled, forwardFill } from "../conformance/forwardFill.ts"
import type { Batch } from "./RowBatches.ts"
import type { Priced } from "./Tally.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The last row with a price, and up to where its time goes on. */
export interface Carried extends Priced {
  readonly row: Frame.Frame
}

/** Rows with those that were made, and where the price is from that goes on behind them. */
export interface FilledOn extends ForwardFilled {
  readonly priced: Priced | undefined
}

/** The last row with a close of those from a time on. */
const lastPriced = (frame: Frame.Frame, fromMs: number): Frame.Frame | undefined => {
  const close = frame.columns.find(({ name }) => name === "close")
  if (close?.type !== "float64") return undefined
  for (let row = Frame.length(frame) - 1; row >= 0 && frame.eventTimeMs[row]! >= fromMs; row--) {
    if (!Number.isNaN(close.values[row])) return Frame.pick(frame, Uint32Array.of(row))
  }
  return undefined
}

/** Fills one batch after the other, on from a price where one is given; as they are where no rows are to be made. */
export const make = (
  { entry, fill }: ValidRequest,
  from?: Carried
): ((batch: Pick<Batch, "frame" | "covered">) => FilledOn) => {
  const { calendar, interval, schema } = entry
  const { lengthMs } = interval
  let carried = from
  if (fill === "none") return ({ frame }) => ({ frame, filledCount: 0, priced: undefined })
  return ({ covered, frame }) => {
    if (size(covered) === 0) return { frame, filledCount: 0, priced: carried }
    const [startMs] = at(covered, 0)
    const [lastStartMs, endMs] = at(covered, size(covered) - 1)
    // the row that is carried stands in the bar before, as if it had been traded there
    const before = carried?.untilMs === startMs ? carried : undefined
    const fromMs = before === undefined ? startMs : startMs - lengthMs
    const rows =
      before === undefined
        ? frame
        : Frame.concat([Frame.empty(schema), { ...before.row, eventTimeMs: Float64Array.of(fromMs) }, frame])
    const time = RangeSet.union(RangeSet.of(fromMs, startMs), covered)
    const closed = Calendar.closedBars(calendar, interval, [startMs, endMs])
    const { filledCount, frame: all } = forwardFill(rows, time, { interval, fields: schema.fields, closed })
    const row = lastPriced(all, lastStartMs === startMs ? fromMs : lastStartMs)
    // a made row has the price of a traded one: of this batch, or of one before it
    const atMs = lastPriced(frame, lastStartMs)?.eventTimeMs[0] ?? before?.atMs
    carried = row && atMs !== undefined ? { row, atMs, untilMs: endMs } : undefined
    return { frame: Frame.within(all, startMs, endMs), filledCount, priced: carried }
  }
}
