/** Which program is a member that the failover bench may kill? */
import process from "node:process"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as Member from "../../cluster/Member.ts"
import { counter } from "./counter.ts"

const [servers = "", hostId = ""] = process.argv.slice(2)

const ready = Layer.effectDiscard(
  Effect.sync(() => {
    process.once("disconnect", () => process.exit())
    process.send?.("ready")
  })
)

NodeRuntime.runMain(Layer.launch(Layer.provide(ready, Member.layer({ servers, hostId, types: [counter] }))))
