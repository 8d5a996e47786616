/** Does a long answer reach its reader whole, whatever becomes of connections and hosts? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { HistoryFrame } from "../../client/HistoryFrame.ts"
import type { HistoryStream } from "../../client/stream.ts"
import type { BarFile } from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const startMs = Date.UTC(2022, 0, 1)
const minuteMs = 60_000
// more than one message may have, and more than a host makes one of
const bars = 40 * 1440
const end = startMs + bars * minuteMs

const priceAt = (row: number): number => 100 + (row % 997) / 8

/** A file of so many bars, gone with the scope. */
const makeFile = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-stream-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const path = join(folder, "long.csv")
  const lines = Array.from({ length: bars }, (_, row) => {
    const price = priceAt(row)
    return `${startMs + row * minuteMs},${price},${price + 1},${price - 1},${price},${row + 1}`
  })
  writeFileSync(path, `ts,open,high,low,close,volume\n${lines.join("\n")}\n`)
  return { path, pair: "LONG/USD", node: "ohlcv:binance:LONG/USD", interval: "1m" } satisfies BarFile
})

const setUp = Effect.fnUntraced(function* (hostIds: ReadonlyArray<string>) {
  const file = yield* makeFile
  // who goes on is refused while the host is at work on what went before
  const rest = { limits: { requestsPerCaller: 1 } }
  const cluster = yield* Cluster.start({ files: [file], rest }, hostIds)
  const sla = { totalDeadlineMs: 100_000 }
  const middle = startMs + (bars / 2) * minuteMs
  for (const range of [[startMs, middle] as const, [middle, end] as const]) {
    const filled = yield* Cluster.asking(() => cluster.client.ensureAvailable(file.node, "1m", ...range, { sla }))
    assert.isTrue(filled.available, JSON.stringify(filled.missingRanges))
  }
  const { hostname, port } = new URL(cluster.servers)
  const proxy = yield* TcpProxy.start({ host: hostname, port: Number(port) })
  const away = yield* Cluster.startClient(proxy.url)
  const asked = [file.node, "1m", startMs, end, { sla: { totalDeadlineMs: 20_000 } }] as const
  return { ...cluster, proxy, away, asked, nc: yield* Cluster.startConnection(cluster.servers) }
})

/** Goes through it to its end; does something when the first rows have come. */
const goThrough = Effect.fnUntraced(function* <R>(answer: HistoryStream, afterFirst: Effect.Effect<unknown, never, R>) {
  const frames: Array<HistoryFrame> = []
  for (;;) {
    const { done, value } = yield* Cluster.asking(() => answer.next())
    if (done === true) return { frames, meta: yield* Cluster.asking(() => answer.meta) }
    frames.push(value)
    if (frames.length === 1) yield* afterFirst
  }
})

const checkWhole = (frames: ReadonlyArray<HistoryFrame>): void => {
  let row = 0
  for (const df of frames) {
    const [times, closes] = [Cluster.numbersOf(df, "event_time"), Cluster.numbersOf(df, "close")]
    for (let at = 0; at < df.length; at++, row++) {
      if (times[at] !== startMs + row * minuteMs || closes[at] !== priceAt(row)) assert.fail(`row ${row} is another`)
    }
  }
  assert.strictEqual(row, bars)
}

describe("stream", () => {
  it.live("gives all rows in order, over a connection that breaks in the midst, with the account of the whole", () =>
    Effect.gen(function* () {
      const { asked, away, client, nc, proxy } = yield* setUp(["a", "b"])
      const { frames, meta } = yield* goThrough(away.stream(...asked), proxy.reset)
      checkWhole(frames)
      assert.isAbove(frames.length, 5)
      assert.strictEqual(meta.qualitySummary.rows, bars)

      // `read` puts the same together, and says the same of it
      const { df, meta: read } = yield* Cluster.asking(() => client.read(...asked))
      checkWhole([df])
      assert.strictEqual(read.fingerprint, meta.fingerprint)

      // who leaves the loop has the host told
      const calledOff: Array<string> = []
      const subscription = nc.subscribe("seamless.v1.cancel.*", {
        callback: (_, { subject }) => void calledOff.push(subject)
      })
      yield* Effect.promise(() => nc.flush())
      yield* Effect.promise(async () => {
        for await (const part of client.stream(...asked)) if (part.length > 0) break
      })
      yield* untilTrue(
        "the call is called off",
        Effect.sync(() => calledOff.length === 1)
      )
      subscription.unsubscribe()
    })
  )

  it.live("goes on with another host where the one that answered is killed", () =>
    Effect.gen(function* () {
      const { asked, client, hosts, startHost } = yield* setUp(["a"])
      const { frames } = yield* goThrough(client.stream(...asked), Effect.andThen(hosts[0]!.kill, startHost("b")))
      checkWhole(frames)
    })
  )

  it.live("goes on with another host where the one that answered leaves", () =>
    Effect.gen(function* () {
      const { asked, client, hosts, startHost } = yield* setUp(["a"])
      const { frames, meta } = yield* goThrough(client.stream(...asked), Effect.andThen(startHost("b"), hosts[0]!.stop))
      checkWhole(frames)
      assert.strictEqual(meta.qualitySummary.rows, bars)
    })
  )
})
