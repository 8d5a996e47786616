/** How fast is asking an actor of ours, from a process that has no actors? */
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import * as Member from "../../../cluster/Member.ts"
import { clientIsReady, startedWith } from "../child.ts"
import { effectLane } from "../takeSample.ts"
import { durableCounter, volatileCounter } from "./counter.ts"

const { natsUrl, rest } = startedWith()

const counter = rest[1] === "durable" ? durableCounter : volatileCounter

const program = Effect.gen(function* () {
  const lane = yield* effectLane((key, { text }) => counter.ref(key).ask("count", { text }))
  yield* Effect.promise(() => clientIsReady(lane))
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.provide(program, Member.callerLayer({ servers: natsUrl, name: "bench" })))
