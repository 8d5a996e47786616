/** How do messages go out and come in? */
import {
  headers as makeHeaders,
  type Msg,
  type MsgHdrs,
  NoRespondersError,
  RequestError,
  TimeoutError
} from "@nats-io/transport-node"
import { Effect } from "effect"
import { DeadlineExceeded, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { type Headers, type MeshShape, type Message, NoResponders } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"

/** The library's headers with these values. */
export const toMsgHeaders = (given: Headers): MsgHdrs => {
  const out = makeHeaders()
  for (const [name, value] of given) out.set(name, value)
  return out
}

const fromMsgHeaders = (given: MsgHdrs | undefined): Headers =>
  new Map(Array.from(given ?? [], ([name, values]): [string, string] => [name, values[0] ?? ""]))

const withHeaders = (headers: Headers | undefined): { headers?: MsgHdrs } =>
  headers === undefined || headers.size === 0 ? {} : { headers: toMsgHeaders(headers) }

const toMessage = (msg: Msg): Message => ({
  subject: msg.subject,
  data: msg.data,
  headers: fromMsgHeaders(msg.headers),
  respond: (data, headers) => {
    try {
      msg.respond(data, withHeaders(headers))
    } catch {
      // the connection is closing: the asker's deadline tells it
    }
  }
})

const requestFailure = (subject: string, timeoutMs: number) => (cause: unknown) => {
  if (cause instanceof TimeoutError)
    return new DeadlineExceeded({ waitingFor: `answer on ${subject}`, budgetMs: timeoutMs })
  if (cause instanceof NoRespondersError || (cause instanceof RequestError && cause.isNoResponders()))
    return new NoResponders({ subject })
  return new MeshUnavailable({ operation: `request ${subject}`, reason: String(cause) })
}

/** The messages part of the port, over a connection. */
export const make = ({
  nc,
  reconnectHandlers
}: Connection): Pick<
  MeshShape,
  "publish" | "request" | "subscribe" | "onReconnect" | "payloadBytesMax" | "connected"
> => ({
  publish: (subject, data, headers) =>
    Effect.try({
      try: () => nc.publish(subject, data, withHeaders(headers)),
      catch: (cause) => new MeshUnavailable({ operation: `publish ${subject}`, reason: String(cause) })
    }),
  request: (subject, data, { headers, timeoutMs }) =>
    Effect.tryPromise({
      try: () => nc.request(subject, data, { timeout: Math.max(1, timeoutMs), ...withHeaders(headers) }),
      catch: requestFailure(subject, timeoutMs)
    }).pipe(Effect.map(toMessage)),
  subscribe: (subject, handler, options) =>
    Effect.acquireRelease(
      Effect.tryPromise({
        try: async () => {
          const subscription = nc.subscribe(subject, {
            ...(options?.group === undefined ? {} : { queue: options.group }),
            callback: (error, msg) => {
              if (error === null) handler(toMessage(msg))
            }
          })
          // the server knows of it before anyone relies on it
          await nc.flush().catch((cause: unknown) => {
            subscription.unsubscribe()
            return Promise.reject(cause)
          })
          return subscription
        },
        catch: (cause) => new MeshUnavailable({ operation: `subscribe ${subject}`, reason: String(cause) })
      }),
      (subscription) => Effect.sync(() => subscription.unsubscribe())
    ).pipe(Effect.asVoid),
  onReconnect: (handler) =>
    Effect.acquireRelease(
      Effect.sync(() => void reconnectHandlers.add(handler)),
      () => Effect.sync(() => void reconnectHandlers.delete(handler))
    ),
  payloadBytesMax: () => nc.info?.max_payload ?? 1024 * 1024,
  connected: () => nc.info !== undefined && !nc.isClosed()
})
