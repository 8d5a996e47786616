/**
 * What is true of the markets of a run?
 *
 * Whether a bar was traded, and at what prices, is a function of the series and its time. So what is read can be judged
 * without remembering anything.
 */
import type { RawRows } from "../../protocol/frame/RawRows.ts"

/** The length of a bar. */
export const barMs = 60_000

/** The most bars in a row without a trade: what the sources promise. */
export const maxEmptyBars = 3

/** Four of some five hundred numbers that look like chance. */
const mixed = (series: number, bar: number): number => {
  let value = Math.imul(series + 1, 0x9e3779b1) ^ Math.imul(bar, 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39)
  return (value ^ (value >>> 15)) >>> 0
}

/** Whether anything was traded in the bar. Bars at the edges of every fourth are, so that no absence gets long. */
export const isTraded = (series: number, timeMs: number): boolean => {
  const bar = Math.floor(timeMs / barMs)
  return bar % (maxEmptyBars + 1) === 0 || mixed(series, bar) % 8 !== 0
}

/** The closing price of a bar that was traded; the other columns follow from it. */
export const closeOf = (series: number, timeMs: number): number =>
  100 + (mixed(series, Math.floor(timeMs / barMs)) % 500)

/** A bar of every series that a source gives otherwise at first. */
export interface Restated {
  /** Its start, in epoch milliseconds. */
  readonly bar: number
  /** From then on, in milliseconds of the run, the source has its last word. */
  readonly restatedAtMs: number
}

/** The first word of a source on a bar, where its last is this. */
export const firstWordOf = (close: number): number => close + 1000

/** The bars of `[startMs, endMs)`, at most so many. */
export const barsOf = (
  series: number,
  {
    barsMax,
    endMs,
    startMs,
    wordOf = (_, close) => close
  }: {
    readonly startMs: number
    readonly endMs: number
    readonly barsMax: number
    /** What the source says of a bar now, if it is not its closing price. */
    readonly wordOf?: (timeMs: number, close: number) => number
  }
): RawRows => {
  const eventTime: Array<number> = []
  const close: Array<number> = []
  const first = Math.ceil(startMs / barMs) * barMs
  for (let time = first; time < endMs && eventTime.length < barsMax; time += barMs) {
    if (!isTraded(series, time)) continue
    eventTime.push(time)
    close.push(wordOf(time, closeOf(series, time)))
  }
  return {
    eventTime,
    columns: [
      { name: "open", values: close.map((price) => price - 1) },
      { name: "high", values: close.map((price) => price + 2) },
      { name: "low", values: close.map((price) => price - 2) },
      { name: "close", values: close },
      { name: "volume", values: close.map((price) => price / 10) }
    ]
  }
}
