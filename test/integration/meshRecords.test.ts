/** Does the port to NATS hold, on a real server, what is claimed of it? */
import { Context, Effect, Layer } from "effect"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { meshRecordsSuite } from "../suites/meshRecordsSuite.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"

interface Started {
  readonly server: NatsServer.NatsServer
  readonly proxy: TcpProxy.TcpProxy
}

// of the one run of the claims
let started: Started | undefined
const there = Effect.sync(() => started!)

const implementation = Layer.unwrap(
  Effect.gen(function* () {
    const server = yield* NatsServer.start()
    const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
    started = { server, proxy }
    return NatsMesh.layer({ servers: proxy.url, name: "claims" })
  })
)

meshRecordsSuite({
  name: "NATS",
  implementation,
  verbs: {
    lose: Effect.flatMap(there, ({ proxy }) => Effect.andThen(proxy.refuse, proxy.reset)),
    back: Effect.flatMap(there, ({ proxy }) => proxy.restore()),
    restart: Effect.flatMap(there, ({ server }) => Effect.andThen(server.kill, server.start)),
    other: Effect.flatMap(there, ({ server }) =>
      Effect.map(Layer.build(Layer.fresh(NatsMesh.layer({ servers: server.url, name: "other" }))), Context.get(Mesh))
    )
  }
})
