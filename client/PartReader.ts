/**
 * How is an answer taken that comes in parts?
 *
 * Each part is taken out when it is asked for, and only then is another one granted: what is on its way, and what is
 * held here, is a few parts, however long the answer is. Where a part was lost, or the connection, or the host that
 * answered, it is asked again with the cursor of the last part that came, and any host goes on from there.
 */
import { Effect, Exit, Option, Scope } from "effect"
import { Header } from "../protocol/wire/Header.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import type { Message } from "../runtime/Mesh.ts"
import * as Exchange from "./Exchange.ts"
import { SeamlessError } from "./SeamlessError.ts"
import { settle } from "./failures.ts"
import type { Question, Session } from "./Session.ts"
import type { Pull } from "./toIterable.ts"
import * as Tries from "./Tries.ts"
import { withinDeadline } from "./withinDeadline.ts"

/** Parts that may be on their way: of half a megabyte each, they fill the time of a round trip. */
const credit = 4
// a host that has begun an answer sends the next part within milliseconds: after so long it is as good as gone
const stallMs = 5000
// a host gives a reader up that grants nothing for 30 s: one that was away for nearly so long asks again at once
const idleMsMax = 25_000

/** One request, and the number of the part that comes next. */
interface Attempt {
  readonly exchange: Exchange.Exchange
  expected: number
}

/** An answer as it is taken. */
interface Reader {
  readonly session: Session
  readonly question: Question
  readonly tries: Tries.Tries
  /** Of the request that is under way: closed, it is over. */
  scope: Scope.Closeable | undefined
  attempt: Attempt | undefined
  cursor: string | undefined
  isDone: boolean
  /** When its taker asked last. */
  askedMs: number
}

/** Ends a request; its host is told unless it has ended by itself. */
const end = (reader: Reader): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { scope } = reader
    reader.scope = undefined
    reader.attempt = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

/** The time that a host has for the next part, in milliseconds: for the first what is left, for each other all. */
const hostMs = ({ cursor, tries }: Reader) =>
  cursor === undefined ? Tries.leftMs(tries) : Effect.succeed(tries.budgetMs)

/** Sends the request, from the cursor on where there is one. */
const begin = Effect.fnUntraced(function* (reader: Reader) {
  const { cursor, question, session, tries } = reader
  const budget = question.budgetMs === undefined ? {} : { budgetMs: yield* hostMs(reader) }
  const options = { credit, cursor, leftMs: yield* Tries.leftMs(tries) }
  const scope = Scope.makeUnsafe()
  // known before it is sent: who leaves it meanwhile ends it, too
  reader.scope = scope
  const exchange = yield* Scope.provide(Exchange.open(session, { ...question, ...budget }, options), scope)
  const attempt: Attempt = { exchange, expected: 0 }
  reader.attempt = attempt
  return attempt
})

/** Takes note of a part, and grants another; undefined where one before it was lost. */
const accept = Effect.fnUntraced(function* (reader: Reader, attempt: Attempt, message: Message) {
  const { headers } = message
  const part = headers.get(Header.part)
  if (part !== undefined && Number(part) !== attempt.expected) return undefined
  attempt.expected += 1
  reader.cursor = headers.get(Header.cursor) ?? reader.cursor
  reader.isDone = part === undefined || headers.get(Header.last) === "true"
  yield* Tries.progress(reader.tries)
  if (!reader.isDone) yield* attempt.exchange.grant
  return message
})

/** One step: a message, or why it has to be asked again. */
const advance = Effect.fnUntraced(function* (
  reader: Reader
): Effect.fn.Return<Message, Exchange.Failure | SeamlessError> {
  const attempt = reader.attempt ?? (yield* begin(reader))
  const message = yield* attempt.exchange.next(Tries.silenceMs(reader.tries, yield* hostMs(reader)))
  reader.session.link?.noteServed()
  const part = yield* accept(reader, attempt, yield* settle(message))
  return part ?? (yield* Exchange.lost(reader.question, `part ${attempt.expected} of the answer was lost`))
})

/** Takes note of the time that its taker took for itself, which is its own. */
const resume = Effect.fnUntraced(function* (reader: Reader) {
  const awayMs = (yield* monotonicMs) - reader.askedMs
  reader.tries.progressMs += awayMs
  // what has come already is good all the same
  if (awayMs > idleMsMax) reader.attempt?.exchange.abandon("the host has given the reader up")
})

const nextPart = Effect.fnUntraced(function* (reader: Reader): Effect.fn.Return<Option.Option<Message>, SeamlessError> {
  for (;;) {
    const step = yield* Effect.result(advance(reader))
    reader.askedMs = yield* monotonicMs
    if (step._tag === "Success") return Option.some(step.success)
    const { failure } = step
    yield* end(reader)
    if (failure instanceof SeamlessError && !Tries.mayGoOn(failure, reader.tries)) return yield* Effect.fail(failure)
    yield* Tries.again(reader.tries, failure)
  }
})

/** The next part; none behind the last. A deadline is that of the first: from then on it is its taker's pace, too. */
const next = Effect.fnUntraced(function* (reader: Reader): Effect.fn.Return<Option.Option<Message>, SeamlessError> {
  const { question, session, tries } = reader
  if (reader.isDone) return Option.none()
  yield* resume(reader)
  if (tries.hasBegun) return yield* nextPart(reader)
  return yield* withinDeadline(session, { ...question, budgetMs: yield* Tries.leftMs(tries) }, nextPart(reader))
})

/** What gives the messages of an answer one by one, whole ones each; who leaves it has the host stop. */
export const open = Effect.fnUntraced(function* (
  session: Session,
  question: Question
): Effect.fn.Return<Pull<Message>, never, Scope.Scope> {
  const reader: Reader = {
    session,
    question,
    tries: yield* Tries.make(session, question, stallMs),
    scope: undefined,
    attempt: undefined,
    cursor: undefined,
    isDone: false,
    askedMs: yield* monotonicMs
  }
  yield* Effect.addFinalizer(() => end(reader))
  return next(reader)
})
