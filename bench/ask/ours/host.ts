/** How fast is an actor of ours? One host has those that save each count, and those that don't. */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as Member from "../../../cluster/Member.ts"
import { hostIsReady, startedWith } from "../child.ts"
import { durableCounter, volatileCounter } from "./counter.ts"

const host = Member.layer({
  servers: startedWith().natsUrl,
  hostId: "bench",
  types: [volatileCounter, durableCounter]
})

const ready = Layer.effectDiscard(Effect.sync(() => hostIsReady()))

NodeRuntime.runMain(Layer.launch(Layer.provide(ready, host)))
