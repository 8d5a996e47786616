/** Do the spans of a read arrive where they are configured to go, as one trace across processes? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { connect } from "../../client/connect.ts"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))
const file = BarFile.barFiles.fullDay
const [from] = BarFile.read(file).range

interface Collected {
  readonly name: string
  readonly traceId: string
  readonly attributes: ReadonlyArray<{ readonly key: string }>
}

/** A collector: takes spans by OTLP over HTTP, in JSON. */
const collector = Effect.acquireRelease(
  Effect.promise(async () => {
    const spans: Array<Collected> = []
    const server = createServer((request, response) => {
      const parts: Array<Buffer> = []
      request.on("data", (part: Buffer) => parts.push(part))
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(parts).toString()) as {
          readonly resourceSpans: ReadonlyArray<{
            readonly scopeSpans: ReadonlyArray<{ readonly spans: Array<Collected> }>
          }>
        }
        spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { server, spans, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }),
  ({ server }) => Effect.promise(() => new Promise((resolve) => server.close(resolve)))
)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-telemetry-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

const settingsOf = (exchangeUrl: string, otlpUrl: string) => ({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: exchangeUrl } },
  series: [{ node: file.node, intervals: ["1m"], sources: ["binance"], symbol: file.pair }],
  telemetry: { otlpUrl }
})

/** Reads cold, ensures, reports and stops: every path there is. */
const everyPath = Effect.fnUntraced(function* (otlpUrl: string) {
  const root = yield* folder
  const exchange = yield* Cluster.startExchange([file])
  const config = join(root, "seamless.yaml")
  writeFileSync(config, JSON.stringify(settingsOf(exchange.url, otlpUrl)))
  const args = ["up", "--config", config, "--data-dir", join(root, "data")]
  const host = yield* ReadyProcess.start({ program, args, logFile: join(root, "host.log") })
  const servers: string = JSON.parse(host.line).nats
  const client = yield* Effect.promise(() => connect({ servers }))
  const options = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } } as const
  const read = yield* Effect.promise(() => client.read(file.node, "1m", from, from + 60_000, options))
  yield* Effect.promise(() => client.ensureAvailable(file.node, "1m", from, from + 60_000, options))
  yield* Effect.promise(() => client.coverage(file.node, "1m"))
  yield* Effect.promise(() => client.explain(file.node, "1m", from, from + 60_000))
  yield* Effect.promise(() => client.close())
  // what has not been sent is sent when it stops
  yield* host.stop
  return read.meta
})

describe("telemetry", () => {
  it.live("sends every span of the catalogue, those of one read as one trace, with its attributes", () =>
    Effect.gen(function* () {
      const { spans, url } = yield* collector
      const { traceId } = yield* everyPath(url)
      const named = (name: string) => spans.filter((span) => span.name === name)
      for (const name of Object.values(Span)) assert.isNotEmpty(named(name), name)
      for (const name of [Span.historyRead, Span.coverageEnsure, Span.backfillRun, Span.dataSourceRead])
        assert.include(
          named(name).map((span) => span.traceId),
          traceId,
          name
        )
      const attributes = new Set(spans.flatMap((span) => span.attributes.map(({ key }) => key)))
      for (const name of Object.values(Attribute)) assert.isTrue(attributes.has(name), name)
    })
  )
})
