/** Does coordination hold its promises over a real server, with a connection for each host? */
import { Context, Effect, Layer } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { coordinatorSuite } from "../suites/coordinatorSuite.ts"
import * as NatsServer from "../support/NatsServer.ts"

coordinatorSuite({
  name: "nats",
  meshes: Effect.gen(function* () {
    const server = yield* NatsServer.start()
    const connect = (name: string) =>
      Effect.map(Layer.build(NatsMesh.layer({ servers: server.url, name })), (context) => Context.get(context, Mesh))
    const [a, b] = [yield* connect("host-a"), yield* connect("host-b")]
    yield* a.provision(Stream.every)
    return [a, b] as const
  })
})
