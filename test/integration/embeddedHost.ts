/**
 * How does a test get a second process on a data folder, one that it may kill?
 *
 * Run as a program, this file starts or joins the folder's server, prints what it got and stays until it is stopped.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import process from "node:process"
import * as EmbeddedServer from "../../runtime/nats/EmbeddedServer.ts"

/** The server that the tests of this folder run. */
export const binary = process.env["SEAMLESS_NATS_SERVER"] ?? "nats-server"

const decodeServer = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ url: Schema.String, started: Schema.Boolean }))
)

/** A host on a data folder: its process, and the server it got. Needs NodeServices.layer; stopped with the scope. */
export const startHost = Effect.fnUntraced(function* (dataDir: string) {
  const host = yield* ChildProcess.make(process.execPath, [import.meta.filename, dataDir], {
    stderr: "inherit",
    killSignal: "SIGTERM",
    forceKillAfter: "10 seconds"
  })
  const line = yield* host.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.runHead)
  const server = yield* Effect.flatMap(Effect.fromOption(line), decodeServer)
  // waits until it's dead: a start before that would rightly join it
  return { ...server, killOutright: host.kill({ killSignal: "SIGKILL" }) }
})

if (import.meta.main) {
  EmbeddedServer.start({ dataDir: process.argv[2]!, binary }).pipe(
    Effect.tap((server) => Effect.sync(() => process.stdout.write(`${JSON.stringify(server)}\n`))),
    Effect.andThen(Effect.never),
    Effect.scoped,
    NodeRuntime.runMain
  )
}
