/** When is an answer encoded, of the many that are ready? */
import { Effect, Semaphore } from "effect"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { HistoryResult } from "../../protocol/history/HistoryResult.ts"
import type { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { enforce, withBudget } from "../../runtime/Deadline.ts"
import type { Reply } from "../../runtime/ServiceEndpoint.ts"
import { type AnswerForm, historyReply } from "./historyReply.ts"

/** Answers of fewer rows take less than a millisecond to encode, and wait for nobody. */
const smallRows = 1000

// a large answer takes milliseconds to encode: many that are ready at once must not keep the host from its heartbeats,
// so they are encoded one after another, and everything else gets its turn in between
const encoding = Semaphore.makeUnsafe(1)

/** Encodes rows when it is their turn. */
export const inTurn = (df: Frame, encode: () => Reply): Effect.Effect<Reply> =>
  df.eventTimeMs.length < smallRows
    ? Effect.sync(encode)
    : encoding.withPermits(1)(Effect.tap(Effect.sync(encode), () => Effect.sleep(0)))

/** Encodes an answer; one whose time is over before its turn comes is told so, and not encoded. */
export const encodeInTime = (
  { df, meta }: HistoryResult,
  form: AnswerForm,
  returnMeta: boolean
): Effect.Effect<Reply, DeadlineExceeded> => {
  const turn = inTurn(df, () => historyReply({ df, meta }, form, returnMeta))
  const { elapsedMs, totalDeadlineMs } = meta.slaReport
  return totalDeadlineMs === null || df.eventTimeMs.length < smallRows
    ? turn
    : turn.pipe(enforce("the turn to encode the answer"), withBudget(Math.max(0, totalDeadlineMs - elapsedMs)))
}
