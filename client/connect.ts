/** How does a program get a client? */
import { Effect, Exit, Scope } from "effect"
import * as NatsCaller from "../runtime/nats/NatsCaller.ts"
import * as Link from "./Link.ts"
import { makeClient, type SeamlessClient } from "./SeamlessClient.ts"
import { invalid, isRecord } from "./checkOptions.ts"
import { transportError } from "./failures.ts"
import type { Session } from "./Session.ts"

/** Where to connect, and as whom. */
export interface ConnectOptions {
  /** Address of a NATS server, such as `nats://127.0.0.1:4222`; several are separated by commas. */
  readonly servers: string
  /** Shown by the server beside the connection. */
  readonly name?: string
  /** How long connecting, and a question that has no budget, may take. */
  readonly timeoutMs?: number
}

const timeoutMsDefault = 5000

const wrongIn = (options: unknown) => {
  if (!isRecord(options)) return invalid("options", "give where to connect: { servers }")
  const { name, servers, timeoutMs } = options
  if (typeof servers !== "string" || servers.trim() === "") {
    return invalid("servers", "give the address of a NATS server, such as nats://127.0.0.1:4222")
  }
  if (name !== undefined && typeof name !== "string") return invalid("name", "is no text")
  const isTime = timeoutMs === undefined || (typeof timeoutMs === "number" && timeoutMs > 0 && timeoutMs < Infinity)
  return isTime ? undefined : invalid("timeoutMs", "is no number of milliseconds, more than 0")
}

/** A session, and the scope that holds its connection. Fails where no server answers. */
export const openSession = Effect.fnUntraced(function* (options: ConnectOptions) {
  const wrong = wrongIn(options)
  if (wrong !== undefined) return yield* Effect.fail(wrong)
  const { name = "seamless client", servers, timeoutMs = timeoutMsDefault } = options
  const scope = yield* Scope.make()
  const mesh = yield* Scope.provide(NatsCaller.open({ servers, name, timeoutMs }), scope).pipe(
    Effect.mapError((error) => transportError(servers, error)),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
  const link = yield* Scope.provide(Link.make(mesh), scope)
  const session: Session = { mesh, servers, timeoutMs, link }
  return { session, scope }
})

/**
 * A client that reconnects by itself, until it is closed. Rejects with a `SeamlessError`: of tag `MeshUnavailable`
 * where no server answers, and `InvalidRequest` where the options are none.
 */
export const connect = async (options: ConnectOptions): Promise<SeamlessClient> => {
  const { scope, session } = await Effect.runPromise(openSession(options))
  return makeClient(session, () => Effect.runPromise(Scope.close(scope, Exit.void)))
}
