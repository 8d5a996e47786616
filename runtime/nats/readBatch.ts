/**
 * How are many messages of a stream read at once?
 *
 * One question to any replica, which answers with a message for each that it found and says at the end what is left.
 * An answer that ends early is a page of it, and not the whole.
 */
import type { StoredMsg } from "@nats-io/jetstream"
import { createInbox, type Msg, type MsgHdrs } from "@nats-io/transport-node"
import { Option } from "effect"
import type { Stored } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"

const readTimeoutMs = 5000
// more than 1,024 messages that wildcards match
const tooManyMatches = 413

/** Whether the subject stands for several. */
export const hasWildcard = (subject: string): boolean =>
  subject.split(".").some((token) => token === "*" || token === ">")

const isEnd = (headers: MsgHdrs | undefined): boolean =>
  headers !== undefined && (headers.has("KV-Operation") || headers.has("Nats-Marker-Reason"))

/** A message of a stream as the port has it. */
export const stored = (message: Pick<StoredMsg, "subject" | "seq" | "data" | "header">): Stored => ({
  subject: message.subject,
  revision: message.seq,
  value: isEnd(message.header) ? Option.none() : Option.some(message.data)
})

/** Where a batch that did not fit goes on. */
export interface Rest {
  readonly seq: number
  readonly up_to_seq: number
}

/** The end of a batch: what is left of it, if anything. */
const restOf = (headers: MsgHdrs): Rest | undefined =>
  Number(headers.get("Nats-Num-Pending")) > 0
    ? { seq: Number(headers.get("Nats-Last-Sequence")) + 1, up_to_seq: Number(headers.get("Nats-UpTo-Sequence")) }
    : undefined

/** More subjects have a message than the server reads at once. */
export class TooManyMatches extends Error {}

const refusal = (code: number, { description }: MsgHdrs): Error =>
  code === tooManyMatches ? new TooManyMatches(description) : new Error(`${code} ${description}`)

/** A batch read, and where what it finds goes. */
interface Batch {
  readonly stream: string
  readonly body: object
  readonly onFound: (found: Stored) => void
}

/** One batch read. The library's own leaves a subscription behind at each call, so this one keeps its own. */
export const readBatch = ({ nc }: Connection, { body, onFound, stream }: Batch): Promise<Rest | undefined> => {
  const { promise, reject, resolve } = Promise.withResolvers<Rest | undefined>()
  const inbox = createInbox()
  const onMessage = (message: Msg): void => {
    const { headers } = message
    const code = headers?.code ?? 0
    if (headers === undefined) reject(new Error("the server's answer has no headers"))
    else if (code === 204) resolve(restOf(headers))
    else if (code === 404) resolve(undefined)
    else if (code >= 400) reject(refusal(code, headers))
    else
      onFound(
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
  nc.publish(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(body), { reply: inbox })
  return promise.finally(() => subscription.unsubscribe())
}
