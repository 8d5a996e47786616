/**
 * How is it shown, in one line, how far something has come?
 *
 * Pure. The line never fills the whole width: a cursor behind the last column would begin another line. Where there is
 * little room the bar shrinks, then the less important parts go.
 */
import { amountText, clockText, percentText } from "./amountText.ts"

/** How far something has come. */
export interface Progress {
  /** Bars that are there, of those that were wanted. */
  readonly done: number
  readonly wanted: number
  /** Null where it is not known. */
  readonly perSecond: number | null
  readonly secondsLeft: number | null
  /** What a person should know beside that; often nothing. */
  readonly note: string
}

const barColumnsMax = 30
const barColumnsMin = 8
const gap = "  "

const partsOf = ({ done, note, perSecond, secondsLeft, wanted }: Progress) => ({
  percent: percentText(done, wanted),
  counts: `${amountText(done)} of ${amountText(wanted)} bars`,
  rate: perSecond === null ? "" : `${amountText(perSecond)} bars/s`,
  // what it waits for is told in the note
  eta: done >= wanted || (secondsLeft === null && note !== "") ? "" : `ETA ${clockText(secondsLeft)}`,
  note
})

const joined = (parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join(gap)

const barOf = ({ done, wanted }: Progress, columns: number): string => {
  const share = wanted === 0 ? 1 : Math.min(1, Math.max(0, done / wanted))
  const full = Math.floor(share * columns)
  return "█".repeat(full) + "░".repeat(columns - full)
}

/** The line for a terminal that is so wide: a bar, percent, bars, bars a second, and when it will be done. */
export const progressLine = (progress: Progress, columns: number): string => {
  const { counts, eta, note, percent, rate } = partsOf(progress)
  const room = Math.max(0, columns - 1)
  const texts = [
    joined([percent, counts, rate, eta, note]),
    joined([percent, counts, eta, note]),
    joined([percent, eta]),
    percent
  ]
  for (const text of texts) {
    const barColumns = Math.min(barColumnsMax, room - text.length - gap.length)
    if (barColumns >= barColumnsMin) return `${barOf(progress, barColumns)}${gap}${text}`
  }
  return (texts.find(({ length }) => length <= room) ?? percent).slice(0, room)
}

/** The line for a log. */
export const progressNote = (progress: Progress): string => {
  const { counts, eta, note, percent, rate } = partsOf(progress)
  return [percent, counts, rate, eta, note].filter((part) => part !== "").join(", ")
}
