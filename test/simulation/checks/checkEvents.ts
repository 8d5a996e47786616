/**
 * Is what is told of jobs what was saved of them?
 *
 * Each event that came is of a change of a record, and came after it was saved. Where nothing went wrong, each change
 * that has an event was told.
 */
import { Option, Schema } from "effect"
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import { eventBetween, JobEvent, type JobEventName } from "../../../protocol/messages/Backfill.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import type { EventHeard } from "../History.ts"
import type { RunRecord } from "../RunRecord.ts"

const decode = Schema.decodeUnknownOption(JobEvent)

type Told = Pick<JobEvent, "series" | "windowStart" | "run" | "state" | "attempts" | "holder" | "nextAttemptAt">

const textOf = (event: JobEventName, told: Told): string => {
  const { attempts, holder, nextAttemptAt, run, series, state, windowStart } = told
  return `${event} ${series.nodeId} ${series.interval} ${windowStart}.${run} ${state} ${attempts} ${holder} ${nextAttemptAt}`
}

/** When each change was saved that has an event, by what the event says. */
const savedAt = ({ jobs }: RunRecord): ReadonlyMap<string, number> => {
  const saved = new Map<string, number>()
  const last = new Map<string, BackfillJob>()
  for (const { atMs, job, subject } of jobs) {
    const event = eventBetween(last.get(subject), job)
    last.set(subject, job)
    if (event === undefined) continue
    const text = textOf(event, { ...job, holder: job.lease?.holder ?? null })
    if (!saved.has(text)) saved.set(text, atMs)
  }
  return saved
}

/** Events that say what never was saved, or before it was; and, where all must come, changes that were not told. */
export const checkEvents = (
  run: RunRecord,
  events: ReadonlyArray<EventHeard>,
  { allBeforeMs }: { readonly allBeforeMs: number }
): ReadonlyArray<string> => {
  const saved = savedAt(run)
  const heard = new Set<string>()
  const problems: Array<string> = []
  for (const { atMs, data } of events) {
    const told = Option.flatMap(Codec.fromJson(data), decode)
    if (Option.isNone(told)) {
      problems.push(`an event that can't be read, at ${atMs.toFixed(0)} ms`)
      continue
    }
    const text = textOf(told.value.event, told.value)
    heard.add(text)
    if ((saved.get(text) ?? Infinity) > atMs)
      problems.push(`told at ${atMs.toFixed(0)} ms, and not saved by then: ${text}`)
  }
  const untold = Array.from(saved).filter(([text, atMs]) => atMs < allBeforeMs && !heard.has(text))
  return [...problems, ...untold.map(([text]) => `saved, and never told: ${text}`)]
}
