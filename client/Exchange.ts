/**
 * How is a request put that has many answers?
 *
 * They are kept until they are taken, and only who takes one grants another: what is on its way, and what is held
 * here, is as much as was granted at first. When the connection was away nothing more comes: that is a failure at once,
 * and no wait. A request that is left before its end is called off.
 */
import { Duration, Effect, Latch, Option, type Scope } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import type { Message, NoResponders } from "../runtime/Mesh.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import { randomId } from "../runtime/randomId.ts"
import { callOff, untilStanding } from "./askPatiently.ts"
import { headersOf, type Question, type Session, waitMs } from "./Session.ts"

/** Why no more answers come. */
export type Failure = NoResponders | DeadlineExceeded | MeshUnavailable

/** A request that was sent. */
export interface Exchange {
  /** The next answer, for which so many milliseconds are waited. */
  readonly next: (waitedMs: number) => Effect.Effect<Message, Failure>
  /** Takes one more answer. */
  readonly grant: Effect.Effect<void>
  /** Waits for no more answers than have come. */
  readonly abandon: (reason: string) => void
}

/** How it is sent. */
interface ExchangeOptions {
  /** Answers that may be on their way. */
  readonly credit: number
  /** Where an answer in parts goes on. */
  readonly cursor?: string | undefined
  /** How long the connection is waited for, in milliseconds. */
  readonly leftMs: number
}

const oneMore = new TextEncoder().encode("1")

/** Something went wrong on the way to an answer. */
export const lost = ({ subject }: Question, reason: string): MeshUnavailable =>
  new MeshUnavailable({ operation: `request ${subject}`, reason })

/** Whether an answer is the last of its request: of several reads one says so; of one it is what is no part, too. */
const isEnd = ({ headers }: Message): boolean =>
  headers.has(Header.item)
    ? headers.get(Header.end) === "true"
    : !headers.has(Header.part) || headers.get(Header.last) === "true"

/** The question of who has waited so long: a host is told of no time that is over. */
const lessBy = (question: Question, waitedMs: number): Question =>
  question.deadlineMs === undefined || question.budgetMs === undefined
    ? question
    : { ...question, budgetMs: Math.max(1, question.budgetMs - waitedMs) }

/** Sends the request when the connection stands; it is over with the scope. */
export const open = Effect.fnUntraced(function* (
  session: Session,
  question: Question,
  { credit, cursor, leftMs }: ExchangeOptions
): Effect.fn.Return<Exchange, Failure, Scope.Scope> {
  const { link, mesh } = session
  const askedMs = yield* monotonicMs
  if (link !== undefined) yield* untilStanding(link, question, leftMs)
  const told = lessBy(question, (yield* monotonicMs) - askedMs)
  const call = yield* randomId
  const inbox: Array<Message> = []
  const changed = Latch.makeUnsafe(false)
  let [failure, flow, isOver]: [Failure | undefined, string | undefined, boolean] = [undefined, undefined, false]

  const fail = (found: Failure): void => {
    failure ??= found
    changed.openUnsafe()
  }
  yield* Effect.addFinalizer(() => (isOver ? Effect.void : callOff(session, call)))
  const takeBack = link?.onBack(() => fail(lost(question, "the connection was lost")))
  yield* Effect.addFinalizer(() => Effect.sync(() => takeBack?.()))
  const headers = new Map([...headersOf(told, call), [Header.credit, String(credit)]])
  if (cursor !== undefined) headers.set(Header.cursor, cursor)
  const onAnswer = (message: Message): void => {
    flow ??= message.headers.get(Header.flow)
    isOver ||= isEnd(message)
    inbox.push(message)
    changed.openUnsafe()
  }
  const noAnswer = (found: Failure): void => {
    isOver = found._tag === "NoResponders"
    fail(found)
  }
  yield* mesh
    .requestMany(question.subject, Codec.toJson(question.body), {
      headers,
      timeoutMs: waitMs(session, question),
      onAnswer
    })
    .pipe(
      Effect.catch((found) => Effect.sync(() => noAnswer(found))),
      Effect.forkScoped({ startImmediately: true })
    )

  const next = Effect.fnUntraced(function* (waitedMs: number): Effect.fn.Return<Message, Failure> {
    for (;;) {
      const message = inbox.shift()
      if (message !== undefined) return message
      if (failure !== undefined) return yield* failure
      changed.closeUnsafe()
      const came = yield* Effect.timeoutOption(changed.await, Duration.millis(waitedMs))
      if (Option.isSome(came)) continue
      return yield* new DeadlineExceeded({ waitingFor: `answer on ${question.subject}`, budgetMs: waitedMs })
    }
  })
  // without a word from the host there is nobody to grant anything
  const grant = Effect.suspend(() => (flow === undefined ? Effect.void : Effect.ignore(mesh.publish(flow, oneMore))))
  return { next, grant, abandon: (reason) => fail(lost(question, reason)) }
})
