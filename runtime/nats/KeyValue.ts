/**
 * How are records written and read back?
 *
 * A record is the last message of a subject. Writing it is a publish that expects the subject's last sequence; reading
 * one goes to the stream's leader, reading many to any replica.
 */
import { JetStreamApiError, type StoredMsg } from "@nats-io/jetstream"
import { type KV, type KvEntry, Kvm } from "@nats-io/kv"
import { createInbox, type Msg, type MsgHdrs } from "@nats-io/transport-node"
import { Effect, Option } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { type MeshShape, RevisionConflict, type Stored, type WriteOptions } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"
import { toMsgHeaders } from "./RequestReply.ts"

const writeTimeoutMs = 2000
const readTimeoutMs = 5000
// the server refuses a read of more subjects
const subjectsPerRead = 512

// 10071: the expected sequence is not the last; 10164: another write of the subject is under way. Both mean: not yours
const conflictCodes = [10071, 10164]

const removal = toMsgHeaders(new Map([["KV-Operation", "DEL"]]))

const writeFailure = (subject: string) => (cause: unknown) =>
  cause instanceof JetStreamApiError && conflictCodes.includes(cause.code)
    ? new RevisionConflict({ subject })
    : new MeshUnavailable({ operation: `write ${subject}`, reason: String(cause) })

const publishOptions = ({ expect, remove, ttlSeconds }: WriteOptions) => ({
  timeout: writeTimeoutMs,
  ...(expect === undefined ? {} : { expect: { lastSubjectSequence: expect } }),
  ...(ttlSeconds === undefined ? {} : { ttl: `${ttlSeconds}s` }),
  ...(remove === true ? { headers: removal } : {})
})

const isEnd = (headers: MsgHdrs | undefined): boolean =>
  headers !== undefined && (headers.has("KV-Operation") || headers.has("Nats-Marker-Reason"))

const stored = (message: Pick<StoredMsg, "subject" | "seq" | "data" | "header">): Stored => ({
  subject: message.subject,
  revision: message.seq,
  value: isEnd(message.header) ? Option.none() : Option.some(message.data)
})

/** Where a batch that did not fit goes on. */
interface Rest {
  readonly seq: number
  readonly up_to_seq: number
}

/** The end of a batch: what is left of it, if anything. */
const restOf = (headers: MsgHdrs): Rest | undefined =>
  Number(headers.get("Nats-Num-Pending")) > 0
    ? { seq: Number(headers.get("Nats-Last-Sequence")) + 1, up_to_seq: Number(headers.get("Nats-UpTo-Sequence")) }
    : undefined

/** One batch read. The library's own leaves a subscription behind at each call, so this one keeps its own. */
const readBatch = (
  { nc }: Connection,
  request: { readonly stream: string; readonly body: object; readonly into: Array<Stored> }
): Promise<Rest | undefined> => {
  const { promise, reject, resolve } = Promise.withResolvers<Rest | undefined>()
  const inbox = createInbox()
  const onMessage = (message: Msg): void => {
    const { headers } = message
    const code = headers?.code ?? 0
    if (headers === undefined) reject(new Error("the server's answer has no headers"))
    else if (code === 204) resolve(restOf(headers))
    else if (code === 404) resolve(undefined)
    else if (code >= 400) reject(new Error(`${code} ${headers.description}`))
    else
      request.into.push(
        stored({
          subject: headers.get("Nats-Subject"),
          seq: Number(headers.get("Nats-Sequence")),
          header: headers,
          data: message.data
        })
      )
  }
  const subscription = nc.subscribe(inbox, {
    timeout: readTimeoutMs,
    callback: (error, message) => (error === null ? onMessage(message) : reject(error))
  })
  nc.publish(`$JS.API.DIRECT.GET.${request.stream}`, JSON.stringify(request.body), { reply: inbox })
  return promise.finally(() => subscription.unsubscribe())
}

const readAll = async (connection: Connection, stream: string, subjects: ReadonlyArray<string>) => {
  const into: Array<Stored> = []
  for (let from = 0; from < subjects.length; from += subjectsPerRead) {
    const multi_last = subjects.slice(from, from + subjectsPerRead)
    let rest: Rest | undefined
    do rest = await readBatch(connection, { stream, body: { multi_last, ...rest }, into })
    while (rest !== undefined)
  }
  return into
}

/** A bucket's stream and its subjects, as every NATS client names them. */
const bucketOf = (stream: string): string | undefined => (stream.startsWith("KV_") ? stream.slice(3) : undefined)

const storedEntry = (subject: string, entry: KvEntry): Stored => ({
  subject,
  revision: entry.revision,
  value: entry.operation === "PUT" ? Option.some(entry.value) : Option.none()
})

/** Reads of one record, from the stream's leader: the key-value client asks it for a bucket that it merely opened. */
const readerOf = ({ js, jsm }: Connection) => {
  const kvm = new Kvm(js)
  const buckets = new Map<string, Promise<KV>>()
  const open = (bucket: string): Promise<KV> => {
    const opened = buckets.get(bucket) ?? kvm.open(bucket)
    buckets.set(bucket, opened)
    opened.catch(() => buckets.delete(bucket))
    return opened
  }
  return async (stream: string, subject: string): Promise<Stored | undefined> => {
    const bucket = bucketOf(stream)
    if (bucket === undefined) {
      const message = await jsm.streams.getMessage(stream, { last_by_subj: subject })
      return message === null ? undefined : stored(message)
    }
    const entry = await (await open(bucket)).get(subject.slice(`$KV.${bucket}.`.length))
    return entry === null ? undefined : storedEntry(subject, entry)
  }
}

/** The records part of the port, over a connection. */
export const make = (connection: Connection): Pick<MeshShape, "write" | "read" | "readMany"> => {
  const readOne = readerOf(connection)
  return {
    write: (subject, data, options = {}) =>
      Effect.tryPromise({
        try: () => connection.js.publish(subject, data, publishOptions(options)),
        catch: writeFailure(subject)
      }).pipe(Effect.map((ack) => ack.seq)),
    read: (stream, subject) =>
      Effect.tryPromise({
        try: () => readOne(stream, subject),
        catch: (cause) => new MeshUnavailable({ operation: `read ${subject}`, reason: String(cause) })
      }).pipe(Effect.map(Option.fromNullishOr)),
    readMany: (stream, subjects) =>
      subjects.length === 0
        ? Effect.succeed([])
        : Effect.tryPromise({
            try: () => readAll(connection, stream, subjects),
            catch: (cause) => new MeshUnavailable({ operation: `read of ${stream}`, reason: String(cause) })
          })
  }
}
