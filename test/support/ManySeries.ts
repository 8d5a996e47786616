/**
 * Which series fill ten thousand small windows, in all the ways in which a window can end?
 *
 * A bar for each minute of ten days, the same for each series; time before the first bar, time before a listing, and a
 * pair that the exchange has never heard of.
 */
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { BarFile } from "./BarFile.ts"

/** Bars of a window, and how long it is. */
export const windowBars = 10
export const minuteMs = 60_000
export const windowMs = windowBars * minuteMs

const bars = 14_400
/** The start of the first bar. */
export const firstBar = Date.UTC(2022, 0, 1)
const end = firstBar + bars * minuteMs

/** One series, and what is wanted of it. */
export interface Kept extends BarFile {
  readonly wanted: Range
  /** Who asks for it: a backfill with a name, in its order, or callers. */
  readonly by: "oldest_first" | "newest_first" | "ensure"
  readonly listedAt?: number
  /** Whether the exchange trades it. */
  readonly isTraded: boolean
}

/** What can be had of a series. */
export const available = ({ isTraded, listedAt = firstBar }: Kept): RangeSet.RangeSet =>
  isTraded ? RangeSet.of(listedAt, end) : RangeSet.empty

// without a minute that lacks a bar: what is asked for is what is missing, with no look beyond it
const writeBars = (path: string): void => {
  const rows = Array.from({ length: bars }, (_, index) => {
    const close = 1000 + ((index * 7919) % 1000) / 10
    return [firstBar + index * minuteMs, close, close + 1, close - 1, close, (index % 90) + 1].join(",")
  })
  writeFileSync(path, `ts,open,high,low,close,volume\n${rows.join("\n")}\n`)
}

const whole: Range = [firstBar, end]
const early: Range = [firstBar - 60 * windowMs, end]

const orders: ReadonlyArray<Partial<Kept> & Pick<Kept, "by">> = [
  { by: "oldest_first" },
  { by: "newest_first" },
  { by: "ensure" },
  { by: "oldest_first", wanted: early },
  { by: "ensure", wanted: early },
  { by: "newest_first", wanted: early, listedAt: firstBar + 100 * windowMs },
  { by: "ensure" },
  { by: "ensure", wanted: [firstBar, firstBar + 400 * windowMs], isTraded: false }
]

/** The series, with their bars in a file that is gone with the scope. */
export const make = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-bars-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const path = join(folder, "bars.csv")
  writeBars(path)
  return orders.map((order, index): Kept => {
    const pair = `S${index}/USD`
    return { path, pair, node: `ohlcv:binance:${pair}`, interval: "1m", wanted: whole, isTraded: true, ...order }
  })
})
