/**
 * How does a test get nats-servers that replicate what they store?
 *
 * Three servers as an operator would run them, each a process that can be killed, frozen and started again; a stream of
 * three replicas outlives any one of them. All are gone with the scope.
 */
import { Effect, type Scope } from "effect"
import * as NatsServer from "./NatsServer.ts"
import { freePort } from "./TcpProxy.ts"

/** The fewest that outlive the loss of one. */
const size = 3

/** Servers of one cluster. */
export interface NatsCluster {
  readonly servers: ReadonlyArray<NatsServer.NatsServer>
  /** The addresses of all of them, separated by commas. */
  readonly url: string
}

/** Starts the servers, and waits until each of them serves JetStream; on the real clock only. */
export const start = (settings: NatsServer.NatsServerSettings = {}): Effect.Effect<NatsCluster, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ports = yield* Effect.all(Array.from({ length: size }, () => freePort))
    const servers = yield* Effect.forEach(
      ports,
      (port) => NatsServer.start({ ...settings, cluster: { port, others: ports.filter((other) => other !== port) } }),
      // none serves before they have chosen a leader
      { concurrency: "unbounded" }
    )
    return { servers, url: servers.map(({ url }) => url).join(",") }
  })
