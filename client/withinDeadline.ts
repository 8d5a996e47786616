/** How is the deadline kept that a caller has named? */
import { Duration, Effect } from "effect"
import { DeadlineExceeded } from "../protocol/wire/Errors.ts"
import { transportError } from "./failures.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { type Question, type Session, waitMsMax } from "./Session.ts"

/** What a caller is told at the deadline, in the same words whatever was waited for. */
const late = ({ servers }: Session, { deadlineMs = 0, subject }: Question): SeamlessError =>
  transportError(servers, new DeadlineExceeded({ waitingFor: `answer on ${subject}`, budgetMs: deadlineMs }))

/** Whether there was no time to get over it: the connection was away, and it is not known to be gone for good. */
const isForWantOfTime = ({ link }: Session, error: SeamlessError): boolean =>
  error.is("MeshUnavailable") && error.fields.servers !== undefined && link !== undefined && !link.isClosed()

/** Does it for as long as there is of the deadline of the question, which is its budget then. */
export const withinDeadline = <A, R>(
  session: Session,
  question: Question,
  effect: Effect.Effect<A, SeamlessError, R>
): Effect.Effect<A, SeamlessError, R> => {
  const { budgetMs, deadlineMs } = question
  return budgetMs === undefined || deadlineMs === undefined
    ? effect
    : effect.pipe(
        Effect.mapError((error) => (isForWantOfTime(session, error) ? late(session, question) : error)),
        Effect.timeoutOrElse({
          duration: Duration.millis(Math.min(waitMsMax, budgetMs)),
          orElse: () => Effect.fail(late(session, question))
        })
      )
}
