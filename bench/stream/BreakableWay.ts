/** How does the bench break a connection in the midst? By a relay on loopback that every byte goes through. */
import { createServer, connect, type AddressInfo, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

/** A way to a server. */
export interface BreakableWay {
  /** What a client connects to. */
  readonly servers: string
  /** Ends what is connected; who connects again is served. */
  readonly break: () => void
  /** Bytes that have gone to clients so far. */
  readonly bytes: () => number
}

/** A way to a NATS server, gone with the scope. */
export const open = (servers: string): Effect.Effect<BreakableWay, never, Scope.Scope> => {
  const { hostname, port } = new URL(servers)
  const sockets = new Set<Socket>()
  let bytes = 0
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from
      .on("error", () => to.destroy())
      .on("close", () => {
        sockets.delete(from)
        to.destroy()
      })
    from.pipe(to)
  }
  const relay = createServer((client) => {
    const server = connect(Number(port), hostname)
    server.on("data", (data) => void (bytes += data.length))
    join(client, server)
    join(server, client)
  })
  return Effect.acquireRelease(
    Effect.callback<BreakableWay>((resume) => {
      relay.listen(0, "127.0.0.1", () => {
        const { port: own } = relay.address() as AddressInfo
        resume(Effect.succeed({ servers: `nats://127.0.0.1:${own}`, break: breakAll, bytes: () => bytes }))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        relay.close(() => resume(Effect.void))
        breakAll()
      })
  )
}
