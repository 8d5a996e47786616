/**
 * Of which class is the next request?
 *
 * Pure: smooth weighted round robin. Whenever one is sent, each class that waits earns its weight, and the class whose
 * turn it is pays for all. So over time each gets its share, evenly spread, and what one does not want goes to the
 * others. A class that was passed over is owed for it, also while it is away for a moment.
 */
import { JobClass } from "../../protocol/history/BackfillJob.ts"
import { classWeights } from "../../protocol/history/classShares.ts"

/** The classes, the most urgent first. */
const classes: ReadonlyArray<JobClass> = JobClass.literals

/** A reader waits for no more than one request of others before the next interactive one is sent. */
const passesMax = 1

/** What classes are owed, and how often interactive requests were passed over in a row. */
export interface ClassTurns {
  readonly owed: Readonly<Record<JobClass, number>>
  readonly passes: number
}

/** Nobody is owed anything. */
export const initial: ClassTurns = { owed: { interactive: 0, repair: 0, bulk: 0, verify: 0 }, passes: 0 }

/** The class whose turn it is, of those that wait; undefined where none does. */
export const nextClass = ({ owed, passes }: ClassTurns, isWaiting: (each: JobClass) => boolean) => {
  if (isWaiting("interactive") && passes >= passesMax) return "interactive"
  const due = (each: JobClass): number => owed[each] + classWeights[each]
  return classes
    .filter(isWaiting)
    .reduce<JobClass | undefined>(
      (first, each) => (first === undefined || due(each) > due(first) ? each : first),
      undefined
    )
}

/** After a request of that class was sent, which is one of those that waited. */
export const sent = (
  { owed, passes }: ClassTurns,
  chosen: JobClass,
  isWaiting: (each: JobClass) => boolean
): ClassTurns => {
  const waiting = classes.filter(isWaiting)
  const all = waiting.reduce((sum, each) => sum + classWeights[each], 0)
  const earned = waiting.map((each) => [each, owed[each] + classWeights[each] - (each === chosen ? all : 0)] as const)
  const isPassed = isWaiting("interactive") && chosen !== "interactive"
  return { owed: { ...owed, ...Object.fromEntries(earned) }, passes: isPassed ? passes + 1 : 0 }
}
