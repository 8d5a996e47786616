/**
 * How does a run get a whole cluster, and its hands on each part of it?
 *
 * An exchange, three servers that replicate, three members as an operator starts them, and two clients; each member and
 * client reaches each server by a proxy of its own. What was started is gone with the scope, and with the process.
 */
import { jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Exit, Layer, Schedule, Scope } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { SeamlessClient } from "../../../client/SeamlessClient.ts"
import * as Member from "../../../cluster/Member.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as NatsMesh from "../../../runtime/nats/NatsMesh.ts"
import * as BarFile from "../../support/BarFile.ts"
import { startClient, startConnection, startExchange } from "../../support/ClusterHarness.ts"
import type { Caller } from "../../support/members/MemberCluster.ts"
import * as NatsCluster from "../../support/NatsCluster.ts"
import type { NatsServer } from "../../support/NatsServer.ts"
import * as ReadyProcess from "../../support/ReadyProcess.ts"
import * as TcpProxy from "../../support/TcpProxy.ts"
import { didNotStart, type History } from "./History.ts"

/** What the cluster keeps: one series each. */
export const files = [BarFile.barFiles.quiet, BarFile.barFiles.fullDay, BarFile.barFiles.outage]

/** Few bars a window make many jobs. */
export const windowBars = 60

const replicas = 3
const memberNames = ["a", "b", "c"]
const clientNames = ["one", "two"]

/** The ways of one process to the servers, one each. */
export interface Ways {
  readonly name: string
  readonly proxies: ReadonlyArray<TcpProxy.TcpProxy>
  readonly url: string
}

/** A member, whatever process it is just now. */
export interface MemberSlot {
  readonly name: string
  /** The process of now, or the last one. */
  readonly current: () => ReadyProcess.ReadyProcess
  /** Starts it again after its end, and waits until it is ready; as often as it takes. */
  readonly start: Effect.Effect<void>
}

/** A client: what it asks actors with, and what it asks for history with. */
export interface ChaosClient {
  readonly name: string
  readonly caller: Caller
  readonly history: SeamlessClient
}

/** A cluster with handles. */
export interface Bottle {
  readonly servers: ReadonlyArray<NatsServer>
  readonly members: ReadonlyArray<MemberSlot>
  readonly clients: ReadonlyArray<ChaosClient>
  /** Those of the members, then those of the clients. */
  readonly ways: ReadonlyArray<Ways>
  /** Past all proxies, for looking. */
  readonly nc: NatsConnection
  readonly caller: Caller
  readonly history: SeamlessClient
}

const actorsFile = fileURLToPath(new URL("../../support/members/testActors.ts", import.meta.url))
const program = fileURLToPath(new URL("../../../bin/seamless.ts", import.meta.url))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-chaos-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

/** Kills what is left when this process ends without closing its scopes; each by its id. */
const lastResort = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const pids = new Set<() => number>()
      const killAll = () => pids.forEach((pid) => killOne(pid()))
      process.on("exit", killAll)
      return { pids, killAll }
    }),
    ({ killAll }) => Effect.sync(() => void process.off("exit", killAll))
  ),
  ({ pids }) =>
    (pid: () => number) =>
      void pids.add(pid)
)

const killOne = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // it has ended
  }
}

/** Whether a process has not ended. */
export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const startWays = Effect.fnUntraced(function* (name: string, servers: ReadonlyArray<NatsServer>) {
  const proxies = yield* Effect.forEach(servers, ({ port }) => TcpProxy.start({ host: "127.0.0.1", port }))
  return { name, proxies, url: proxies.map(({ url }) => url).join(",") } satisfies Ways
})

const configurationOf = (exchangeUrl: string): Configuration => ({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: exchangeUrl } },
  series: [seriesOf(files[0]!), ...files.slice(1).map(seriesOf)],
  nats: { replicas }
})

const seriesOf = ({ interval, node, pair }: BarFile.BarFile): Configuration["series"][number] => ({
  node,
  intervals: [interval],
  sources: ["binance"],
  symbol: pair,
  windowBars
})

/** Buckets that keep every record, where a cluster keeps the last: so a run can see who wrote what. */
const keptWhole = [Stream.actors, Stream.slots, Stream.coverage]

const provision = (nc: NatsConnection, url: string) =>
  Effect.gen(function* () {
    yield* (yield* Mesh).provision(Stream.every)
    yield* Effect.promise(async () => {
      const manager = await jetstreamManager(nc)
      for (const { name } of keptWhole) await manager.streams.update(name, { max_msgs_per_subject: -1 })
    })
  }).pipe(Effect.provide(NatsMesh.layer({ servers: url, name: "chaos", replicas })), Effect.orDie)

const startCaller = (servers: string, name: string): Effect.Effect<Caller, never, Scope.Scope> =>
  Effect.orDie(Layer.build(Layer.fresh(Member.callerLayer({ servers, name }))))

interface MemberOptions {
  readonly ways: Ways
  readonly config: string
  readonly logFolder: string
  readonly history: History
}

// a member that finds no leader gives up after half a minute, and whoever runs it starts it again
const startTries = 10

const makeMember = Effect.fnUntraced(function* ({ config, history, logFolder, ways: { name, url } }: MemberOptions) {
  const scope = yield* Effect.scope
  const launch = Effect.gen(function* () {
    const own = yield* Scope.fork(scope)
    return yield* ReadyProcess.start({
      program,
      args: ["up", "--config", config, "--host-id", name, "--nats", url, "--actors", actorsFile],
      logFile: join(logFolder, `${name}.log`)
    }).pipe(
      Scope.provide(own),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
    )
  })
  let current = yield* launch
  const start = launch.pipe(
    Effect.sandbox,
    Effect.tapError(() => Effect.sync(() => history.event(didNotStart, name))),
    Effect.retry({ times: startTries, schedule: Schedule.spaced("500 millis") }),
    Effect.orDie,
    Effect.map((started) => void (current = started))
  )
  return { name, current: () => current, start } satisfies MemberSlot
})

const keepLogs = (servers: ReadonlyArray<NatsServer>, logFolder: string | undefined): void => {
  if (logFolder === undefined) return
  for (const [index, { log }] of servers.entries()) writeFileSync(join(logFolder, `${serverName(index)}.log`), log())
}

/** The name of a server in a history. */
export const serverName = (index: number): string => `nats${index}`

/** What a bottle is to be. */
export interface BottleOptions {
  readonly history: History
  /** Where members and servers write what they log; gone with the scope without it. */
  readonly logFolder: string | undefined
}

/** Starts all of it; returns when everything serves. */
export const start = Effect.fnUntraced(function* ({ history, logFolder }: BottleOptions) {
  const root = yield* folder
  const killAtExit = yield* lastResort
  const exchange = yield* startExchange(files, { latencyMs: 100, faults: { "500": 0.02 } })
  const cluster = yield* NatsCluster.start({ syncInterval: "always" })
  killAtExit(() => exchange.pid)
  cluster.servers.forEach(({ pid }) => killAtExit(pid))
  yield* Effect.addFinalizer(() => Effect.sync(() => keepLogs(cluster.servers, logFolder)))
  const nc = yield* startConnection(cluster.url)
  yield* provision(nc, cluster.url)
  const ways = yield* Effect.forEach([...memberNames, ...clientNames], (name) => startWays(name, cluster.servers))
  const config = join(root, "seamless.yaml")
  // JSON is YAML
  writeFileSync(config, JSON.stringify(configurationOf(exchange.url)))
  const members = yield* Effect.forEach(
    ways.slice(0, memberNames.length),
    (each) => makeMember({ ways: each, config, logFolder: logFolder ?? root, history }),
    { concurrency: "unbounded" }
  )
  members.forEach(({ current }) => killAtExit(() => current().pid))
  const clients = yield* Effect.forEach(ways.slice(memberNames.length), ({ name, url }) =>
    Effect.all({ name: Effect.succeed(name), caller: startCaller(url, name), history: startClient(url) })
  )
  return {
    servers: cluster.servers,
    members,
    clients,
    ways,
    nc,
    caller: yield* startCaller(cluster.url, "chaos"),
    history: yield* startClient(cluster.url)
  } satisfies Bottle
})
