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
import { type Message, type MeshShape, NoResponders } from "../Mesh.ts"
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
  /** Open while questions wait. */
  readonly busy: Latch.Latch
  asked: number
}

const ask =
  (desk: Desk): MeshShape["request"] =>
  (subject, data, { abandonOn, headers, timeoutMs }) =>
    Effect.callback((resume) => {
      const { busy, inbox, nc, now, waiting } = desk
      const unavailable = (reason: string) =>
        resume(Effect.fail(new MeshUnavailable({ operation: `request ${subject}`, reason })))
      // what is sent without a connection would be sent later, when nobody waits for it any more
      if (!desk.isUp()) return unavailable("the connection is down")
      if (waiting.size >= waitingMax) return unavailable(`${waitingMax} questions wait for their answers`)
      const token = (++desk.asked).toString(36)
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

/** Asks over a connection, for as long as the scope lives. */
export const make = Effect.fnUntraced(function* (nc: NatsConnection, isUp: () => boolean) {
  const now = yield* clockMs
  const inbox = createInbox()
  const waiting = new Map<string, Waiting>()
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
          const found = take(msg.subject.slice(inbox.length + 1))
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
  return { request: ask({ nc, isUp, now, inbox, waiting, busy, asked: 0 }) }
})
