/** How does a message of the client library become one of the port? */
import { headers as makeHeaders, type Msg, type MsgHdrs } from "@nats-io/transport-node"
import { mayAnswer } from "../../protocol/wire/ReplySubject.ts"
import type { Headers, Message } from "../Mesh.ts"

/** The library's headers with these values. */
export const toMsgHeaders = (given: Headers): MsgHdrs => {
  const out = makeHeaders()
  for (const [name, value] of given) out.set(name, value)
  return out
}

/** Headers as an option of the library; nothing where there are none. */
export const withHeaders = (headers: Headers | undefined): { headers?: MsgHdrs } =>
  headers === undefined || headers.size === 0 ? {} : { headers: toMsgHeaders(headers) }

const noHeaders: Headers = new Map()

const fromMsgHeaders = (given: MsgHdrs | undefined): Headers =>
  given === undefined
    ? noHeaders
    : new Map(Array.from(given, ([name, values]): [string, string] => [name, values[0] ?? ""]))

/** A message as the port has it. */
export const toMessage = (msg: Msg): Message => {
  let known: Headers | undefined
  return {
    subject: msg.subject,
    data: msg.data,
    replyTo: msg.reply ?? "",
    // most messages are never asked for theirs, and the others more than once
    get headers() {
      known ??= fromMsgHeaders(msg.headers)
      return known
    },
    respond: (data, headers) => {
      if (!mayAnswer(msg.reply ?? "")) return
      try {
        msg.respond(data, withHeaders(headers))
      } catch {
        // the connection is closing: the asker's deadline tells it
      }
    }
  }
}
