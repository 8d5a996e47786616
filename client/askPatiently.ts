/**
 * When is a question put once more?
 *
 * What may be asked twice without harm waits for the connection where that is down, is asked again where its answer was
 * lost with the connection, where nobody was there to take it although hosts have answered before: they change, and
 * where a host had too much to do, when it said so. An answer that is not there when a host would long have given it is
 * asked for once more, beside what is under way: perhaps that is slow, and not lost, and what it brings counts as well.
 * All of it within the budget of the question, and what is left of that is what a host is given.
 */
import { Data, Duration, Effect, Option, Result, Schedule } from "effect"
import * as CallSubject from "../protocol/wire/CallSubject.ts"
import { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import type { Message, NoResponders } from "../runtime/Mesh.ts"
import { randomId } from "../runtime/randomId.ts"
import type { Link } from "./Link.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { settle, transportError } from "./failures.ts"
import { withinDeadline } from "./withinDeadline.ts"
import { put, type PutOptions, type Question, type Session, waitMsMax } from "./Session.ts"

// hosts that change are away for no longer than it takes to claim slots, or to start
const pauseMsMin = 50
const pauseMsMax = 1000

/** Nothing was done: ask again later. */
const notBegun: ReadonlySet<string | undefined> = new Set(["TooManyRequests", "MailboxFull", "ActorStopped"])

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

/** For how long a host wants to be left alone that has not begun; none for any other refusal. */
export const busyMsOf = ({ fields: { retryAfterMs }, tag }: SeamlessError): Option.Option<number> =>
  notBegun.has(tag) && typeof retryAfterMs === "number" ? Option.some(retryAfterMs) : Option.none()

const busyMs = (reply: Message): Effect.Effect<Option.Option<number>> =>
  reply.headers.has(Header.error)
    ? Effect.match(settle(reply), { onSuccess: () => Option.none(), onFailure: busyMsOf })
    : Effect.succeedNone

interface Given {
  readonly link: Link
  readonly call: string | undefined
}

/** A question with its session, as it is put at one time. */
interface Put {
  readonly session: Session
  readonly question: Question
}

/** The same with so much time left; a host is told where the question has a budget. */
const withLeft = ({ question, session }: Put, leftMs: number): Put => ({
  session: { ...session, timeoutMs: leftMs },
  question: question.budgetMs === undefined ? question : { ...question, budgetMs: leftMs }
})

/** Puts a question under a name; who leaves it has the host told. */
const putNamed = ({ question, session }: Put, call: string | undefined, attempt: PutOptions = {}) =>
  put(session, question, { ...attempt, call }).pipe(
    Effect.onInterrupt(() => (call === undefined ? Effect.void : callOff(session, call)))
  )

class StillBusy extends Data.TaggedError("StillBusy") {}

const unlessBusy = (reply: Message) =>
  Effect.flatMap(busyMs(reply), (waitMs) => (Option.isNone(waitMs) ? Effect.succeed(reply) : new StillBusy()))

/** Asks once more, and then again after twice as long; never fails, as the first try says what went wrong. */
const askMore = (asked: Put, leftMs: number, againMs: number): Effect.Effect<Message> =>
  Effect.gen(function* () {
    yield* Effect.sleep(Duration.millis(againMs))
    const restMs = leftMs - againMs
    if (restMs <= 0) return yield* Effect.never
    const onceMore = putNamed(withLeft(asked, restMs), yield* randomId).pipe(
      Effect.flatMap(unlessBusy),
      Effect.retry(Schedule.spaced(Duration.millis(pauseMsMax))),
      // it has no end but that of the first try
      Effect.catch(() => Effect.never)
    )
    return yield* Effect.raceFirst(onceMore, askMore(asked, restMs, 2 * againMs))
  })

/** Half of a time that nobody has named; what a caller says of the time is hard. */
const softMs = ({ question, session }: Put): number =>
  question.budgetMs === undefined ? session.timeoutMs / 2 : Infinity

/** One try: what came of it, and whether the connection was lost meanwhile. */
const tryOnce = Effect.fnUntraced(function* (asked: Put, leftMs: number, given: Given) {
  let isLost = false
  const abandonOn = (abandon: () => void) =>
    given.link.onBack(() => {
      isLost = true
      abandon()
    })
  const first = putNamed(withLeft(asked, leftMs), given.call, { abandonOn })
  const { againMs = softMs(asked) } = asked.question
  const outcome = yield* Effect.result(
    againMs < leftMs ? Effect.raceFirst(first, askMore(asked, leftMs, againMs)) : first
  )
  return { outcome, isLost }
})

const untilAnswered = Effect.fnUntraced(function* (
  session: Session,
  question: Question,
  given: Given
): Effect.fn.Return<Message, Failure> {
  const { link } = given
  let isServed = link.isServed()
  const budgetMs = question.budgetMs ?? session.timeoutMs
  const startMs = yield* monotonicMs
  const left = Effect.map(monotonicMs, (nowMs) => budgetMs - (nowMs - startMs))
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, 2 * pauseMs)) {
    yield* untilStanding(link, question, yield* left)
    const asked = yield* tryOnce({ session, question }, yield* left, given)
    // what was lost with its connection had been taken
    isServed ||= asked.isLost
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
    const isWrongAddress = failure._tag === "NoResponders" && !isServed
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
    link === undefined ? putNamed({ session, question }, call) : untilAnswered(session, question, { link, call })
  const told = Effect.mapError(asking, (error) => transportError(servers, error))
  const reply = yield* withinDeadline(session, question, told)
  link?.noteServed()
  return yield* settle(reply)
})
