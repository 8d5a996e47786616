/** What of a job does an operator see in a list? Pure. */
import { Option } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import type { JobSummary } from "../../protocol/messages/JobAdmin.ts"
import { toldJob } from "../../protocol/messages/ToldJob.ts"

/** A source may answer with a whole page of HTML. */
const reasonMax = 500

const shortly = (text: string): string => (text.length > reasonMax ? `${text.slice(0, reasonMax)}…` : text)

/** The job in a list. */
export const summaryOf = (job: BackfillJob): JobSummary => {
  const { cause, failure, series } = job
  const lengthMs = Option.match(Interval.parse(series.interval), { onNone: () => Infinity, onSome: (i) => i.lengthMs })
  return {
    ...toldJob(job),
    failure: failure && { ...failure, message: shortly(failure.message) },
    wantedBars: bars(job.ranges, lengthMs),
    broughtBars: bars(job.completedRanges, lengthMs),
    cause
  }
}
