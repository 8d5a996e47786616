/**
 * How long is kept what no longer stands, and how often is it looked what is not?
 *
 * In most runs nobody sweeps. In the others the sweeper goes through all series every few seconds; what counts as old
 * by then is a matter of the small world.
 */
import type { RetentionSettings } from "../../protocol/Settings.ts"
import { seededNumbers } from "../support/seededOrder.ts"

/** What a run keeps. */
export interface Retention {
  /** How long roots count that no longer stand; infinite for ever. */
  readonly rootsMs: number
  /** How long the sweeper rests. */
  readonly sweepEveryMs: number
  /** When operators order a sweep, and of what. */
  readonly orders: ReadonlyArray<SweepOrder>
}

/** A sweep that an operator orders. */
export interface SweepOrder {
  readonly atMs: number
  /** Of one series, by its number, or of all. */
  readonly series: number | "all"
  readonly dryRun: boolean
}

/** What is put is old, and roots that do not count any more go, after so long: see smallWorld.ts. */
export const sweptAfter = { ageMs: 22_000, graceMs: 6000 } as const

const share = 0.3
const forEver = 0.35

/** What of that is so in the run of a seed. Drawn apart, so that the rest of the run is what it was. */
export const draw = (seed: number): Retention | undefined => {
  const next = seededNumbers(seed + 0x5_3e_e9)
  if (next() >= share) return undefined
  const rootsMs = next() < forEver ? Infinity : 12_000 + Math.floor(next() * 16_000)
  const orders = Array.from({ length: Math.floor(next() * 3) }, (): SweepOrder => {
    const of = Math.floor(next() * 4)
    return { atMs: 5000 + next() * 40_000, series: of < 2 ? of : "all", dryRun: next() < 0.25 }
  })
  return { rootsMs, sweepEveryMs: 3000 + Math.floor(next() * 3000), orders }
}

/** The same as a configuration says it. */
export const settingsOf = ({ rootsMs, sweepEveryMs }: Retention): RetentionSettings => ({
  sweepEveryMs,
  ...(rootsMs !== Infinity && { rootsMs })
})
