/** What does an operator ask of the sweeper, and what is answered? */
import { Schema } from "effect"
import { SweepReport, SweepRun } from "./Sweep.ts"

const isSeriesOrNone = ({ interval, nodeId }: { readonly nodeId?: string; readonly interval?: string }) =>
  (nodeId === undefined) === (interval === undefined) || "a series has both nodeId and interval"

/** The verbs about the sweeper. */
export const sweepAdmin = {
  /**
   * Has what no root names that counts deleted now, of all series or of one; with `dryRun` only counted. It goes on
   * when this is answered: `sweeping` tells how far it is.
   */
  sweep: {
    request: Schema.Struct({
      nodeId: Schema.optionalKey(Schema.NonEmptyString),
      interval: Schema.optionalKey(Schema.NonEmptyString),
      dryRun: Schema.optionalKey(Schema.Boolean)
    }).check(Schema.makeFilter(isSeriesOrNone)),
    answer: SweepRun,
    example: { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m", dryRun: true }
  },
  /** What the sweeper does, did last, and when it begins by itself. */
  sweeping: { request: Schema.Struct({}), answer: SweepReport, example: {} }
} as const
