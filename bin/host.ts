/** How does a host start, and how does it stop? */
import { Context, Effect, Layer } from "effect"
import { hostname } from "node:os"
import type { Configuration } from "../protocol/Settings.ts"
import type { ActorType } from "../runtime/Actor.ts"
import { HostStatus } from "../runtime/HostStatus.ts"
import * as EmbeddedServer from "../runtime/nats/EmbeddedServer.ts"
import { findServer } from "./findServer.ts"
import * as live from "./layers/live.ts"
import { printData } from "./print.ts"
import { type HealthAddress, serveHealth } from "./serveHealth.ts"

/** What `seamless up` was asked to run. */
export interface RunOptions {
  readonly configuration: Configuration
  readonly configurationHash: string
  /** The folder of the configuration, where its relative paths count from. */
  readonly folder: string
  readonly dataDir: string
  /** An address to connect to; without one the host gets a server of its own on the data folder. */
  readonly nats: string | undefined
  /** A label for people; the machine's name and the process's number without one. */
  readonly hostId: string | undefined
  /** Actors that others wrote. */
  readonly types: ReadonlyArray<ActorType>
  /** Whose actors it takes, beside those of its own types. */
  readonly labels: ReadonlyArray<string>
  /** Where probes are answered; nowhere without it. */
  readonly health: HealthAddress | undefined
}

/** The labels that are named, and those of the types; an empty one is no label. */
const labelsOf = ({ labels, types }: RunOptions): ReadonlyArray<string> =>
  Array.from(new Set([...labels, ...types.map(({ label = "" }) => label)])).filter((label) => label !== "")

const serverOf = Effect.fnUntraced(function* ({ dataDir, nats }: RunOptions) {
  if (nats !== undefined) return { url: nats, failure: Effect.never }
  const binary = yield* findServer
  return yield* EmbeddedServer.start({ dataDir, binary })
})

/** Starts a host; it serves as long as the scope is open. Its `failure` never succeeds. */
export const startHost = Effect.fnUntraced(function* (options: RunOptions) {
  const { failure, url: servers } = yield* serverOf(options)
  const hostId = options.hostId ?? `${hostname()}-${process.pid}`
  const { configuration, configurationHash, folder, types } = options
  const labels = labelsOf(options)
  const host = yield* Layer.build(
    live.layer({ configuration, configurationHash, folder, servers, hostId, types, labels })
  )
  return { servers, hostId, failure, host }
})

/** Serves until it is interrupted, then gives back what it holds. Prints one line when it is ready. */
export const runHost = (options: RunOptions) =>
  Effect.gen(function* () {
    const { failure, host, hostId, servers } = yield* startHost(options)
    const health = options.health && (yield* serveHealth(Context.get(host, HostStatus), { hostId, ...options.health }))
    const ready = JSON.stringify({ ready: true, nats: servers, hostId, ...(health && { health }) })
    // it serves all the same where nobody can be told that it does
    yield* printData(ready).pipe(Effect.catchTag("OutputFailed", ({ message }) => Effect.logWarning(message)))
    return yield* failure
  }).pipe(Effect.scoped)
