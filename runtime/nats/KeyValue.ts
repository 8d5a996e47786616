/**
 * How are records written and read back?
 *
 * A record is the last message of a subject. Writing it is a publish that expects the subject's last sequence; reading
 * one goes to the stream's leader.
 */
import { JetStreamApiError } from "@nats-io/jetstream"
import { type KV, type KvEntry, Kvm } from "@nats-io/kv"
import { Effect, Option } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { type MeshShape, RevisionConflict, type Stored, type WriteOptions } from "../Mesh.ts"
import type { Streams } from "./Streams.ts"
import { toMsgHeaders } from "./messages.ts"
import { stored } from "./readBatch.ts"

const writeTimeoutMs = 2000
// 10071: the expected sequence is not the last; 10164: another write of the subject is under way. Both mean: not yours
const conflictCodes = [10071, 10164]

// made anew for each write: publishing adds what it expects to the headers that it is given
const removal = () => toMsgHeaders(new Map([["KV-Operation", "DEL"]]))

const writeFailure = (subject: string) => (cause: unknown) =>
  cause instanceof JetStreamApiError && conflictCodes.includes(cause.code)
    ? new RevisionConflict({ subject })
    : new MeshUnavailable({ operation: `write ${subject}`, reason: String(cause) })

const publishOptions = ({ expect, remove, ttlSeconds }: WriteOptions) => ({
  timeout: writeTimeoutMs,
  ...(expect === undefined ? {} : { expect: { lastSubjectSequence: expect } }),
  ...(ttlSeconds === undefined ? {} : { ttl: `${ttlSeconds}s` }),
  ...(remove === true ? { headers: removal() } : {})
})

/** A bucket's stream and its subjects, as every NATS client names them. */
const bucketOf = (stream: string): string | undefined => (stream.startsWith("KV_") ? stream.slice(3) : undefined)

const storedEntry = (subject: string, entry: KvEntry): Stored => ({
  subject,
  revision: entry.revision,
  value: entry.operation === "PUT" ? Option.some(entry.value) : Option.none()
})

/** Reads of one record, from the stream's leader: the key-value client asks it for a bucket that it merely opened. */
const readerOf = ({ js, jsm }: Streams) => {
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
export const make = (connection: Streams): Pick<MeshShape, "write" | "read"> => {
  const readOne = readerOf(connection)
  // what is sent without a connection is lost, and its answer would be awaited in vain
  const whileUp = <A>(send: () => Promise<A>): Promise<A> =>
    connection.isUp ? send() : Promise.reject(new Error("the connection is down"))
  return {
    write: (subject, data, options = {}) =>
      Effect.tryPromise({
        try: () => whileUp(() => connection.js.publish(subject, data, publishOptions(options))),
        catch: writeFailure(subject)
      }).pipe(Effect.map((ack) => ack.seq)),
    read: (stream, subject) =>
      Effect.tryPromise({
        try: () => whileUp(() => readOne(stream, subject)),
        catch: (cause) => new MeshUnavailable({ operation: `read ${subject}`, reason: String(cause) })
      }).pipe(Effect.map(Option.fromNullishOr))
  }
}
