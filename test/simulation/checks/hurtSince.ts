/** To which processes has something happened, and since when? */
import type { Fault } from "../History.ts"

/** The first fault of each process that had any, in virtual milliseconds. */
export const hurtSince = (faults: ReadonlyArray<Fault>): ReadonlyMap<string, number> => {
  const since = new Map<string, number>()
  for (const { atMs, target } of faults) {
    for (const name of target.split(" ")) if (!since.has(name)) since.set(name, atMs)
  }
  return since
}
