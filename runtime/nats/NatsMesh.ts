/** The port to NATS, over a real connection. */
import { Effect, Layer } from "effect"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { Mesh } from "../Mesh.ts"
import { connect, type ConnectOptions } from "./Connection.ts"
import * as JetStream from "./JetStream.ts"
import * as KeyValue from "./KeyValue.ts"
import { provision } from "./provision.ts"
import * as readNames from "./readNames.ts"
import * as readHistory from "./readHistory.ts"
import * as readRecords from "./readRecords.ts"
import * as RequestReply from "./RequestReply.ts"
import * as Streams from "./Streams.ts"

/** A mesh's connection, and how it sets up streams. */
interface MeshOptions extends ConnectOptions {
  /** How many servers keep a copy of each stream that is set up; one where it is absent. */
  readonly replicas?: number
}

/** A mesh whose connection lives as long as the layer. */
export const layer = ({ replicas = 1, ...options }: MeshOptions): Layer.Layer<Mesh, MeshUnavailable> =>
  Layer.effect(
    Mesh,
    Effect.gen(function* () {
      const connection = yield* Effect.flatMap(connect(options), Streams.of)
      const messages = yield* RequestReply.make(connection)
      return Mesh.of({
        ...messages,
        ...KeyValue.make(connection),
        ...readRecords.make(connection),
        ...readHistory.make(connection),
        ...readNames.make(connection),
        ...JetStream.make(connection),
        provision: provision(connection, replicas)
      })
    })
  )
