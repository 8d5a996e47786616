/** Which program is a member of the present version that has the actors that a member of version 1 has too? */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { connect } from "@nats-io/transport-node"
import { Console, Effect, Exit, FiberSet, Layer, Logger, Option, Schema } from "effect"
import { parseArgs } from "node:util"
import { HostSession } from "../../cluster/HostSession.ts"
import * as Member from "../../cluster/Member.ts"
import { ActorSystem } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { defineActor } from "../../runtime/defineActor.ts"
import type { V1Answer, V1Ask } from "../compat/v1Ask.ts"

const Counter = defineActor({
  type: "counter",
  label: "",
  durable: false,
  state: Schema.Int,
  initial: 0,
  messages: {
    add: { payload: Schema.Struct({ by: Schema.Int }), reply: Schema.Struct({ count: Schema.Int }) }
  },
  step: { add: (count, { by }) => ({ state: count + by, reply: { count: count + by } }) }
})

const { values } = parseArgs({
  options: {
    nats: { type: "string", default: "" },
    "host-id": { type: "string", default: "" },
    "configuration-hash": { type: "string", default: "" }
  }
})
const { "configuration-hash": configurationHash, "host-id": hostId, nats: servers } = values

const member = Member.layer({ servers, hostId, configurationHash, types: [Counter] }).pipe(
  Layer.provideMerge(Logger.layer([Logger.withConsoleError(Logger.formatJson)]))
)

const answer = Effect.fnUntraced(function* ({ budgetMs, key, message, payload, type }: V1Ask) {
  const system = yield* ActorSystem
  const asked = system.deliver({ to: { type, key }, label: "" }, { message, payload }).pipe(withBudget(budgetMs))
  const exit = yield* Effect.exit(asked)
  if (Exit.isSuccess(exit)) return exit.value
  const { _tag, message: reason } = Option.getOrThrow(Exit.findErrorOption(exit))
  return { undelivered: { _tag, address: `${type}/${key}`, reason } }
})

const program = Effect.gen(function* () {
  const { incarnation } = yield* HostSession
  const run = yield* FiberSet.makeRuntime<ActorSystem>()
  const nc = yield* Effect.acquireRelease(
    Effect.promise(() => connect({ servers, maxReconnectAttempts: -1 })),
    (opened) => Effect.promise(() => opened.close())
  )
  nc.subscribe(`test.ask.${hostId}`, {
    callback: (_, request) =>
      void run(Effect.map(answer(request.json<V1Ask>()), (given) => request.respond(JSON.stringify(given as V1Answer))))
  })
  yield* Effect.promise(() => nc.flush())
  yield* Console.log(JSON.stringify({ incarnation }))
  return yield* Effect.never
})

program.pipe(Effect.scoped, Effect.provide(member), NodeRuntime.runMain)
