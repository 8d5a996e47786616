/**
 * When do operators turn off that sources are asked, and on again?
 *
 * In most runs they never do. In the others for some seconds, while whatever happens happens; who is not answered says
 * it again until it is done, and in the end all is as it was before.
 */
import { seededNumbers } from "../support/seededOrder.ts"

/** The time for which sources are not to be asked. */
export interface Switching {
  readonly onAtMs: number
  readonly offAtMs: number
}

const share = 0.2

/** Whether and when that is so in the run of a seed. Drawn apart, so that the rest of the run is what it was. */
export const draw = (seed: number): Switching | undefined => {
  const next = seededNumbers(seed + 0x5_1_7c4)
  if (next() >= share) return undefined
  const onAtMs = 4000 + next() * 14_000
  return { onAtMs, offAtMs: onAtMs + 10_000 + next() * 10_000 }
}
