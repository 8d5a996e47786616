/** What of a connection works on streams? */
import { jetstream, type JetStreamClient, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream"
import { Effect } from "effect"
import type { Connection } from "./Connection.ts"

/** A connection with its JetStream clients. */
export interface Streams extends Connection {
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
}

/** The connection with what works on streams. */
export const of = (connection: Connection): Effect.Effect<Streams> =>
  Effect.promise(async () => {
    // checked by the first call that needs it: asking here would cost every host a round trip
    const jsm = await jetstreamManager(connection.nc, { checkAPI: false })
    // the connection itself, since whether it is up changes
    return Object.assign(connection, { js: jetstream(connection.nc), jsm })
  })
