/** How are streams set up, and how does work get through the queue? */
import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  JetStreamApiError,
  type JsMsg,
  RetentionPolicy,
  StorageType,
  type StreamConfig
} from "@nats-io/jetstream"
import { nanos } from "@nats-io/transport-node"
import { Effect, Option } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { StreamKind, StreamSpec } from "../../protocol/wire/StreamSpec.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import type { Delivery, MeshShape } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"

/** A worker that says nothing for this long has lost its message to the next one. */
const ackWaitMs = 4000
// messages whose job runs elsewhere wait unacknowledged: the bound must never be what stops the others
const pendingMax = 5000
const takeWaitMs = 1000
// soon enough to find that a holder has died, seldom enough to cost nothing while it lives
const laterMs = 1000
const markerTtlMs = 60_000
// a name is claimed for as long as a publisher might repeat itself: the queue's own rule does the rest
const duplicateWindowMs = 100

// long enough for a person to come back from a holiday
const letterDays = 30
// so many are more than anyone looks at; the oldest go first, and the disk is not theirs alone
const lettersMax = 100_000

const jobClasses = ["interactive"]

const lastOfSubject = { max_msgs_per_subject: 1, allow_direct: true, deny_delete: true, deny_purge: true }

const configOf: Readonly<Record<StreamKind, Partial<StreamConfig>>> = {
  state: lastOfSubject,
  expiring: { ...lastOfSubject, allow_msg_ttl: true },
  lease: {
    ...lastOfSubject,
    deny_purge: false,
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanos(markerTtlMs),
    allow_rollup_hdrs: true
  },
  blob: { max_msgs_per_subject: 1, allow_direct: true },
  log: { allow_direct: true, deny_delete: true, deny_purge: true },
  letters: {
    max_msgs_per_subject: 1,
    allow_direct: true,
    max_age: nanos(letterDays * 24 * 3_600_000),
    max_msgs: lettersMax,
    discard: DiscardPolicy.Old
  },
  queue: {
    retention: RetentionPolicy.Workqueue,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    duplicate_window: nanos(duplicateWindowMs)
  }
}

const streamConfig = (spec: StreamSpec): Partial<StreamConfig> & { name: string } => ({
  name: spec.name,
  subjects: [spec.subjects],
  storage: StorageType.File,
  ...configOf[spec.kind],
  ...(spec.announce === undefined
    ? {}
    : { republish: { src: spec.subjects, dest: spec.announce.to, headers_only: spec.announce.headersOnly } })
})

// 10058: a stream of the name exists, with other settings: those of whoever runs the server stand
const nameInUse = 10058

/** Sets up what an earlier version did not: the announcements of a stream that exists. */
const announce = async ({ jsm }: Connection, spec: StreamSpec): Promise<void> => {
  const { republish } = streamConfig(spec)
  if (republish === undefined) return
  const { config } = await jsm.streams.info(spec.name)
  if (config.republish === undefined) await jsm.streams.update(spec.name, { republish })
}

const provisionStream = async (connection: Connection, spec: StreamSpec): Promise<void> => {
  const { jsm } = connection
  await jsm.streams.add(streamConfig(spec)).catch((cause: unknown) => {
    if (!(cause instanceof JetStreamApiError && cause.code === nameInUse)) return Promise.reject(cause)
    return announce(connection, spec)
  })
  if (spec.kind !== "queue") return
  for (const jobClass of jobClasses) {
    await jsm.consumers.add(spec.name, {
      durable_name: jobClass,
      filter_subject: QueueSubject.queuedClass(jobClass),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      max_ack_pending: pendingMax,
      max_deliver: -1
    })
  }
}

const unavailable = (operation: string) => (cause: unknown) => new MeshUnavailable({ operation, reason: String(cause) })

// 10077 stands for several limits; only this one means that the work is in the queue already
const isQueuedAlready = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError && cause.code === 10077 && /maximum messages per subject/.test(cause.message)

const toDelivery = (message: JsMsg): Delivery => ({
  subject: message.subject,
  working: Effect.sync(() => message.working()),
  later: Effect.sync(() => message.nak(laterMs))
})

/** The streams part of the port, over a connection. */
export const make = (connection: Connection): Pick<MeshShape, "provision" | "enqueue" | "dequeue" | "take"> => {
  const consumers = new Map<string, Promise<Consumer>>()
  const consumerOf = (stream: string, jobClass: string): Promise<Consumer> => {
    const key = `${stream}/${jobClass}`
    const known = consumers.get(key) ?? connection.js.consumers.get(stream, jobClass)
    consumers.set(key, known)
    known.catch(() => consumers.delete(key))
    return known
  }
  return {
    provision: (streams) =>
      Effect.forEach(
        streams,
        (spec) =>
          Effect.tryPromise({
            try: () => provisionStream(connection, spec),
            catch: unavailable(`set up stream ${spec.name}`)
          }),
        { discard: true }
      ),
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
    take: (stream, jobClass) =>
      Effect.tryPromise({
        try: async () => (await consumerOf(stream, jobClass)).next({ expires: takeWaitMs }),
        catch: unavailable(`take from ${stream}`)
      }).pipe(Effect.map((message) => Option.map(Option.fromNullishOr(message), toDelivery)))
  }
}
