/** What does an operator ask about backfills, and what is answered? */
import { Schema } from "effect"
import { JobClass } from "../history/BackfillJob.ts"
import { BackfillPlan } from "../history/BackfillPlan.ts"
import { Align } from "../history/HistoryRequest.ts"
import { BackfillName, BackfillOrder, BackfillReport, BackfillSummary } from "../history/NamedBackfill.ts"

const range = {
  nodeId: Schema.NonEmptyString,
  interval: Schema.NonEmptyString,
  /** Epoch milliseconds, half-open. */
  start: Schema.Int,
  end: Schema.Int,
  /** How a range is taken that is not aligned. */
  align: Schema.optionalKey(Align)
}

const Named = Schema.Struct({ name: BackfillName })

const exampleRange = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m", start: 1670889600000, end: 1670976000000 }
const exampleName = { name: "btc-2022" }

/** The verbs about plans and backfills. */
export const backfillAdmin = {
  /** What filling a range would take; nothing is asked for. */
  plan: { request: Schema.Struct(range), answer: BackfillPlan, example: exampleRange },
  /** Has all of a range filled, under a name. One of that name with the same specification is answered as it is. */
  createBackfill: {
    request: Schema.Struct({
      ...Named.fields,
      ...range,
      /** `oldest_first` where it is absent. */
      order: Schema.optionalKey(BackfillOrder),
      /** `bulk` where it is absent. */
      jobClass: Schema.optionalKey(JobClass)
    }),
    answer: BackfillReport,
    example: { ...exampleName, ...exampleRange }
  },
  /** The newest backfills, the newest last, with figures as they were last saved; and how many there are in all. */
  backfills: {
    request: Schema.Struct({}),
    answer: Schema.Struct({ backfills: Schema.Array(BackfillSummary), total: Schema.Int }),
    example: {}
  },
  /** One backfill, as it is now. */
  backfill: { request: Named, answer: BackfillReport, example: exampleName },
  /** Has it ask for nothing more; windows that are under way are finished. */
  pauseBackfill: { request: Named, answer: BackfillReport, example: exampleName },
  /** Has it go on, and try again what was quarantined and is not any more. */
  resumeBackfill: { request: Named, answer: BackfillReport, example: exampleName },
  /** Has it ask for nothing more, for good; what is left is in the answer's figures. */
  cancelBackfill: { request: Named, answer: BackfillReport, example: exampleName }
} as const
