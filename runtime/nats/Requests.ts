/**
 * How are questions matched with their answers?
 *
 * One subscription takes the answers to all questions of a connection, and a number in the subject says whose each is.
 * The client library does the same, but takes two stack traces and a timer for each question, which cost more than the
 * question; here one clock looks after all of them.
 */
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { Effect, Latch } from "effect"
import { DeadlineExceeded, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { clockMs } from "../Deadline.ts"
import { type Message, type MeshShape, NoResponders, type RequestOptions } from "../Mesh.ts"
import { toMessage, withHeaders } from "./messages.ts"

/** How exactly the end of a question's time is kept. */
const tickMs = 5
/** Questions without an answer; one more is refused at once. */
const waitingMax = 100_000

const noRespondersCode = 503

interface Waiting {
  readonly subject: string
  readonly timeoutMs: number
  readonly untilMs: number
  readonly end: (outcome: Effect.Effect<Message, NoResponders | DeadlineExceeded>) => void
}

const isNobody = ({ data, headers }: Msg): boolean => data.length === 0 && headers?.code === noRespondersCode

/** The questions of one connection. */
interface Desk {
  readonly nc: NatsConnection
  readonly isUp: () => boolean
  readonly now: () => number
  readonly inbox: string
  /** By the number in the subject. */
  readonly waiting: Map<string, Waiting>
  /** Who takes every answer, not only the first; by the same number. */
  readonly open: Map<string, (answer: Message) => void>
  /** Open while questions wait. */
  readonly busy: Latch.Latch
  asked: number
}

const nextToken = (desk: Desk): string => (++desk.asked).toString(36)

/** Asks under a number of the desk's, and waits for the first answer. */
const askAs = (
  desk: Desk,
  token: string,
  { data, subject }: { readonly subject: string; readonly data: Uint8Array },
  { abandonOn, headers, timeoutMs }: RequestOptions
): ReturnType<MeshShape["request"]> =>
  Effect.callback((resume) => {
    const { busy, inbox, nc, now, open, waiting } = desk
    const unavailable = (reason: string) =>
      resume(Effect.fail(new MeshUnavailable({ operation: `request ${subject}`, reason })))
    // what is sent without a connection would be sent later, when nobody waits for it any more
    if (!desk.isUp()) return unavailable("the connection is down")
    if (waiting.size + open.size >= waitingMax) return unavailable(`${waitingMax} questions wait for their answers`)
    const takeBack = abandonOn?.(() => {
      if (waiting.delete(token)) resume(Effect.fail(new NoResponders({ subject })))
    })
    const end: Waiting["end"] = (outcome) => {
      takeBack?.()
      resume(outcome)
    }
    waiting.set(token, { subject, timeoutMs, untilMs: now() + timeoutMs, end })
    const forget = () => {
      waiting.delete(token)
      takeBack?.()
    }
    try {
      nc.publish(subject, data, { reply: `${inbox}.${token}`, ...withHeaders(headers) })
    } catch (cause) {
      forget()
      return unavailable(String(cause))
    }
    busy.openUnsafe()
    return Effect.sync(forget)
  })

const ask =
  (desk: Desk): MeshShape["request"] =>
  (subject, data, options) =>
    Effect.suspend(() => askAs(desk, nextToken(desk), { subject, data }, options))

const askMany =
  (desk: Desk): MeshShape["requestMany"] =>
  (subject, data, { onAnswer, ...options }) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const token = nextToken(desk)
        desk.open.set(token, onAnswer)
        return token
      }),
      (token) => Effect.sync(() => void desk.open.delete(token))
    ).pipe(
      Effect.flatMap((token) => askAs(desk, token, { subject, data }, options)),
      Effect.asVoid
    )

/** Hands an answer on; what a handler throws would end the connection of everyone. */
const handOn = (onAnswer: (answer: Message) => void, msg: Msg): void => {
  try {
    onAnswer(toMessage(msg))
  } catch {
    // nobody is there to be told
  }
}

/** Asks over a connection, for as long as the scope lives. */
export const make = Effect.fnUntraced(function* (nc: NatsConnection, isUp: () => boolean) {
  const now = yield* clockMs
  const inbox = createInbox()
  const waiting = new Map<string, Waiting>()
  const open: Desk["open"] = new Map()
  const busy = Latch.makeUnsafe(false)

  const take = (token: string): Waiting | undefined => {
    const found = waiting.get(token)
    waiting.delete(token)
    return found
  }
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      nc.subscribe(`${inbox}.*`, {
        callback: (error, msg) => {
          if (error !== null) return
          const token = msg.subject.slice(inbox.length + 1)
          const onAnswer = open.get(token)
          if (onAnswer !== undefined && !isNobody(msg)) handOn(onAnswer, msg)
          const found = take(token)
          if (found === undefined) return
          const { end, subject } = found
          end(isNobody(msg) ? Effect.fail(new NoResponders({ subject })) : Effect.succeed(toMessage(msg)))
        }
      })
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe())
  )

  const endLate = Effect.sync(() => {
    const nowMs = now()
    for (const [token, { end, subject, timeoutMs, untilMs }] of waiting) {
      if (untilMs > nowMs) continue
      waiting.delete(token)
      end(Effect.fail(new DeadlineExceeded({ waitingFor: `answer on ${subject}`, budgetMs: timeoutMs })))
    }
    if (waiting.size === 0) busy.closeUnsafe()
  })
  yield* busy.await.pipe(
    Effect.andThen(Effect.sleep(tickMs)),
    Effect.andThen(endLate),
    Effect.forever,
    Effect.forkScoped
  )
  const desk: Desk = { nc, isUp, now, inbox, waiting, open, busy, asked: 0 }
  return { request: ask(desk), requestMany: askMany(desk) }
})
