/**
 * What of NATS does a program need that only asks?
 *
 * Messages, and reads of what is stored; none of what a host writes by, so that the library of a client stays small.
 */
import { Effect, type Scope } from "effect"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { CallerMesh } from "../CallerMesh.ts"
import { connect, type ConnectOptions } from "./Connection.ts"
import * as readHistory from "./readHistory.ts"
import * as readRecords from "./readRecords.ts"
import * as RequestReply from "./RequestReply.ts"

/** A caller's part of the port, over a connection that lives as long as the scope. */
export const open = (options: ConnectOptions): Effect.Effect<CallerMesh, MeshUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* connect(options)
    const messages = yield* RequestReply.make(connection)
    return { ...messages, ...readRecords.make(connection), ...readHistory.make(connection) }
  })
