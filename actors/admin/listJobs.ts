/**
 * Which jobs are there, and how are they?
 *
 * The records are gone through page by page, from any replica, and few of them are kept. Where there are more than one
 * answer looks at, those that were changed last are looked at, and the answer says that it is not of all.
 */
import { Effect, Option } from "effect"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { readJob } from "../../protocol/messages/Backfill.ts"
import type { JobSummary, ListedState } from "../../protocol/messages/JobAdmin.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Token from "../../protocol/wire/Token.ts"
import { historyEntriesMax } from "../../runtime/HistoryPage.ts"
import { headroomBytes, Mesh } from "../../runtime/Mesh.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as JobTally from "./JobTally.ts"
import { summaryOf } from "./summaryOf.ts"

/** Records that one answer looks at: a second's work, and some megabytes of memory for as long. */
const lookedAtMax = 100_000
const limitDefault = 100

/** Which jobs are asked for. */
export interface AskedJobs {
  readonly nodeId?: string
  readonly interval?: string
  readonly state?: ListedState
  readonly limit?: number
}

/** The subject of all records that are asked about. A series that is named in full must be one that is known. */
const subjectOf = Effect.fnUntraced(function* ({ interval, nodeId }: AskedJobs) {
  const parsed = interval === undefined ? Option.none() : Interval.parse(interval)
  if (interval !== undefined && Option.isNone(parsed)) {
    const problem = `${JSON.stringify(interval)} is no interval: a whole number and s, m, h, d or w, such as 1m`
    return yield* new InvalidRequest({ field: "interval", problem })
  }
  if (nodeId !== undefined && interval !== undefined) yield* (yield* SeriesCatalog).find(nodeId, interval)
  const node = nodeId === undefined ? "*" : Token.encode(nodeId)
  return keySubject(Stream.jobs, `${node}.${Option.match(parsed, { onNone: () => "*", onSome: ({ text }) => text })}.*`)
})

/**
 * The revision from which on there are no more records than that, and few less: looked for by halves, as records lie
 * no one knows how close to each other.
 */
const revisionBefore = Effect.fnUntraced(function* (subject: string, countMax: number) {
  const mesh = yield* Mesh
  const countFrom = (fromRevision: number) =>
    Effect.map(
      mesh.history(Stream.jobs.name, subject, { fromRevision, max: 1 }),
      ({ entries, left }) => entries.length + left
    )
  if ((yield* countFrom(1)) <= countMax) return 1
  let tooEarly = 1
  let late = 2
  while ((yield* countFrom(late)) > countMax) [tooEarly, late] = [late, late * 2]
  while (late - tooEarly > 1) {
    const middle = Math.floor((tooEarly + late) / 2)
    const count = yield* countFrom(middle)
    if (count > countMax) tooEarly = middle
    else late = middle
    if (count <= countMax && count > countMax * 0.9) break
  }
  return late
})

/** Adds all records from a revision on; false where so many change meanwhile that there is no end to it. */
const goThrough = Effect.fnUntraced(function* (
  subject: string,
  { countMax, fromRevision, tally }: { fromRevision: number; countMax: number; tally: JobTally.JobTally }
) {
  const mesh = yield* Mesh
  let from = fromRevision
  for (let count = 0; count <= 2 * countMax; count += historyEntriesMax) {
    const { entries, isLast } = yield* mesh.history(Stream.jobs.name, subject, { fromRevision: from })
    tally.add(entries)
    const last = entries.at(-1)
    if (isLast || last === undefined) return true
    from = last.revision + 1
  }
  return false
})

/** As many as have room in one answer. */
const fitting = (jobs: ReadonlyArray<JobSummary>, bytesMax: number): ReadonlyArray<JobSummary> => {
  let bytes = 0
  const tooMany = jobs.findIndex((job) => {
    bytes += Token.byteLength(JSON.stringify(job)) + 1
    return bytes > bytesMax
  })
  return tooMany === -1 ? jobs : jobs.slice(0, tooMany)
}

/** The jobs that are asked for, those that were changed last first; of so many records at most. */
export const listJobs = Effect.fnUntraced(function* (asked: AskedJobs, countMax = lookedAtMax) {
  const mesh = yield* Mesh
  const subject = yield* subjectOf(asked)
  const tally = JobTally.make(asked.state, asked.limit ?? limitDefault)
  const fromRevision = yield* revisionBefore(subject, countMax)
  const cameToEnd = yield* goThrough(subject, { fromRevision, countMax, tally })
  const jobs = tally.newest().flatMap((bytes) => Option.toArray(Option.map(readJob(Option.some(bytes)), summaryOf)))
  return {
    jobs: fitting(jobs, mesh.payloadBytesMax() - 2 * headroomBytes),
    counts: tally.counts(),
    total: tally.total(),
    isWhole: fromRevision === 1 && cameToEnd
  }
})
