/**
 * What is said to and by the sweeper?
 *
 * One actor of the cluster deletes what no root names any more that counts. It works by itself, and an operator may
 * have it work now, or only count.
 */
import { Context, type Effect, Schema } from "effect"
import { Series } from "../history/Series.ts"
import { define } from "../wire/ActorMessage.ts"
import type { Undelivered } from "../wire/Envelope.ts"

const sweeperActor = "sweeper"

/** The one key of the actor's type. */
export const sweeperKey = "all"

/** How many, and how much. */
const Amount = Schema.Struct({ count: Schema.Int, bytes: Schema.Int })

/** What became of all that was looked at of one kind. */
const Share = Schema.Struct({
  /** What a root names that counts; of roots those that count, where somebody ordered to look at them. */
  kept: Amount,
  /** What is too young to say that no root is going to name it; roots that count no more, but by one clock alone. */
  young: Amount,
  /** What was deleted; of a dry run what would have been. */
  swept: Amount
})

/** What was looked at. */
export const SweepTally = Schema.Struct({ chunks: Share, pages: Share, roots: Share })
export type SweepTally = typeof SweepTally.Type

/** Goes through all series, or through one. */
export const SweepRun = Schema.Struct({
  id: Schema.String,
  /** Whose word it is; the sweeper's own where it is time. */
  by: Schema.String,
  isDry: Schema.Boolean,
  /** The one series that it is about; null for all. */
  series: Schema.NullOr(Series),
  startedAt: Schema.Finite,
  endedAt: Schema.NullOr(Schema.Finite),
  seriesDone: Schema.Int,
  seriesTotal: Schema.Int,
  tally: SweepTally,
  /** The first reasons why a series could not be gone through; nothing more of it is deleted then. */
  troubles: Schema.Array(Schema.String)
})
export type SweepRun = typeof SweepRun.Type

/** What the sweeper does, and did last. */
export const SweepReport = Schema.Struct({
  run: Schema.NullOr(SweepRun),
  last: Schema.NullOr(SweepRun),
  /** When it begins by itself, in epoch milliseconds. */
  nextAt: Schema.Finite
})
export type SweepReport = typeof SweepReport.Type

/** Up to which sequences of the streams all is named by roots that are kept for ever. */
const Swept = Schema.Struct({ chunks: Schema.Int, pages: Schema.Int, catalog: Schema.String })

/** The state of the actor. */
export const SweeperState = Schema.Struct({
  format: Schema.Literal(1),
  ...SweepReport.fields,
  swept: Schema.NullOr(Swept)
})
export type SweeperState = typeof SweeperState.Type

/** What an operator orders. */
export const SweepOrder = Schema.Struct({ by: Schema.String, isDry: Schema.Boolean, series: Schema.NullOr(Series) })
export type SweepOrder = typeof SweepOrder.Type

/** The sweeper is at it already: wait for that, and ask again where it is not what is wanted. */
export class SweepUnderWay extends Schema.TaggedError<SweepUnderWay>()("SweepUnderWay", {
  by: Schema.String,
  seriesDone: Schema.Int,
  seriesTotal: Schema.Int
}) {
  override get message() {
    return `a sweep by ${this.by} is under way: ${this.seriesDone} of ${this.seriesTotal} series are done`
  }
}

/** `order` of the sweeper. */
export const orderMessage = define({
  actor: sweeperActor,
  name: "order",
  payload: SweepOrder,
  success: SweepRun,
  failure: SweepUnderWay
})

/** `show` of the sweeper. */
export const showMessage = define({
  actor: sweeperActor,
  name: "show",
  payload: Schema.Null,
  success: SweepReport,
  failure: Schema.Never
})

/** The cluster's sweeper, wherever it lives. */
export class Sweeper extends Context.Service<
  Sweeper,
  {
    readonly order: (order: SweepOrder) => Effect.Effect<SweepRun, SweepUnderWay | Undelivered>
    readonly show: Effect.Effect<SweepReport, Undelivered>
  }
>()("seamless/messages/Sweeper") {}
