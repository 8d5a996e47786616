/** How do classes of work share what there is of workers and budgets? */
import type { JobClass } from "./BackfillJob.ts"

/** How much each class gets, beside the others: none starves. */
export const classWeights: Readonly<Record<JobClass, number>> = { interactive: 8, repair: 4, bulk: 2, verify: 1 }

/** Classes that somebody or something waits for. */
export const urgentClasses: ReadonlyArray<JobClass> = ["interactive", "repair"]
