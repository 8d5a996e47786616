/** How do messages go out and come in? */
import { Effect } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { MeshShape } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"
import { toMessage, withHeaders } from "./messages.ts"
import * as Requests from "./Requests.ts"

/** How long what is on its way to a subscription that ends is waited for. */
const drainWithin = "1 second"

type Parts = Pick<
  MeshShape,
  "publish" | "request" | "requestMany" | "subscribe" | "onReconnect" | "payloadBytesMax" | "connected" | "caughtUp"
>

/** A server that has not answered by then has lost what it had for this process, or the connection is lost. */
const caughtUpWithin = "5 seconds"

/** The messages part of the port, over a connection. */
export const make = Effect.fnUntraced(function* (connection: Connection) {
  const { nc, reconnectHandlers } = connection
  const { request, requestMany } = yield* Requests.make(nc, () => connection.isUp)
  return {
    publish: (subject, data, headers) =>
      Effect.try({
        try: () => nc.publish(subject, data, withHeaders(headers)),
        catch: (cause) => new MeshUnavailable({ operation: `publish ${subject}`, reason: String(cause) })
      }),
    request,
    requestMany,
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
        (subscription) =>
          // what the server has sent by then is still handed on; without a server that would never end
          Effect.promise(() =>
            connection.isUp ? subscription.drain().catch(() => undefined) : Promise.resolve()
          ).pipe(
            Effect.interruptible,
            Effect.timeoutOption(drainWithin),
            Effect.andThen(Effect.sync(() => subscription.unsubscribe()))
          )
      ).pipe(Effect.asVoid),
    onReconnect: (handler) =>
      Effect.acquireRelease(
        Effect.sync(() => void reconnectHandlers.add(handler)),
        () => Effect.sync(() => void reconnectHandlers.delete(handler))
      ),
    payloadBytesMax: () => nc.info?.max_payload ?? 1024 * 1024,
    connected: () => connection.isUp,
    // a server answers a ping behind all that it has for this connection
    caughtUp: Effect.promise(() => nc.flush().catch(() => undefined)).pipe(
      Effect.timeoutOption(caughtUpWithin),
      Effect.asVoid
    )
  } satisfies Parts
})
