/**
 * Which class of work is served next?
 *
 * By weight: of every fifteen turns that all classes want, eight are for readers who wait, four for the live edge, two
 * for bulk and one for verification, so that none starves. A class that had nothing to do has no claim on what it did
 * not use. Pure.
 */
import type { JobClass } from "../../protocol/history/BackfillJob.ts"
import { classWeights } from "../../protocol/history/classShares.ts"

/** How far each class has come: what was served, over its weight. */
export type ClassTurns = ReadonlyMap<JobClass, number>

/** Nothing was served yet. */
export const none: ClassTurns = new Map()

const passOf = (turns: ClassTurns, jobClass: JobClass): number => turns.get(jobClass) ?? 0

/** The classes in the order in which to look for work, those with equal claims as they are given. */
export const order = (turns: ClassTurns, classes: ReadonlyArray<JobClass>): ReadonlyArray<JobClass> =>
  classes.toSorted((a, b) => passOf(turns, a) - passOf(turns, b))

/** After work of a class was found; those before it in the order had none. */
export const served = (turns: ClassTurns, found: JobClass, idle: ReadonlyArray<JobClass>): ClassTurns => {
  const pass = passOf(turns, found)
  const next = new Map(turns)
  for (const jobClass of idle) next.set(jobClass, Math.max(pass, passOf(turns, jobClass)))
  return next.set(found, pass + 1 / classWeights[found])
}
