/** How does work get through the queue? */
import { type Consumer, JetStreamApiError, type JsMsg } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect, Option } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { Delivery, MeshShape } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"

const takeWaitMs = 1000
const takeWithinMs = 6000
const takeNowWithinMs = 2000
// soon enough to find that a holder has died, seldom enough to cost nothing while it lives
const laterMs = 1000

const unavailable = (operation: string) => (cause: unknown) => new MeshUnavailable({ operation, reason: String(cause) })

// 10077 stands for several limits; only this one means that the work is in the queue already
const isQueuedAlready = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError && cause.code === 10077 && /maximum messages per subject/.test(cause.message)

const toDelivery = (message: JsMsg): Delivery => ({
  subject: message.subject,
  working: Effect.sync(() => message.working()),
  later: Effect.sync(() => message.nak(laterMs)),
  done: Effect.sync(() => message.ack())
})

// as the library says it
const working = "+WPI"
const done = "+ACK"
const later = `-NAK ${JSON.stringify({ delay: nanos(laterMs) })}`

// no messages; and requests that wait already, which will get what comes first
const nothingNow: ReadonlySet<number> = new Set([404, 408])

/**
 * What is there now, if anything is; the library's own pulls wait for a second at least. Answers with a status are the
 * server's own.
 */
const takeNow = async ({ nc }: Connection, consumer: string): Promise<Delivery | null> => {
  const pull = JSON.stringify({ batch: 1, no_wait: true })
  // an answer with work has the work's subject, by which shared inboxes can't tell whose it is
  const options = { timeout: takeNowWithinMs, noMux: true }
  const message = await nc.request(`$JS.API.CONSUMER.MSG.NEXT.${consumer}`, pull, options)
  const status = message.headers?.code ?? 0
  if (nothingNow.has(status)) return null
  if (status !== 0) return Promise.reject(new Error(`${status} ${message.headers?.description ?? ""}`))
  const say = (word: string) => Effect.sync(() => void message.respond(word))
  return { subject: message.subject, working: say(working), later: say(later), done: say(done) }
}

/** The queue part of the port, over a connection. */
export const make = (connection: Connection): Pick<MeshShape, "enqueue" | "dequeue" | "take"> => {
  const consumers = new Map<string, Promise<Consumer>>()
  const consumerOf = (stream: string, jobClass: string): Promise<Consumer> => {
    const key = `${stream}/${jobClass}`
    const known = consumers.get(key) ?? connection.js.consumers.get(stream, jobClass)
    consumers.set(key, known)
    known.catch(() => consumers.delete(key))
    return known
  }
  return {
    enqueue: (subject, data) =>
      Effect.tryPromise({
        try: () =>
          connection.js.publish(subject, data).then(
            () => undefined,
            (cause: unknown) => (isQueuedAlready(cause) ? undefined : Promise.reject(cause))
          ),
        catch: unavailable(`enqueue ${subject}`)
      }),
    dequeue: (stream, subject) =>
      Effect.tryPromise({
        try: () => connection.jsm.streams.purge(stream, { filter: subject }),
        catch: unavailable(`dequeue ${subject}`)
      }).pipe(Effect.asVoid),
    take: (stream, jobClass, { isPatient = true } = {}) =>
      Effect.tryPromise({
        try: async () => {
          if (!isPatient) return takeNow(connection, `${stream}.${jobClass}`)
          const message = await (await consumerOf(stream, jobClass)).next({ expires: takeWaitMs })
          return message === null ? null : toDelivery(message)
        },
        catch: unavailable(`take from ${stream}`)
      }).pipe(
        // the library waits for a connection that was lost, however long that takes
        Effect.timeoutOrElse({
          duration: takeWithinMs,
          orElse: () => Effect.fail(unavailable(`take from ${stream}`)("no answer"))
        }),
        Effect.map(Option.fromNullishOr)
      )
  }
}
