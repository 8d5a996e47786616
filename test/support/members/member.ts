/**
 * A member of a cluster with the actors of the tests, as a process.
 *
 * Says in one line of JSON that it is ready, and tells its own report for each line that it gets.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Logger, Random } from "effect"
import process from "node:process"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { LocalActors } from "../../../cluster/LocalActors.ts"
import * as Member from "../../../cluster/Member.ts"
import { Fleeting, holder, narrow, Saved } from "./testActors.ts"

const { values } = parseArgs({
  options: {
    nats: { type: "string", default: "" },
    "host-id": { type: "string", default: "member" },
    "residents-max": { type: "string", default: "10000" },
    // what it would draw by chance, its incarnation first of all; without it that is unlike any other's
    seed: { type: "string", default: "" }
  }
})

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

const main = Effect.gen(function* () {
  let report: () => object = () => ({})
  // behind the release of all layers: what it did up to its end
  yield* Effect.addFinalizer(() => Console.log(JSON.stringify({ final: true, ...report() })))
  const context = yield* Layer.build(
    Member.layer({
      servers: values.nats,
      hostId: values["host-id"],
      types: [Saved, Fleeting, holder, narrow],
      limits: { residentsMax: Number(values["residents-max"]) }
    }).pipe(Layer.provideMerge(Logger.layer([Logger.withConsoleError(Logger.formatJson)])))
  )
  yield* Console.log(JSON.stringify({ ready: true, pid: process.pid }))
  const local = yield* Effect.provide(LocalActors, context)
  report = local.report
  createInterface(process.stdin).on("line", (line) => {
    if (line === "tidy") collectGarbage()
    process.stdout.write(
      `${JSON.stringify({ ...local.report(), memory: process.memoryUsage(), atMs: performance.now() })}\n`
    )
  })
  return yield* Effect.never
}).pipe(Effect.scoped)

NodeRuntime.runMain(values.seed === "" ? main : Random.withSeed(main, values.seed))
