/** How does a host start, and how does it stop? */
import { Console, Effect, Layer } from "effect"
import { hostname } from "node:os"
import type { Configuration } from "../protocol/Settings.ts"
import * as EmbeddedServer from "../runtime/nats/EmbeddedServer.ts"
import { findServer } from "./findServer.ts"
import * as live from "./layers/live.ts"

/** What `seamless up` was asked to run. */
export interface RunOptions {
  readonly configuration: Configuration
  readonly configurationHash: string
  readonly dataDir: string
  /** An address to connect to; without one the host gets a server of its own on the data folder. */
  readonly nats: string | undefined
  /** A label for people; the machine's name and the process's number without one. */
  readonly hostId: string | undefined
}

const serverOf = Effect.fnUntraced(function* ({ dataDir, nats }: RunOptions) {
  if (nats !== undefined) return { url: nats, failure: Effect.never }
  const binary = yield* findServer
  return yield* EmbeddedServer.start({ dataDir, binary })
})

/** Serves until it is interrupted, then gives back what it holds. Prints one line when it is ready. */
export const runHost = (options: RunOptions) =>
  Effect.gen(function* () {
    const { failure, url: servers } = yield* serverOf(options)
    const hostId = options.hostId ?? `${hostname()}-${process.pid}`
    const { configuration, configurationHash } = options
    yield* Layer.build(live.layer({ configuration, configurationHash, servers, hostId }))
    yield* Console.log(JSON.stringify({ ready: true, nats: servers, hostId }))
    return yield* failure
  }).pipe(Effect.scoped)
