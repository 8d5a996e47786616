/** Does the port to NATS hold, on a real server, what is claimed of records and messages? */
import { Effect, Layer } from "effect"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { meshRecordsSuite } from "../suites/meshRecordsSuite.ts"
import * as NatsServer from "../support/NatsServer.ts"

const implementation = Layer.unwrap(
  Effect.map(NatsServer.start(), ({ url }) => NatsMesh.layer({ servers: url, name: "claims" }))
)

meshRecordsSuite({ name: "NATS", implementation })
