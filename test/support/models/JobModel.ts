/**
 * What is done about a window, and what does a demand change?
 *
 * One job a window: a demand opens a run where none is open, joins one that brings what it wants, widens one that
 * waits, and follows one that is under way.
 */
import type { BackfillJob, JobState } from "../../../protocol/history/BackfillJob.ts"

/** Failures in a row after which a window waits for a person. */
export const attemptsMax = 3

/** The job of one window, as it must be. */
export interface WindowJob {
  readonly state: JobState
  readonly run: number
  readonly fence: number
  readonly wanted: ReadonlySet<number>
  readonly done: ReadonlySet<number>
  readonly generation: number
  /** Runs in a row that failed. */
  readonly attempts: number
  /** When a failed run may be followed by another. */
  readonly nextAttemptAt: number | null
}

/** The jobs of a series, by window. */
export interface JobModel {
  readonly jobs: Map<number, WindowJob>
  /** By window: raised when it is invalidated. */
  readonly generations: Map<number, number>
  /** Windows that were opened by somebody else than the newest owner, who need not know of them. */
  readonly elsewhere: Set<number>
}

/** No job yet. */
export const make = (): JobModel => ({ jobs: new Map(), generations: new Map(), elsewhere: new Set() })

/** The generation of a window. */
export const generationOf = ({ generations }: JobModel, window: number): number => generations.get(window) ?? 0

const holds = (all: ReadonlySet<number>, bars: ReadonlySet<number>): boolean => [...bars].every((bar) => all.has(bar))

/** Whether a run waits or is under way. */
export const isOpen = (job: WindowJob | undefined): boolean => job?.state === "RUNNING" || isWaiting(job)

/** Whether a run waits to be claimed. */
export const isWaiting = (job: WindowJob | undefined): boolean => job?.state === "PENDING" || job?.state === "EXPIRED"

/** Whether a run failed that is due again. */
export const isDue = (job: WindowJob | undefined, nowMs: number): boolean =>
  job?.state === "FAILED" && (job.nextAttemptAt ?? Infinity) <= nowMs

/** What a demand comes to. */
export type Answer =
  | { readonly action: "write"; readonly job: WindowJob }
  | { readonly action: "join" | "follow" | "refuse" }

/** What a demand for some bars of a window comes to, where that job stands. */
export const demand = (
  job: WindowJob | undefined,
  bars: ReadonlySet<number>,
  at: { readonly nowMs: number; readonly generation: number }
): Answer => {
  if (job?.state === "QUARANTINED") return { action: "refuse" }
  if (job?.state === "FAILED" && (job.nextAttemptAt ?? 0) > at.nowMs) return { action: "refuse" }
  if (job === undefined || !isOpen(job)) {
    const [run, fence] = [(job?.run ?? 0) + 1, job?.fence ?? 0]
    const attempts = job?.state === "FAILED" ? job.attempts : 0
    const opened = { state: "PENDING", run, fence, attempts, nextAttemptAt: null } as const
    // what a run that failed still owed is brought along
    const owed =
      job?.state === "FAILED" && job.nextAttemptAt !== null ? [...job.wanted].filter((bar) => !job.done.has(bar)) : []
    const wanted = new Set([...bars, ...owed])
    return { action: "write", job: { ...opened, wanted, done: new Set(), generation: at.generation } }
  }
  if (holds(job.wanted, bars)) return { action: "join" }
  if (job.state === "RUNNING") return { action: "follow" }
  return { action: "write", job: { ...job, state: "PENDING", wanted: new Set([...job.wanted, ...bars]) } }
}

/** The job of a run that failed, as the next run of itself. */
export const reopen = (job: WindowJob, generation: number): WindowJob => ({
  ...job,
  state: "PENDING",
  run: job.run + 1,
  wanted: new Set([...job.wanted].filter((bar) => !job.done.has(bar))),
  done: new Set(),
  generation,
  nextAttemptAt: null
})

/** The job when somebody has claimed it. */
export const claim = (job: WindowJob): WindowJob => ({ ...job, state: "RUNNING", fence: job.fence + 1 })

/** What a worker says in the end. */
export type Ending = "release" | "complete" | "fail"

/** The job when its worker has said so; when to try again is the record's to say. */
export const end = (job: WindowJob, ending: Ending, brought: ReadonlySet<number>, record: BackfillJob): WindowJob => {
  if (ending === "release") return { ...job, state: "PENDING" }
  const done = new Set([...job.done, ...[...brought].filter((bar) => job.wanted.has(bar))])
  const isWhole = ending === "complete" || done.size === job.wanted.size
  if (isWhole) return { ...job, state: "SUCCEEDED", done, attempts: 0, nextAttemptAt: null }
  const attempts = job.attempts + 1
  if (attempts === attemptsMax) return { ...job, state: "QUARANTINED", done, attempts, nextAttemptAt: null }
  return { ...job, state: "FAILED", done, attempts, nextAttemptAt: record.nextAttemptAt }
}

/** So much time passes that records of runs which have ended are gone; gives their windows. */
export const expire = ({ jobs }: JobModel): ReadonlyArray<number> => {
  const expired = [...jobs].filter(([, job]) => !isOpen(job) && job.state !== "QUARANTINED").map(([window]) => window)
  for (const window of expired) jobs.delete(window)
  return expired
}
