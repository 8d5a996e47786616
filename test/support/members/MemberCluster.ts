/**
 * How does a test get a cluster of members that it may kill, freeze, stop and join?
 *
 * A NATS server and members as processes of their own; the caller is in the process of the test. All of it is gone with
 * the scope. The stream of the actors' states keeps every record, where a cluster keeps the last: so the test can see
 * who wrote what.
 */
import { jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { type Context, Effect, Layer, type Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { OwnReport } from "../../../cluster/LocalActors.ts"
import * as Member from "../../../cluster/Member.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import type { ActorSystem } from "../../../runtime/ActorSystem.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { startConnection } from "../ClusterHarness.ts"
import * as NatsServer from "../NatsServer.ts"
import * as ReadyProcess from "../ReadyProcess.ts"
import { untilTrue } from "../untilTrue.ts"
import * as Slots from "./Slots.ts"

const program = fileURLToPath(new URL("member.ts", import.meta.url))

/** What a member prints of itself. */
type PrintedReport = Required<OwnReport> & {
  readonly final?: true
  /** Of the process; absent at its end. */
  readonly memory?: NodeJS.MemoryUsage
}

/** A member, as a process. */
export interface MemberProcess extends ReadyProcess.ReadyProcess {
  readonly hostId: string
  /** Asks it for its own report. */
  readonly report: Effect.Effect<PrintedReport>
  /** The same, when it has freed the memory that nothing holds. */
  readonly tidyReport: Effect.Effect<PrintedReport>
  /** What it printed at its end. */
  readonly final: () => PrintedReport | undefined
}

/** A caller: what it asks with. */
export type Caller = Context.Context<ActorSystem | Mesh>

/** A running cluster. */
export interface MemberCluster {
  readonly server: NatsServer.NatsServer
  readonly nc: NatsConnection
  readonly caller: Caller
  readonly members: ReadonlyArray<MemberProcess>
  readonly startMember: (hostId: string) => Effect.Effect<MemberProcess, never, Scope.Scope>
  /** A caller with a connection of its own. */
  readonly startCaller: Effect.Effect<Caller, never, Scope.Scope>
  /** Waits until each slot has the owner that it should have, of these members and no others. */
  readonly settled: (hostIds: ReadonlyArray<string>, withinMs?: number) => Effect.Effect<void>
  readonly slots: Effect.Effect<Slots.SlotView>
}

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-members-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

const parse = (line: string | undefined): PrintedReport | undefined =>
  line === undefined ? undefined : JSON.parse(line)

const asked = Effect.fnUntraced(function* (hostId: string, child: ReadyProcess.ReadyProcess, line: string) {
  const before = child.lines().length
  yield* child.send(line)
  yield* untilTrue(
    `${hostId} prints its report`,
    Effect.sync(() => child.lines().length > before)
  )
  return parse(child.lines().at(-1))!
})

const memberOf = (hostId: string, child: ReadyProcess.ReadyProcess): MemberProcess => ({
  ...child,
  hostId,
  report: asked(hostId, child, "report"),
  tidyReport: asked(hostId, child, "tidy"),
  final: () =>
    child
      .lines()
      .map(parse)
      .find((report) => report?.final === true)
})

/** Sets up the streams; that of the actors' states may keep all that is written to it. */
const provision = (nc: NatsConnection, caller: Caller, history: "all" | "last") =>
  Effect.gen(function* () {
    yield* Effect.orDie((yield* Mesh).provision(Stream.every))
    if (history === "last") return
    yield* Effect.promise(async () => {
      const manager = await jetstreamManager(nc)
      await manager.streams.update(Stream.actors.name, { max_msgs_per_subject: -1 })
    })
  }).pipe(Effect.provide(caller))

/** How a cluster differs from what most tests want. */
export interface MemberClusterSettings {
  readonly hostIds?: ReadonlyArray<string>
  /** Decides which slots each member should have, by its label; without it that is random. */
  readonly seed?: string
  /** Actors that live on one member at most. */
  readonly residentsMax?: number
  /** What the stream of the actors' states keeps: everything, unless told otherwise, or each actor's last record. */
  readonly history?: "all" | "last"
  /** The address at which a member finds the server; the server's own unless told otherwise. */
  readonly addressFor?: (hostId: string, server: NatsServer.NatsServer) => Effect.Effect<string, never, Scope.Scope>
  readonly server?: NatsServer.NatsServerSettings
}

/** Starts a server, and members all at the same moment; returns when each slot has its owner. */
export const start = Effect.fnUntraced(function* ({
  addressFor = (_, { url }) => Effect.succeed(url),
  residentsMax,
  history = "all",
  hostIds = ["a", "b", "c"],
  seed,
  server: settings = {}
}: MemberClusterSettings = {}) {
  const root = yield* folder
  const server = yield* NatsServer.start(settings)
  const nc = yield* startConnection(server.url)
  const startCaller = Effect.orDie(Layer.build(Layer.fresh(Member.callerLayer({ servers: server.url }))))
  const caller: Caller = yield* startCaller
  yield* provision(nc, caller, history)

  const startMember = Effect.fnUntraced(function* (hostId: string) {
    const address = yield* addressFor(hostId, server)
    const child = yield* ReadyProcess.start({
      program,
      args: [
        "--nats",
        address,
        "--host-id",
        hostId,
        ...(residentsMax === undefined ? [] : ["--residents-max", String(residentsMax)]),
        ...(seed === undefined ? [] : ["--seed", `${seed}/${hostId}`])
      ],
      logFile: join(process.env["SEAMLESS_TEST_LOGS"] ?? root, `${hostId}.log`)
    })
    return memberOf(hostId, child)
  })
  const slots = Effect.provide(Slots.look, caller)
  const settled = (expected: ReadonlyArray<string>, withinMs = 20_000) =>
    untilTrue(`the slots are spread over ${expected.join(", ")}`, Effect.map(slots, Slots.isSpread(expected)), withinMs)

  const members = yield* Effect.forEach(hostIds, startMember, { concurrency: "unbounded" })
  yield* settled(hostIds)
  return { server, nc, caller, startCaller, members, startMember, settled, slots } satisfies MemberCluster
})
