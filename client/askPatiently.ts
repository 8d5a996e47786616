/**
 * When is a question put once more?
 *
 * What may be asked twice without harm waits for the connection where that is down, is asked again where its answer was
 * lost with the connection, where nobody was there to take it although hosts have answered before: they change, and
 * where a host had too much to do, when it said so.
 * All of it within the budget of the question, and what is left of that is what a host is given.
 */
import { Duration, Effect, Option, Result } from "effect"
import * as CallSubject from "../protocol/wire/CallSubject.ts"
import { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import type { Message, NoResponders } from "../runtime/Mesh.ts"
import { randomId } from "../runtime/randomId.ts"
import type { Link } from "./Link.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { put, type Question, type Session, settle, transportError, waitMsMax } from "./Session.ts"

// hosts that change are away for no longer than it takes to claim slots, or to start
const pauseMsMin = 50
const pauseMsMax = 1000

/** Nothing was done: ask again later. */
const busyCode = "429"

type Failure = NoResponders | DeadlineExceeded | MeshUnavailable

const noBody = new Uint8Array(0)

/** Tells the hosts that an answer is no longer wanted; nobody waits for that. */
export const callOff = ({ mesh }: Session, call: string): Effect.Effect<void> =>
  mesh.connected() ? Effect.ignore(mesh.publish(CallSubject.cancel(call), noBody)) : Effect.void

const down = ({ subject }: Question, reason: string): MeshUnavailable =>
  new MeshUnavailable({ operation: `request ${subject}`, reason })

/** Ends when the connection stands, or will not stand again. */
const standing = (link: Link): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (link.connected() || link.isClosed()) return resume(Effect.void)
    return Effect.sync(link.onBack(() => resume(Effect.void)))
  })

/** Waits for the connection. */
export const untilStanding = Effect.fnUntraced(function* (link: Link, question: Question, leftMs: number) {
  yield* standing(link).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(Math.min(waitMsMax, leftMs)),
      orElse: () => Effect.fail(down(question, `there was no connection for ${Math.round(leftMs)} ms`))
    })
  )
  if (link.isClosed()) return yield* down(question, "the client is closed")
})

/** For how long a host wants to be left alone that has too much to do; none for any other answer. */
const busyMs = (reply: Message): Effect.Effect<Option.Option<number>> => {
  if (reply.headers.get(Header.errorCode) !== busyCode) return Effect.succeedNone
  return Effect.match(settle(reply), {
    onSuccess: () => Option.none(),
    onFailure: ({ fields: { retryAfterMs } }) =>
      typeof retryAfterMs === "number" ? Option.some(retryAfterMs) : Option.none()
  })
}

/** One try: what came of it, and whether the connection was lost meanwhile. */
const tryOnce = Effect.fnUntraced(function* (session: Session, question: Question, given: Given) {
  let isLost = false
  const abandonOn = (abandon: () => void) =>
    given.link.onBack(() => {
      isLost = true
      abandon()
    })
  const outcome = yield* Effect.result(put(session, question, { abandonOn, call: given.call }))
  return { outcome, isLost }
})

interface Given {
  readonly link: Link
  readonly call: string | undefined
}

const untilAnswered = Effect.fnUntraced(function* (
  session: Session,
  question: Question,
  given: Given
): Effect.fn.Return<Message, Failure> {
  const { link } = given
  const budgetMs = question.budgetMs ?? session.timeoutMs
  const startMs = yield* monotonicMs
  const left = Effect.map(monotonicMs, (nowMs) => budgetMs - (nowMs - startMs))
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, 2 * pauseMs)) {
    yield* untilStanding(link, question, yield* left)
    const leftMs = yield* left
    const rest = question.budgetMs === undefined ? {} : { budgetMs: leftMs }
    const asked = yield* tryOnce({ ...session, timeoutMs: leftMs }, { ...question, ...rest }, given)
    if (Result.isSuccess(asked.outcome)) {
      const reply = asked.outcome.success
      const waitMs = Option.getOrElse(yield* busyMs(reply), () => Infinity)
      if (waitMs >= (yield* left)) return reply
      yield* Effect.sleep(Duration.millis(Math.max(waitMs, pauseMs)))
      continue
    }
    const failure: Failure = asked.isLost ? down(question, "the connection was lost") : asked.outcome.failure
    if (failure._tag === "DeadlineExceeded") {
      const { waitingFor } = failure
      return yield* link.connected()
        ? new DeadlineExceeded({ waitingFor, budgetMs })
        : down(question, "the connection was lost")
    }
    const isWrongAddress = failure._tag === "NoResponders" && !link.isServed()
    const pauses = asked.isLost ? 0 : pauseMs
    if (isWrongAddress || (yield* left) <= pauses) return yield* failure
    yield* Effect.sleep(Duration.millis(pauses))
  }
})

/** The reply to a question that may be put twice without harm; an error reply is a failure. */
export const askPatiently = Effect.fnUntraced(function* (
  session: Session,
  question: Question
): Effect.fn.Return<Message, SeamlessError> {
  const { link, servers } = session
  const call = question.isCancellable === true ? yield* randomId : undefined
  const asking =
    link === undefined ? put(session, question, { call }) : untilAnswered(session, question, { link, call })
  const reply = yield* asking.pipe(
    Effect.onInterrupt(() => (call === undefined ? Effect.void : callOff(session, call))),
    Effect.mapError((error) => transportError(servers, error))
  )
  link?.noteServed()
  return yield* settle(reply)
})
