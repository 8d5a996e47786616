/** How does work get through the queue? */
import { type Consumer, JetStreamApiError, type JsMsg } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect, Option } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { Delivery, MeshShape } from "../Mesh.ts"
import type { Streams } from "./Streams.ts"

const takeWaitMs = 1000
const takeWithinMs = 6000
const takeNowWithinMs = 2000
// soon enough to find that a holder has died, seldom enough to cost nothing while it lives
const laterMs = 1000

const unavailable = (operation: string) => (cause: unknown) => new MeshUnavailable({ operation, reason: String(cause) })

// 10077 stands for several limits; only this one means that the work is in the queue already
const isQueuedAlready = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError && cause.code === 10077 && /maximum messages per subject/.test(cause.message)

// another took it out in between: 10043, no such number any more; 10057, no such message
const goneCodes = [10043, 10057]

const isGone = (cause: unknown): boolean => cause instanceof JetStreamApiError && goneCodes.includes(cause.code)

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
const takeNow = async ({ nc }: Streams, consumer: string): Promise<Delivery | null> => {
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

/** Whether it is one unit of work, and not a record, or all that a wildcard matches. */
const isEntry = (stream: string, subject: string): boolean =>
  stream === Stream.queue.name && !/(?:^|\.)[*>](?:\.|$)/.test(subject)

const purge = async ({ jsm }: Streams, stream: string, subject: string): Promise<void> => {
  await jsm.streams.purge(stream, { filter: subject })
}

/**
 * Takes an entry out by its number. A server (2.15) that purges one subject puts off, and at worst forgets, to deliver
 * again what others had taken and not finished.
 */
const removeEntry = async ({ jsm }: Streams, stream: string, subject: string): Promise<void> => {
  const entry = await jsm.streams.getMessage(stream, { last_by_subj: subject })
  if (entry === null) return
  await jsm.streams.deleteMessage(stream, entry.seq, false).catch((cause: unknown) => {
    if (!isGone(cause)) return Promise.reject(cause)
    return true
  })
}

/** The queue part of the port, over a connection. */
export const make = (connection: Streams): Pick<MeshShape, "enqueue" | "dequeue" | "take"> => {
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
        try: () => (isEntry(stream, subject) ? removeEntry : purge)(connection, stream, subject),
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
