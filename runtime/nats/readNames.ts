/**
 * How is it listed what a stream keeps, without reading it?
 *
 * By a consumer that lives for one page and is given headers alone. Nothing is left of it when the page is there; one
 * that could not be taken away goes by itself soon.
 */
import { AckPolicy, DeliverPolicy, JetStreamApiError, type JsMsg } from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { type HistoryOptions, namesMax, type NamesPage } from "../HistoryPage.ts"
import type { MeshShape, Named } from "../Mesh.ts"
import type { Streams } from "./Streams.ts"

const pageWithinMs = 5000
const consumerEndsAfterMs = 30_000

const namedOf = (message: JsMsg): Named => ({
  subject: message.subject,
  revision: message.seq,
  bytes: Number(message.headers?.get("Nats-Msg-Size") ?? message.data.length),
  atMs: message.time.getTime()
})

/** What a server answers with its time. */
interface Dated {
  /** When what it is about was made, by the clock of the leader of the cluster. */
  readonly created?: string
  /** When it was answered, by the clock of the server that answers. */
  readonly ts?: string
}

/**
 * The earliest of what the servers' clocks show: names are dated by the leader of their stream, consumers by that of
 * the cluster, and none of them has to be right.
 */
export const earliest = (answers: ReadonlyArray<Dated>): number =>
  Math.min(...answers.flatMap(({ created, ts }) => [created, ts].flatMap((time) => (time ? [Date.parse(time)] : []))))

const readPage = async (
  { isUp, js, jsm }: Streams,
  stream: string,
  subject: string,
  { fromRevision = 1, max = namesMax }: HistoryOptions
): Promise<NamesPage<Named>> => {
  if (!isUp) return Promise.reject(new Error("the connection is down"))
  const consumer = jsm.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(1, fromRevision),
    filter_subject: subject,
    headers_only: true,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(consumerEndsAfterMs)
  })
  const [info, { ts = "" }] = await Promise.all([consumer, jsm.streams.info(stream)])
  try {
    // the consumer is of this moment, and so is what the stream's leader says; the stream is not
    const nowMs = earliest([info, { ts }])
    const entries: Array<Named> = []
    let left = info.num_pending
    const wanted = Math.min(Math.max(1, max), namesMax, left)
    if (wanted === 0) return { entries, isLast: true, left, nowMs }
    const messages = await js.consumers.getConsumerFromInfo(info).fetch({ max_messages: wanted, expires: pageWithinMs })
    for await (const message of messages) {
      entries.push(namedOf(message))
      left = message.info.pending
      if (entries.length === wanted || left === 0) break
    }
    // who asks on from behind the last entry would ask the same again
    if (entries.length === 0) return Promise.reject(new Error("the server held all of it back"))
    return { entries, isLast: left === 0, left, nowMs }
  } finally {
    await jsm.consumers.delete(stream, info.name).catch(() => false)
  }
}

// 10043: no such number any more; 10057 is any other reason, of which these mean that it is not there
const isGone = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError &&
  (cause.code === 10043 || (cause.code === 10057 && /no message found|store EOF|deleted message/.test(cause.message)))

const removeMessage = async ({ isUp, jsm }: Streams, stream: string, revision: number): Promise<void> => {
  if (!isUp) return Promise.reject(new Error("the connection is down"))
  await jsm.streams.deleteMessage(stream, revision, false).catch((cause: unknown) => {
    if (!isGone(cause)) return Promise.reject(cause)
    return true
  })
}

/** The names part of the port, over a connection. */
export const make = (connection: Streams): Pick<MeshShape, "names" | "remove"> => ({
  names: (stream, subject, options = {}) =>
    Effect.tryPromise({
      try: () => readPage(connection, stream, subject, options),
      catch: (cause) => new MeshUnavailable({ operation: `read names of ${subject}`, reason: String(cause) })
    }),
  remove: (stream, revision) =>
    Effect.tryPromise({
      try: () => removeMessage(connection, stream, revision),
      catch: (cause) => new MeshUnavailable({ operation: `remove ${revision} of ${stream}`, reason: String(cause) })
    })
})
