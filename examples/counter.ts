/**
 * How does somebody write an actor, and ask it?
 *
 * Each counter lives on one host of the cluster at a time, and moves when that host goes. Give the address of a NATS
 * server, and start it as often as you like: `npx node examples/counter.ts nats://127.0.0.1:4222`. A host that keeps
 * history may have it, too: `npm run -s seamless -- up --config examples/quickstart.yaml --actors examples/counter.ts`
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Schema } from "effect"
import { Member } from "seamless/cluster"
import { defineActor } from "seamless/runtime"

/** The count is as high as it goes. */
class Full extends Schema.TaggedError<Full>()("Full", { countMax: Schema.Int }) {}

const countMax = 1000

/** Counts; the state is saved before anyone is answered. */
export const Counter = defineActor({
  type: "counter",
  state: Schema.Struct({ count: Schema.Int }),
  initial: { count: 0 },
  messages: {
    add: { payload: Schema.Struct({ by: Schema.Int }), reply: Schema.Int, failure: Full },
    get: { payload: Schema.Null, reply: Schema.Int, readOnly: true }
  },
  step: {
    add: ({ count }, { by }) =>
      count + by > countMax ? { failure: new Full({ countMax }) } : { state: { count: count + by }, reply: count + by },
    get: ({ count }) => ({ reply: count })
  }
})

const main = Effect.gen(function* () {
  const counter = Counter.ref("clicks")
  // the same operation, sent twice: by mistake, or because the first answer got lost
  const operationId = `start-${process.pid}`
  const first = yield* counter.ask("add", { by: 1 }, { operationId })
  const again = yield* counter.ask("add", { by: 1 }, { operationId })
  yield* Console.log(`counted to ${first}, and still ${again}`)
  const failure = yield* Effect.flip(counter.ask("add", { by: countMax + 1 }))
  yield* Console.log(`too much: ${failure._tag}; the count is ${yield* counter.ask("get", null)}`)
})

if (import.meta.main) {
  const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
  const member = Member.layer({ servers, hostId: `counter-${process.pid}`, types: [Counter] })
  NodeRuntime.runMain(Effect.provide(main, member))
}
