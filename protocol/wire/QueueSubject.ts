/** What is a queue entry called? */
import { root } from "./Subject.ts"

/** The classes of jobs, each with its own consumer; the most urgent first. */
export const queuedClasses = ["interactive", "repair", "bulk", "verify"] as const

/** The queue entry of a window's backfill job. */
export const queuedJob = (entry: {
  readonly jobClass: string
  readonly partition: number
  readonly windowKey: string
}): string => `${root}.jobs.${entry.jobClass}.${entry.partition}.${entry.windowKey}`

/** The window's key, from the subject of its queue entry. */
export const queuedWindow = (subject: string): string => subject.split(".").slice(5).join(".")

/** The windows' queue entries of one class; what its consumer filters by. */
export const queuedClass = (jobClass: string): string => `${root}.jobs.${jobClass}.>`
