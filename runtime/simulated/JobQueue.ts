/**
 * Who gets which work, and when does it come again?
 *
 * One message a subject. What is taken is nobody else's until its time is over or it is given back; whoever removes a
 * subject's work removes it, the holder or not. As with a real server, nobody is fenced: signs of life of one who lost
 * his work count for the one who has it now.
 */
import { Option } from "effect"
import { queuedClasses } from "../../protocol/wire/QueueSubject.ts"
import type { StreamSpec } from "../../protocol/wire/StreamSpec.ts"
import type { Stored } from "../Mesh.ts"
import { type Answer, conflict, done, refused } from "./Answer.ts"
import type { Append } from "./Records.ts"
import { hasWildcard, matcher } from "./SubjectIndex.ts"

/** A unit of work that was given to somebody. */
export interface Taken {
  readonly subject: string
  readonly data: Uint8Array
  readonly revision: number
  /** Its time starts again. */
  readonly working: () => void
  /** It comes again in a second. */
  readonly later: () => void
  /** It is removed. */
  readonly done: () => void
}

/** One who waits for work. */
export interface Pull {
  readonly client: string
  readonly jobClass: string
  /** Whether work that is not there yet is waited for. */
  readonly isPatient: boolean
  /** Called once: with work, or with none when there was none for a while. */
  readonly answer: (taken: Taken | undefined) => void
}

/** A queue's entry as it stands. */
export interface QueueEntry {
  readonly subject: string
  readonly revision: number
  readonly data: Uint8Array
  readonly isTaken: boolean
}

/** The queue of one stream. */
export interface JobQueue {
  /** Gives `queuedAlready` where the subject's work is there. */
  readonly enqueue: (message: Append) => Answer<number>
  /** A subject's work, taken or not. */
  readonly read: (subject: string) => Option.Option<Stored>
  readonly dequeue: (subject: string) => Answer<void>
  readonly take: (pull: Pull) => Answer<void>
  /** Those of a client who wait do so no longer, and are not told. */
  readonly forget: (client: string) => void
  readonly entries: () => ReadonlyArray<QueueEntry>
  readonly setFull: (isFull: boolean) => void
}

/** What a queue works with. */
export interface JobQueueOptions {
  readonly spec: StreamSpec
  readonly schedule: (afterMs: number, run: () => void) => void
  readonly onAccepted: (entry: QueueEntry, by: string) => void
}

// as the stream and its consumers are configured: see runtime/nats/provision.ts
const ackWaitMs = 4000
const laterMs = 1000
const takeWaitMs = 1000
const pendingMax = 5000

interface Job {
  readonly subject: string
  readonly data: Uint8Array
  readonly revision: number
  readonly forClass: JobClass | undefined
  /** Waiting for somebody, taken, or no longer there. */
  state: "waiting" | "taken" | "gone"
  /** Which alarm counts. */
  alarm: number
}

interface Waiting extends Pull {
  isOver: boolean
}

/** The jobs of one class and those who wait for them, each set in the order of its lines. */
interface JobClass {
  readonly names: (subject: string) => boolean
  readonly fresh: Set<Job>
  /** What comes again comes before what is new. */
  readonly again: Set<Job>
  readonly waiting: Set<Waiting>
  takenCount: number
}

const makeClass = (jobClass: string, { subjects }: StreamSpec): JobClass => ({
  names: matcher(subjects.replace(/>$/, `${jobClass}.>`)),
  fresh: new Set(),
  again: new Set(),
  waiting: new Set(),
  takenCount: 0
})

/** Takes the first out of its line. */
const next = <A>(line: Set<A>): A | undefined => {
  for (const first of line) {
    line.delete(first)
    return first
  }
  return undefined
}

interface State {
  readonly given: JobQueueOptions
  readonly jobs: Map<string, Job>
  readonly classes: ReadonlyMap<string, JobClass>
  sequence: number
  isFull: boolean
}

const release = (job: Job, state: "waiting" | "gone"): void => {
  const { forClass } = job
  if (forClass !== undefined) {
    if (job.state === "taken") forClass.takenCount -= 1
    forClass.fresh.delete(job)
    forClass.again.delete(job)
  }
  job.state = state
}

/** Lets the job come again when its time is over. */
const setAlarm = (state: Pick<State, "given" | "jobs">, job: Job, afterMs: number): void => {
  const alarm = ++job.alarm
  state.given.schedule(afterMs, () => {
    const { forClass } = job
    if (job.state !== "taken" || job.alarm !== alarm || forClass === undefined) return
    release(job, "waiting")
    forClass.again.add(job)
    serve(state, forClass)
  })
}

const give = ({ given, jobs }: Pick<State, "given" | "jobs">, job: Job, pull: Waiting): void => {
  job.state = "taken"
  if (job.forClass !== undefined) job.forClass.takenCount += 1
  pull.isOver = true
  setAlarm({ given, jobs }, job, ackWaitMs)
  const { data, revision, subject } = job
  const restart = (afterMs: number) => (): void => {
    if (job.state === "taken") setAlarm({ given, jobs }, job, afterMs)
  }
  const done = (): void => {
    if (jobs.get(subject) !== job || job.state === "waiting") return
    const { forClass } = job
    release(job, "gone")
    jobs.delete(subject)
    if (forClass !== undefined) serve({ given, jobs }, forClass)
  }
  pull.answer({ subject, data, revision, working: restart(ackWaitMs), later: restart(laterMs), done })
}

/** Gives what waits to those who wait. */
const serve = (state: Pick<State, "given" | "jobs">, jobClass: JobClass): void => {
  const { again, fresh, waiting } = jobClass
  while (waiting.size > 0 && jobClass.takenCount < pendingMax) {
    const job = next(again) ?? next(fresh)
    if (job === undefined) return
    const pull = next(waiting)
    if (pull !== undefined) give(state, job, pull)
  }
}

/** The subject's work is there. */
export const queuedAlready: Answer<never> = refused("JetStreamApiError: maximum messages per subject exceeded")

const enqueue = (state: State, { by, data, options, subject }: Append): Answer<number> => {
  const standing = state.jobs.get(subject)
  if (options.expect !== undefined && options.expect !== (standing?.revision ?? 0)) return conflict
  if (standing !== undefined) return queuedAlready
  if (state.isFull) return refused("JetStreamApiError: maximum bytes exceeded")
  const forClass = Array.from(state.classes.values()).find(({ names }) => names(subject))
  const revision = ++state.sequence
  const job: Job = { subject, data, revision, forClass, state: "waiting", alarm: 0 }
  state.jobs.set(subject, job)
  state.given.onAccepted({ subject, revision, data, isTaken: false }, by)
  if (forClass !== undefined) {
    forClass.fresh.add(job)
    serve(state, forClass)
  }
  return done(revision)
}

const dequeue = ({ given, jobs }: State, subject: string): Answer<void> => {
  const subjects = hasWildcard(subject) ? Array.from(jobs.keys()).filter(matcher(subject)) : [subject]
  for (const one of subjects) {
    const job = jobs.get(one)
    if (job === undefined) continue
    release(job, "gone")
    jobs.delete(one)
    if (job.forClass !== undefined) serve({ given, jobs }, job.forClass)
  }
  return done(undefined)
}

const take = (state: State, pull: Pull): Answer<void> => {
  const { classes, given } = state
  const jobClass = classes.get(pull.jobClass)
  if (jobClass === undefined) return refused("ConsumerNotFoundError: consumer not found")
  const waiting: Waiting = { ...pull, isOver: false }
  jobClass.waiting.add(waiting)
  serve(state, jobClass)
  if (waiting.isOver) return done(undefined)
  const giveUp = (): void => {
    if (waiting.isOver) return
    waiting.isOver = true
    jobClass.waiting.delete(waiting)
    waiting.answer(undefined)
  }
  if (pull.isPatient) given.schedule(takeWaitMs, giveUp)
  else giveUp()
  return done(undefined)
}

const forget = ({ classes }: State, client: string): void => {
  for (const { waiting } of classes.values()) {
    for (const one of waiting) {
      if (one.client !== client) continue
      one.isOver = true
      waiting.delete(one)
    }
  }
}

/** An empty queue. */
export const make = (given: JobQueueOptions): JobQueue => {
  const state: State = {
    given,
    jobs: new Map(),
    classes: new Map(queuedClasses.map((name) => [name, makeClass(name, given.spec)])),
    sequence: 0,
    isFull: false
  }
  return {
    enqueue: (message) => enqueue(state, message),
    dequeue: (subject) => dequeue(state, subject),
    read: (subject) => {
      const job = state.jobs.get(subject)
      if (job === undefined) return Option.none()
      return Option.some({ subject, revision: job.revision, value: Option.some(job.data) })
    },
    take: (pull) => take(state, pull),
    forget: (client) => forget(state, client),
    entries: () =>
      Array.from(state.jobs.values(), (job) => ({
        subject: job.subject,
        revision: job.revision,
        data: job.data,
        isTaken: job.state === "taken"
      })),
    setFull: (isFull) => void (state.isFull = isFull)
  }
}
