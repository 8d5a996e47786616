/**
 * How did a member of version 1 write and read records?
 *
 * Over a plain connection: a write is a publish with the recorded headers, of which the expected revision is replaced;
 * a read of one record goes to the stream's leader, a read of a bucket to any replica.
 */
import {
  createInbox,
  headers as makeHeaders,
  type Msg,
  type MsgHdrs,
  type NatsConnection
} from "@nats-io/transport-node"
import { fromJson, toJson } from "./v1Forms.ts"

/** A record as it is stored; its value is undefined where the record has ended. */
export interface V1Record {
  readonly subject: string
  readonly revision: number
  readonly value: unknown
}

/** What became of a write. */
export type Written = { readonly revision: number } | "conflict"

/** What to write, where, and with which of the recorded headers. */
export interface V1Write {
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  /** What takes the place of the recorded revision. */
  readonly expect: number
  readonly data: Uint8Array
}

const expectHeader = "Nats-Expected-Last-Subject-Sequence"
const timeoutMs = 5000
const conflictCodes = [10071, 10164]
const noMessage = 10037

interface ApiAnswer {
  readonly seq?: number
  readonly error?: { readonly err_code: number; readonly description: string }
  readonly message?: { readonly seq: number; readonly hdrs?: string; readonly data?: string }
}

/** Asks JetStream; gives the answer, which may be an error. */
export const askServer = async (nc: NatsConnection, subject: string, body: unknown): Promise<ApiAnswer> =>
  (await nc.request(subject, toJson(body), { timeout: timeoutMs })).json()

/** Writes where the subject's revision is the expected one. */
export const write = async (nc: NatsConnection, { data, expect, headers, subject }: V1Write): Promise<Written> => {
  const sent = makeHeaders()
  for (const [name, value] of Object.entries({ ...headers, [expectHeader]: String(expect) })) sent.set(name, value)
  const { error, seq } = (await nc.request(subject, data, { headers: sent, timeout: timeoutMs })).json<ApiAnswer>()
  if (seq !== undefined) return { revision: seq }
  if (error !== undefined && conflictCodes.includes(error.err_code)) return "conflict"
  throw new Error(`write ${subject}: ${error?.description}`)
}

/** The revision of a subject as its stream's leader has it; 0 where there is none. */
export const revisionOf = async (nc: NatsConnection, stream: string, subject: string): Promise<number> => {
  const { error, message } = await askServer(nc, `$JS.API.STREAM.MSG.GET.${stream}`, { last_by_subj: subject })
  if (message !== undefined) return message.seq
  if (error?.err_code === noMessage) return 0
  throw new Error(`read ${subject}: ${error?.description}`)
}

const hasEnded = (headers: MsgHdrs): boolean => headers.has("KV-Operation") || headers.has("Nats-Marker-Reason")

const recordOf = ({ data }: Msg, headers: MsgHdrs): V1Record => ({
  subject: headers.get("Nats-Subject"),
  revision: Number(headers.get("Nats-Sequence")),
  value: hasEnded(headers) ? undefined : fromJson(data)
})

/** Where a batch goes on; undefined where it was all. */
const restOf = (headers: MsgHdrs): object | undefined =>
  Number(headers.get("Nats-Num-Pending")) > 0
    ? { seq: Number(headers.get("Nats-Last-Sequence")) + 1, up_to_seq: Number(headers.get("Nats-UpTo-Sequence")) }
    : undefined

const readBatch = async (
  nc: NatsConnection,
  bucket: string,
  { into, rest }: { readonly rest: object | undefined; readonly into: Array<V1Record> }
): Promise<object | undefined> => {
  const { promise, reject, resolve } = Promise.withResolvers<object | undefined>()
  const inbox = createInbox()
  const onMessage = (message: Msg): void => {
    const { headers } = message
    const code = headers?.code ?? 0
    if (headers === undefined || (code >= 400 && code !== 404)) reject(new Error(`read of ${bucket}: ${code}`))
    else if (code === 204) resolve(restOf(headers))
    else if (code === 404) resolve(undefined)
    else into.push(recordOf(message, headers))
  }
  const subscription = nc.subscribe(inbox, {
    timeout: timeoutMs,
    callback: (error, message) => (error === null ? onMessage(message) : reject(error))
  })
  const body = { multi_last: [`$KV.${bucket}.>`], ...rest }
  nc.publish(`$JS.API.DIRECT.GET.KV_${bucket}`, toJson(body), { reply: inbox })
  return promise.finally(() => subscription.unsubscribe())
}

/** Every record of a bucket. */
export const readBucket = async (nc: NatsConnection, bucket: string): Promise<ReadonlyArray<V1Record>> => {
  const into: Array<V1Record> = []
  let rest: object | undefined
  do rest = await readBatch(nc, bucket, { into, rest })
  while (rest !== undefined)
  return into
}
