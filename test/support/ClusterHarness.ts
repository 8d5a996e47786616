/**
 * How does a test get a whole cluster of real processes?
 *
 * A stand-in exchange, a NATS server, hosts started as an operator starts them, clients, and a look past all of them
 * into what is stored. Everything is in a folder of its own and gone with the scope.
 */
import { connect as connectNats, type NatsConnection } from "@nats-io/transport-node"
import { Effect, type Scope } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import { connect } from "../../client/connect.ts"
import type { HistoryFrame } from "../../client/HistoryFrame.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { Configuration, RetrySettings, SeriesSettings } from "../../protocol/Settings.ts"
import type { ExchangeSettings } from "../../protocol/SourceSettings.ts"
import * as EmbeddedServer from "../../runtime/nats/EmbeddedServer.ts"
import type { BarFile } from "./BarFile.ts"
import * as ReadyProcess from "./ReadyProcess.ts"
import * as StandIn from "./standInExchange.ts"

/** What a cluster is made of. */
export interface ClusterSettings {
  /** What the exchange trades and the hosts keep. */
  readonly files: ReadonlyArray<BarFile>
  /** How the hosts deal with the exchange. */
  readonly source?: Partial<ExchangeSettings>
  /** How the series of the files are kept: all alike, or each in its way. */
  readonly series?: Partial<SeriesSettings> | ((file: BarFile) => Partial<SeriesSettings>)
  /** Series that are kept beside those of the files. */
  readonly derived?: ReadonlyArray<SeriesSettings>
  /** What becomes of windows whose jobs fail. */
  readonly retry?: RetrySettings
  /** What the accounts allow that the hosts ask the exchange under. */
  readonly accounts?: NonNullable<Configuration["accounts"]>
  /** How well the exchange is. */
  readonly exchange?: Omit<StandIn.StandInSettings, "csv">
  /** What is configured beside sources and series. */
  readonly rest?: Omit<Configuration, "sources" | "series">
}

/** A running host. */
interface Host extends ReadyProcess.ReadyProcess {
  /** The NATS server that it is at. */
  readonly servers: string
}

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))

const serverBinary = process.env["SEAMLESS_NATS_SERVER"] ?? "nats-server"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-cluster-"))),
  // a server that was killed may still write its last file
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

const seriesOf = ({ interval, node, pair }: BarFile, sources: ReadonlyArray<string>): SeriesSettings => ({
  node,
  intervals: [interval],
  sources: [sources[0]!, ...sources.slice(1)],
  symbol: pair
})

/** One source for each exchange, the first preferred: `binance`, then `second`. */
const sourceNames = ["binance", "second"]

const configurationOf = (settings: ClusterSettings, urls: ReadonlyArray<string>): Configuration => {
  const names = sourceNames.slice(0, urls.length)
  const sourceAt = (baseUrl: string): ExchangeSettings => ({
    kind: "exchange",
    exchange: "binance",
    baseUrl,
    ...settings.source
  })
  const kept = (file: BarFile): SeriesSettings => ({
    ...seriesOf(file, names),
    ...(typeof settings.series === "function" ? settings.series(file) : settings.series)
  })
  return {
    sources: Object.fromEntries(urls.map((url, index) => [names[index], sourceAt(url)])),
    series: [kept(settings.files[0]!), ...settings.files.slice(1).map(kept), ...(settings.derived ?? [])],
    ...(settings.retry && { retry: settings.retry }),
    ...(settings.accounts && { accounts: settings.accounts }),
    ...settings.rest
  }
}

const makeFolder = (path: string): string => {
  mkdirSync(path, { recursive: true })
  return path
}

/** An exchange that trades what the files have. */
export const startExchange = (files: ReadonlyArray<BarFile>, settings: ClusterSettings["exchange"] = {}) =>
  StandIn.start({ csv: Object.fromEntries(files.map(({ pair, path }) => [pair, path])), ...settings })

/** Requests for candles among all that an exchange was sent. */
export const klines = (requests: ReadonlyArray<LogEntry>): ReadonlyArray<LogEntry> =>
  requests.filter(({ path }) => path.endsWith("/klines"))

/** A server of the test's own, which outlives every host. */
const startServer = (dataDir: string) =>
  Effect.map(Effect.orDie(EmbeddedServer.start({ dataDir, binary: serverBinary })), ({ url }) => url)

/** What a cluster stands on. */
interface Ground {
  readonly server?: "own" | "host" | { readonly url: string }
  readonly exchanges?: ReadonlyArray<string>
}

/**
 * A cluster without hosts: its exchange listens, the configuration is written, and hosts can be started. They share a
 * server of the cluster's own, or the one that is given, or with `server: "host"` one that a host starts in the data
 * folder. `exchanges` are the addresses of others, to be asked in the place of its own.
 */
export const make = Effect.fnUntraced(function* (
  settings: ClusterSettings,
  { server = "own", exchanges }: Ground = {}
) {
  const root = yield* folder
  const exchange = yield* startExchange(settings.files, settings.exchange)
  const config = join(root, "seamless.yaml")
  // JSON is YAML
  writeFileSync(config, JSON.stringify(configurationOf(settings, exchanges ?? [exchange.url])))
  const own = server === "own" ? yield* startServer(makeFolder(join(root, "server"))) : undefined
  const shared = typeof server === "object" ? server.url : own
  const dataDir = join(root, "data")

  const startHost = Effect.fnUntraced(function* (hostId: string) {
    const address = shared === undefined ? ["--data-dir", dataDir] : ["--nats", shared]
    const host = yield* ReadyProcess.start({
      program,
      args: ["up", "--config", config, "--host-id", hostId, ...address],
      // hosts tell a lot about what tests do to them; who wants to see it names a folder that stays
      logFile: join(process.env["SEAMLESS_TEST_LOGS"] ?? root, `${hostId}.log`)
    })
    const { nats }: { readonly nats: string } = JSON.parse(host.line)
    return { ...host, servers: nats } satisfies Host
  })

  return { startHost, requests: exchange.requests, klines: () => klines(exchange.requests()) }
})

/** A client of the cluster, closed with the scope. */
export const startClient = (servers: string) =>
  Effect.acquireRelease(
    Effect.promise(() => connect({ servers })),
    (client) => Effect.promise(() => client.close())
  )

/** A plain connection, closed with the scope: what any NATS client sees. */
export const startConnection = (servers: string): Effect.Effect<NatsConnection, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => connectNats({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 50 })),
    (nc) => Effect.promise(() => nc.close())
  )

/** What a client's promise gives; its rejection is the failure. Dies where that is not the one promised. */
export const asking = <A>(ask: () => Promise<A>): Effect.Effect<A, SeamlessError> =>
  Effect.tryPromise({
    try: ask,
    catch: (cause) => {
      if (cause instanceof SeamlessError) return cause
      throw cause
    }
  })

/** A read of a file's whole range, or of a part of it. */
export const readFile = (client: SeamlessClient, { interval, node }: BarFile, range: Range, options: ReadOptions) =>
  asking(() => client.read(node, interval, ...range, { ...options, returnMeta: true }))

/** A column of numbers; empty where there is none of that name. */
export const numbersOf = ({ columns }: HistoryFrame, name: string): Float64Array => {
  const values = columns[name]
  return values instanceof Float64Array ? values : new Float64Array(0)
}

/** A cluster that serves, with one host or more, and a client of it. */
export const start = Effect.fnUntraced(function* (settings: ClusterSettings, hostIds: ReadonlyArray<string> = ["a"]) {
  const cluster = yield* make(settings)
  const hosts = yield* Effect.forEach(hostIds, cluster.startHost, { concurrency: "unbounded" })
  const { servers } = hosts[0]!
  return { ...cluster, hosts, servers, client: yield* startClient(servers) }
})
