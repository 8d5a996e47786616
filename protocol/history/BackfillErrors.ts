/** What can go wrong with a backfill that has a name? */
import { Schema } from "effect"
import { isoTime } from "./isoTime.ts"
import { BackfillSpec, BackfillStatus } from "./NamedBackfill.ts"
import { isRange } from "./Range.ts"

/** There is no backfill of that name. */
export class UnknownBackfill extends Schema.TaggedError<UnknownBackfill>()("UnknownBackfill", {
  backfill: Schema.String
}) {
  override get message() {
    return `there is no backfill ${this.backfill}: list those that there are`
  }
}

/** The name is taken by a backfill of something else. Nothing was done: choose another name. */
export class BackfillExists extends Schema.TaggedError<BackfillExists>()("BackfillExists", {
  backfill: Schema.String,
  status: BackfillStatus,
  /** What is there under that name. */
  existing: BackfillSpec
}) {
  override get message() {
    const { end, interval, jobClass, nodeId, order, start } = this.existing
    return (
      `there is a backfill ${this.backfill} already, and it is another: ${nodeId} ${interval}, ` +
      `${isoTime(start)} to ${isoTime(end)}, ${order}, ${jobClass}, ${this.status}; choose another name`
    )
  }
}

/** The backfill has ended for good. Nothing was done: create another. */
export class BackfillEnded extends Schema.TaggedError<BackfillEnded>()("BackfillEnded", {
  backfill: Schema.String,
  status: BackfillStatus
}) {
  override get message() {
    return `backfill ${this.backfill} is ${this.status}, which is for good: create another`
  }
}

/** The range has bars that are not final yet, which no source may be asked for. */
export class RangeNotFinal extends Schema.TaggedError<RangeNotFinal>()("RangeNotFinal", {
  start: Schema.Finite,
  end: Schema.Finite,
  /** The latest end that would be taken. */
  finalEnd: Schema.Finite
}) {
  override get message() {
    const { end, finalEnd, start } = this
    const right = isRange(start, finalEnd)
      ? `ask for an end of ${isoTime(finalEnd)} (${finalEnd}) or earlier`
      : "nothing of it has happened yet"
    return `the range ends at ${isoTime(end)}, and bars are final until ${isoTime(finalEnd)} now: ${right}`
  }
}
