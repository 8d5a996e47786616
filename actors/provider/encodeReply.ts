/** When is an answer encoded, and when is it too late for that? */
import type { Effect } from "effect"
import type { HistoryResult } from "../../protocol/history/HistoryResult.ts"
import type { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { enforce, withBudget } from "../../runtime/Deadline.ts"
import type { Reply } from "../../runtime/ServiceEndpoint.ts"
import type { EncodingTurns } from "./EncodingTurns.ts"
import { type AnswerForm, historyReply } from "./historyReply.ts"

/** In which form an answer is wanted, and whether with its account. */
interface Wanted {
  readonly form: AnswerForm
  readonly returnMeta: boolean
}

/** Encodes an answer when it is its turn; one whose time is over before that is told so, and not encoded. */
export const encodeInTime = (
  turns: EncodingTurns,
  result: HistoryResult,
  { form, returnMeta }: Wanted
): Effect.Effect<Reply, DeadlineExceeded> => {
  const { elapsedMs, totalDeadlineMs } = result.meta.slaReport
  const late = (turn: Effect.Effect<Reply>): Effect.Effect<Reply, DeadlineExceeded> =>
    totalDeadlineMs === null
      ? turn
      : turn.pipe(enforce("the turn to encode the answer"), withBudget(Math.max(0, totalDeadlineMs - elapsedMs)))
  return turns.take(() => historyReply(result, form, returnMeta), late)
}
