/** What of a job does an operator see in a list? Pure. */
import { Option } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import type { JobSummary } from "../../protocol/messages/JobAdmin.ts"

/** A source may answer with a whole page of HTML. */
const reasonMax = 500

const shortly = (text: string): string => (text.length > reasonMax ? `${text.slice(0, reasonMax)}…` : text)

/** The job in a list. */
export const summaryOf = (job: BackfillJob): JobSummary => {
  const { attempts, cause, failure, jobClass, lease, nextAttemptAt, run, series, state, windowStart } = job
  const lengthMs = Option.match(Interval.parse(series.interval), { onNone: () => Infinity, onSome: (i) => i.lengthMs })
  return {
    series,
    windowStart,
    run,
    state,
    jobClass,
    attempts,
    failure: failure && { ...failure, message: shortly(failure.message) },
    nextAttemptAt,
    holder: lease?.holder ?? null,
    wantedBars: bars(job.ranges, lengthMs),
    broughtBars: bars(job.completedRanges, lengthMs),
    cause
  }
}
