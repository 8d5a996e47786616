/**
 * A program that floods one actor, so that who measures the others need not do it itself.
 *
 * Says in one line of JSON that it is ready. `begin` makes it ask the actor so often; `end` makes it stop, and print
 * how many asks it has begun when the last of them has ended.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Exit, Queue, Scope } from "effect"
import process from "node:process"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import * as Member from "../../../cluster/Member.ts"
import * as Load from "./Load.ts"
import { Fleeting } from "./testActors.ts"

const { values } = parseArgs({
  options: {
    nats: { type: "string", default: "" },
    key: { type: "string", default: "flooded" },
    "per-second": { type: "string", default: "1000" }
  }
})

const ask = Effect.asVoid(Effect.orDie(Fleeting.ref(values.key).ask("add", { by: 1 })))

/** Floods until it is told to end. */
const floodOnce = Effect.fnUntraced(function* (lines: Queue.Dequeue<string>) {
  const scope = yield* Scope.make()
  const load = yield* Scope.provide(
    Load.start(Number(values["per-second"]), () => ask),
    scope
  )
  yield* Queue.take(lines)
  yield* load.stop
  yield* Scope.close(scope, Exit.void)
  yield* Console.log(JSON.stringify({ begun: load.begun() }))
})

const main = Effect.gen(function* () {
  const lines = yield* Queue.unbounded<string>()
  createInterface(process.stdin).on("line", (line) => void Queue.offerUnsafe(lines, line))
  yield* ask
  yield* Console.log(JSON.stringify({ ready: true }))
  return yield* Effect.forever(Effect.andThen(Queue.take(lines), floodOnce(lines)))
})

NodeRuntime.runMain(Effect.provide(main, Member.callerLayer({ servers: values.nats, name: "flood" })))
