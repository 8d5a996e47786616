/**
 * How much time is a row of a timeline, and how much a mark in it?
 *
 * Both are lengths that people count in, so that rows begin at midnight or on a Monday and marks at full hours.
 */
import { Option } from "effect"
import * as Interval from "../protocol/history/Interval.ts"

/** The length of a row and of a mark in it; rows begin on the row's own grid. */
export interface Scale {
  readonly row: Interval.Interval
  readonly mark: Interval.Interval
}

/** What is to be shown, and the room there is for it. */
export interface Room {
  readonly start: number
  readonly end: number
  readonly interval: Interval.Interval
  /** Marks that fit into a row. */
  readonly marksMax: number
}

/** More rows would push the totals off the screen. */
const rowsMax = 32

/** Fewer bars in a row make a picture of nothing. */
const barsMin = 24

const lengths = (texts: string): ReadonlyArray<Interval.Interval> =>
  texts.split(" ").flatMap((text) => Option.toArray(Interval.parse(text)))

const rowLengths = lengths("1m 10m 1h 6h 1d 1w 4w 52w 520w")
const markLengths = lengths("1s 2s 5s 10s 15s 30s 1m 2m 5m 10m 15m 20m 30m 1h 2h 3h 4h 6h 12h 1d 1w 2w 4w 52w 520w")

/** Where each row begins. */
export const rowStarts = (
  { end, start }: Pick<Room, "start" | "end">,
  row: Interval.Interval
): ReadonlyArray<number> => {
  const first = Interval.alignDown(row, start)
  const count = (Interval.alignUp(row, end) - first) / row.lengthMs
  return Array.from({ length: count }, (_, index) => first + index * row.lengthMs)
}

/** The shortest row that shows all of it on one screen, and the shortest mark of which a row fits into a line. */
export const chooseScale = ({ interval, marksMax, ...extent }: Room): Scale => {
  const row =
    rowLengths.find(
      (each) => each.lengthMs >= barsMin * interval.lengthMs && rowStarts(extent, each).length <= rowsMax
    ) ?? rowLengths.at(-1)!
  const mark = markLengths.find(
    ({ lengthMs }) =>
      lengthMs >= interval.lengthMs && row.lengthMs % lengthMs === 0 && row.lengthMs / lengthMs <= marksMax
  )
  return { row, mark: mark ?? row }
}
