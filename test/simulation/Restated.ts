/**
 * Which bar does a source give otherwise than it first did, and when does it have its last word on it?
 *
 * Time passes so slowly in a run that one bar of each series settles within it. So the settle window is chosen by the
 * bar: it is over in the midst of the run, and bars that settle together with it are asked for soon after.
 */
import { alignUp } from "../../protocol/history/Interval.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as Callers from "./Callers.ts"
import * as Market from "./Market.ts"
import { epochMs } from "./SimulatedProcess.ts"

/** The bar, the settle window by which it is due in the run, and when that is, in milliseconds of the run. */
export interface Restated extends Market.Restated {
  readonly settleMs: number
  /** From then on it is to be asked for once more. */
  readonly dueAtMs: number
}

/** Behind the doubts that hosts may have about the time: see Faults. */
const leastMs = 16_000
const restatedAtMs = 9000
const dueMaxMs = 36_000

/** The first settle window by which the bar is due in time; none where there is none. */
const restatedBar = (bar: number): ReadonlyArray<Restated> => {
  for (let settledAtMs = leastMs; settledAtMs < dueMaxMs; settledAtMs++) {
    const settleMs = epochMs + settledAtMs - (bar + Market.barMs)
    const together = { lengthMs: Math.floor(settleMs / 4), anchorMs: 0 }
    const dueAtMs = alignUp(together, epochMs + settledAtMs) - epochMs
    if (dueAtMs < dueMaxMs) return [{ bar, settleMs, restatedAtMs, dueAtMs }]
  }
  return []
}

const all = Array.from({ length: 64 }, (_, index) => Callers.wanted[1] - (index + 1) * Market.barMs)
  .filter((bar) => Callers.nodes.every((_, series) => Market.isTraded(series, bar)))
  .flatMap(restatedBar)

const share = 0.25

/** What of that is so in the run of a seed: nothing in most. Drawn apart, so that the rest of the run is what it was. */
export const draw = (seed: number): Restated | undefined => {
  const next = seededNumbers(seed + 0x5e771e)
  return next() < share ? all[Math.floor(next() * all.length)] : undefined
}
