/**
 * How is an answer taken that comes in parts?
 *
 * Each part is taken out when it is asked for, and only then is another one granted: what is on its way, and what is
 * held here, is a few parts, however long the answer is. Where a part was lost, or the connection, or the host that
 * answered, it is asked again with the cursor of the last part that came, and any host goes on from there.
 */
import { Duration, Effect, Exit, Latch, Option, Scope } from "effect"
import { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import type { Message, NoResponders } from "../runtime/Mesh.ts"
import { randomId } from "../runtime/randomId.ts"
import { callOff, untilStanding } from "./askPatiently.ts"
import { SeamlessError } from "./SeamlessError.ts"
import { headersOf, type Question, type Session, settle, transportError, waitMs } from "./Session.ts"
import type { Pull } from "./toIterable.ts"

/** Parts that may be on their way: of half a megabyte each, they fill the time of a round trip. */
const credit = 4
// a host that has begun an answer sends the next part within milliseconds: after so long it is as good as gone
const stallMs = 5000
/** An answer of which nothing new comes is given up after so many tries, or so long. */
const triesMax = 20
const withoutProgressMs = 60_000
// a host gives a reader up that grants nothing for 30 s: one that was away for nearly so long asks again at once
const idleMsMax = 25_000
const pauseMsMin = 50
const pauseMsMax = 1000

type Failure = NoResponders | DeadlineExceeded | MeshUnavailable

/** One request, and what has come of its answer. */
interface Attempt {
  readonly scope: Scope.Closeable
  readonly call: string
  /** Parts that have come and were not taken; no more than were granted. */
  readonly inbox: Array<Message>
  readonly changed: Latch.Latch
  failure: Failure | undefined
  isLost: boolean
  /** Number of the part that comes next. */
  expected: number
  /** Where more parts are granted. */
  flow: string | undefined
}

/** An answer as it is taken. */
interface Reader {
  readonly session: Session
  readonly question: Question
  readonly budgetMs: number
  attempt: Attempt | undefined
  cursor: string | undefined
  isDone: boolean
  tries: number
  /** When something new came last, or when it began. */
  progressMs: number
  /** When its taker asked last. */
  askedMs: number
  /** Whether its taker was away for so long that the host has given it up. */
  isGivenUp: boolean
}

const oneMore = new TextEncoder().encode("1")

const wake = (attempt: Attempt): void => void attempt.changed.openUnsafe()

/** Ends a request; its host is told unless it has ended by itself. */
const end = Effect.fnUntraced(function* (reader: Reader) {
  const { attempt } = reader
  if (attempt === undefined) return
  reader.attempt = undefined
  yield* Scope.close(attempt.scope, Exit.void)
  if (!reader.isDone && attempt.failure === undefined) yield* callOff(reader.session, attempt.call)
})

/** Sends the request, from the cursor on where there is one; what becomes of it is seen in the attempt. */
const begin = Effect.fnUntraced(function* (reader: Reader, leftMs: number) {
  const { cursor, question, session } = reader
  const { link, mesh } = session
  if (link !== undefined) yield* untilStanding(link, question, leftMs)
  const attempt: Attempt = {
    scope: Scope.makeUnsafe(),
    call: yield* randomId,
    inbox: [],
    changed: Latch.makeUnsafe(false),
    failure: undefined,
    isLost: false,
    expected: 0,
    flow: undefined
  }
  reader.attempt = attempt
  const takeBack = link?.onBack(() => {
    attempt.isLost = true
    wake(attempt)
  })
  yield* Scope.addFinalizer(
    attempt.scope,
    Effect.sync(() => takeBack?.())
  )
  const rest = question.budgetMs === undefined ? {} : { budgetMs: cursor === undefined ? leftMs : reader.budgetMs }
  const asked = { ...question, ...rest }
  const headers = new Map([...headersOf(asked, attempt.call), [Header.credit, String(credit)]])
  if (cursor !== undefined) headers.set(Header.cursor, cursor)
  const onAnswer = (message: Message): void => {
    attempt.inbox.push(message)
    wake(attempt)
  }
  yield* mesh
    .requestMany(question.subject, Codec.toJson(question.body), {
      headers,
      timeoutMs: waitMs(session, asked),
      onAnswer
    })
    .pipe(
      Effect.catch((failure) =>
        Effect.sync(() => {
          attempt.failure = failure
          wake(attempt)
        })
      ),
      Scope.provide(attempt.scope),
      Effect.forkIn(attempt.scope, { startImmediately: true })
    )
  return attempt
})

const lost = ({ question }: Reader, reason: string): MeshUnavailable =>
  new MeshUnavailable({ operation: `request ${question.subject}`, reason })

/** How long the next part is waited for: the first is answered within the budget, those behind it at once. */
const patienceMs = ({ budgetMs, cursor, question, session, tries }: Reader, { expected }: Attempt): number => {
  const whole = waitMs(session, { ...question, budgetMs })
  return cursor === undefined && expected === 0 ? whole : Math.min(whole, stallMs * 2 ** Math.min(tries, 4))
}

/** The next message of an attempt. */
const receive = Effect.fnUntraced(function* (reader: Reader, attempt: Attempt): Effect.fn.Return<Message, Failure> {
  const waitedMs = patienceMs(reader, attempt)
  for (;;) {
    const message = attempt.inbox.shift()
    if (message !== undefined) return message
    if (attempt.failure !== undefined) return yield* attempt.failure
    if (attempt.isLost) return yield* lost(reader, "the connection was lost")
    if (reader.isGivenUp) return yield* lost(reader, "the host has given the reader up")
    attempt.changed.closeUnsafe()
    const came = yield* Effect.timeoutOption(attempt.changed.await, Duration.millis(waitedMs))
    if (Option.isNone(came)) {
      return yield* new DeadlineExceeded({ waitingFor: `answer on ${reader.question.subject}`, budgetMs: waitedMs })
    }
  }
})

/** Takes note of a part, and grants another; undefined where one before it was lost. */
const accept = Effect.fnUntraced(function* (reader: Reader, attempt: Attempt, message: Message) {
  const { headers } = message
  const part = headers.get(Header.part)
  attempt.flow ??= headers.get(Header.flow)
  if (part !== undefined && Number(part) !== attempt.expected) return undefined
  attempt.expected += 1
  reader.cursor = headers.get(Header.cursor) ?? reader.cursor
  reader.isDone = part === undefined || headers.get(Header.last) === "true"
  reader.tries = 0
  reader.progressMs = yield* monotonicMs
  if (!reader.isDone && attempt.flow !== undefined) {
    yield* Effect.ignore(reader.session.mesh.publish(attempt.flow, oneMore))
  }
  return message
})

/** Whether it may be tried once more after that, and waits a moment if so. */
const again = Effect.fnUntraced(function* (reader: Reader, failure: Failure | SeamlessError) {
  const { link, servers } = reader.session
  const isFirst = reader.cursor === undefined
  const sinceMs = (yield* monotonicMs) - reader.progressMs
  const error = failure instanceof SeamlessError ? failure : transportError(servers, failure)
  const isWrongAddress = error.tag === "NoHostAnswers" && isFirst && link?.isServed() !== true
  const isLate = isFirst && (sinceMs >= reader.budgetMs || error.tag === "DeadlineExceeded")
  const isOver = reader.tries >= triesMax || sinceMs >= Math.max(withoutProgressMs, reader.budgetMs)
  yield* end(reader)
  if (link === undefined || link.isClosed() || isWrongAddress || isLate || isOver) return yield* Effect.fail(error)
  yield* Effect.sleep(Duration.millis(Math.min(pauseMsMax, pauseMsMin * 2 ** reader.tries)))
  reader.tries += 1
})

/** How long a request may still be waited for. */
const leftMs = (reader: Reader) =>
  Effect.map(monotonicMs, (nowMs) => {
    const bound = reader.cursor === undefined ? reader.budgetMs : Math.max(withoutProgressMs, reader.budgetMs)
    return Math.max(1, bound - (nowMs - reader.progressMs))
  })

/** One step: a message, or undefined where it has to be asked again. */
const advance = Effect.fnUntraced(function* (
  reader: Reader
): Effect.fn.Return<Message | undefined, Failure | SeamlessError> {
  const attempt = reader.attempt ?? (yield* begin(reader, yield* leftMs(reader)))
  const message = yield* receive(reader, attempt)
  reader.session.link?.noteServed()
  const reply = yield* settle(message)
  const part = yield* accept(reader, attempt, reply)
  return part ?? (yield* lost(reader, `part ${attempt.expected} of the answer was lost`))
})

/** Whether another host, or the same a moment later, may go on where this one could not. */
const mayGoOn = ({ code }: SeamlessError, { cursor }: Reader): boolean => code === 503 && cursor !== undefined

/** The next part; none behind the last. */
const next = Effect.fnUntraced(function* (reader: Reader): Effect.fn.Return<Option.Option<Message>, SeamlessError> {
  const nowMs = yield* monotonicMs
  if (nowMs - reader.askedMs > idleMsMax) reader.isGivenUp = true
  // what its taker took its time for is its own
  reader.progressMs += nowMs - reader.askedMs
  for (;;) {
    if (reader.isDone) return Option.none()
    const step = yield* Effect.result(advance(reader))
    reader.askedMs = yield* monotonicMs
    if (step._tag === "Success") return Option.fromUndefinedOr(step.success)
    reader.isGivenUp = false
    const { failure } = step
    if (failure instanceof SeamlessError && !mayGoOn(failure, reader)) return yield* Effect.fail(failure)
    yield* again(reader, failure)
  }
})

/** What gives the messages of an answer one by one, whole ones each; who leaves it has the host stop. */
export const open = Effect.fnUntraced(function* (
  session: Session,
  question: Question
): Effect.fn.Return<Pull<Message>, never, Scope.Scope> {
  const nowMs = yield* monotonicMs
  const reader: Reader = {
    session,
    question,
    budgetMs: question.budgetMs ?? session.timeoutMs,
    attempt: undefined,
    cursor: undefined,
    isDone: false,
    tries: 0,
    progressMs: nowMs,
    askedMs: nowMs,
    isGivenUp: false
  }
  yield* Effect.addFinalizer(() => end(reader))
  return next(reader)
})
