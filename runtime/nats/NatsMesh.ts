/** The port to NATS, over a real connection. */
import { Effect, Layer } from "effect"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { Mesh } from "../Mesh.ts"
import { connect, type ConnectOptions } from "./Connection.ts"
import * as JetStream from "./JetStream.ts"
import * as KeyValue from "./KeyValue.ts"
import * as RequestReply from "./RequestReply.ts"

/** A mesh whose connection lives as long as the layer. */
export const layer = (options: ConnectOptions): Layer.Layer<Mesh, MeshUnavailable> =>
  Layer.effect(
    Mesh,
    Effect.gen(function* () {
      const connection = yield* connect(options)
      const messages = yield* RequestReply.make(connection)
      return Mesh.of({ ...messages, ...KeyValue.make(connection), ...JetStream.make(connection) })
    })
  )
