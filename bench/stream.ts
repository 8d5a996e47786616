/**
 * How fast does a long answer go by, and how much memory do both sides need for it?
 *
 * A host of the product with millions of bars in its storage, and this process, which takes the parts of one answer and
 * decodes each: first as any program may, by NATS alone, and then by the client, whose connection is broken when it has
 * half of them. Each bar has to come once, and in order. The memory is that of the processes, as the system has it, from
 * before the read to its end.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { connect, createInbox, headers, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { type Table, tableFromIPC } from "apache-arrow"
import { Effect } from "effect"
import { Header, MediaType } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import * as seamless from "../client/connect.ts"
import * as BreakableWay from "./stream/BreakableWay.ts"
import { barMs, rangeOf, series, windowBars } from "./stream/story.ts"
import { forkChild } from "./support/forkChild.ts"
import { toTable } from "./support/measure.ts"
import { startServer } from "./support/natsServer.ts"
import { hostOptions } from "./support/nodeOptions.ts"

const usage = `usage: node bench/stream.ts [--once] [--bars N]

Stores bars, and reads all of them in parts over loopback: in one go, and by the client over a connection that is
broken in the middle. Takes about a minute, most of it to store them.

  --bars    5,000,000 where it is absent
  --once    300,000 bars, to see that it runs
  --help    this text`

const credits = 8
const sampleMs = 50
/** What the host, and the reader, may need for the answer beside what they need anyway. */
const growthMaxBytes = 256 * 1024 * 1024

const startHost = (servers: string, windowCount: number) =>
  forkChild(join(import.meta.dirname, "stream", "host.ts"), [servers, String(windowCount)], {
    execArgv: hostOptions,
    signal: "SIGTERM"
  })

/** Bytes of a process in memory. */
const residentBytes = (pid: number): number => {
  const [, kilobytes = "0"] = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kilobytes) * 1024
}

/** Looks at a process from now on; gives what it had, and the most since. */
const watch = (pid: number) => {
  const before = residentBytes(pid)
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(pid))
  }, sampleMs)
  return () => {
    clearInterval(timer)
    return { before, most: Math.max(most, residentBytes(pid)) }
  }
}

/** What came of an answer. */
interface Came {
  readonly rows: number
  readonly bytes: number
  readonly parts: number
}

type Bars = readonly [start: number, end: number]

/** Counts the rows of tables that follow each other; fails where one is not the bar that comes next. */
const counting = ([start]: Bars) => {
  const came = { rows: 0, parts: 0 }
  return {
    came,
    take: (table: Table): void => {
      const times: unknown = table.getChild("event_time")?.toArray()
      assert.ok(times instanceof BigInt64Array)
      const before = came.rows
      for (const time of times) {
        assert.ok(Number(time) === start + came.rows * barMs, `row ${came.rows} is another`)
        came.rows += 1
      }
      if (came.rows > before) came.parts += 1
    }
  }
}

const sla = { totalDeadlineMs: 30_000 }

/** Reads a range in parts, and decodes each; gives what came. */
const readParts = (connection: NatsConnection, bars: Bars): Promise<Came> => {
  const { promise, reject, resolve } = Promise.withResolvers<Came>()
  const { came, take } = counting(bars)
  let bytes = 0
  const onMessage = ({ data, headers: given }: Msg): void => {
    if (given === undefined || given.has(Header.error)) return reject(new Error(new TextDecoder().decode(data)))
    take(tableFromIPC(data))
    bytes += data.length
    if (given.has(Header.last) || !given.has(Header.part)) resolve({ ...came, bytes })
    else connection.publish(given.get(Header.flow), "1")
  }
  const inbox = createInbox()
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      try {
        if (error !== null) throw error
        onMessage(message)
      } catch (cause) {
        reject(cause)
      }
    }
  })
  const about = headers()
  about.set(Header.accept, MediaType.arrow)
  about.set(Header.credit, String(credits))
  const [start, end] = bars
  connection.publish(Subject.service.read, JSON.stringify({ ...series, start, end, sla }), {
    reply: inbox,
    headers: about
  })
  return promise.finally(() => subscription.unsubscribe())
}

/** Reads a range by the client, whose connection is broken when half of the rows are there; gives what came. */
const readBroken = async (way: BreakableWay.BreakableWay, bars: Bars): Promise<Came> => {
  await using client = await seamless.connect({ servers: way.servers })
  const [start, end] = bars
  const half = (end - start) / barMs / 2
  const { came, take } = counting(bars)
  const before = way.bytes()
  let isBroken = false
  for await (const df of client.stream(series.nodeId, series.interval, start, end, { sla })) {
    take(df)
    if (isBroken || came.rows < half) continue
    isBroken = true
    way.break()
  }
  assert.ok(isBroken, "the connection was to be broken")
  return { ...came, bytes: way.bytes() - before }
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`

const columns = [
  "connection",
  "bars",
  "parts",
  "bytes",
  "time",
  "bars a second",
  "bytes a second",
  "host before",
  "host at most",
  "reader before",
  "reader at most"
]

interface Measured {
  readonly came: Came
  readonly seconds: number
  readonly ofHost: ReturnType<ReturnType<typeof watch>>
  readonly ofReader: ReturnType<ReturnType<typeof watch>>
}

const rowOf = (name: string, { came, ofHost, ofReader, seconds }: Measured): ReadonlyArray<string> => [
  name,
  came.rows.toLocaleString("en"),
  String(came.parts),
  megabytes(came.bytes),
  `${seconds.toPrecision(3)} s`,
  Math.round(came.rows / seconds).toLocaleString("en"),
  megabytes(came.bytes / seconds),
  megabytes(ofHost.before),
  megabytes(ofHost.most),
  megabytes(ofReader.before),
  megabytes(ofReader.most)
]

const measure = Effect.fnUntraced(function* (windowCount: number) {
  const servers = yield* startServer
  yield* Effect.scoped(startHost(servers, windowCount))
  const { pid = 0 } = yield* startHost(servers, 0)
  const connection = yield* Effect.acquireRelease(
    Effect.promise(() => connect({ servers })),
    (opened) => Effect.promise(() => opened.close())
  )
  const way = yield* BreakableWay.open(servers)
  // the first read of a process is that of a cold engine
  yield* Effect.promise(() => readParts(connection, rangeOf(0, Math.min(windowCount, 50))))
  const all = rangeOf(0, windowCount)
  const readings: ReadonlyArray<readonly [string, () => Promise<Came>]> = [
    ["in one go", () => readParts(connection, all)],
    ["broken in the middle", () => readBroken(way, all)]
  ]
  const rows: Array<ReadonlyArray<string>> = []
  let [hostBytes, readerBytes] = [0, 0]
  for (const [name, read] of readings) {
    const [host, reader] = [watch(pid), watch(process.pid)]
    const fromMs = performance.now()
    const came = yield* Effect.promise(read)
    const seconds = (performance.now() - fromMs) / 1000
    const [ofHost, ofReader] = [host(), reader()]
    assert.equal(came.rows, windowCount * windowBars)
    hostBytes = Math.max(hostBytes, ofHost.most - ofHost.before)
    readerBytes = Math.max(readerBytes, ofReader.most - ofReader.before)
    rows.push(rowOf(name, { came, seconds, ofHost, ofReader }))
  }
  console.log(toTable(columns, rows))
  assert.ok(hostBytes < growthMaxBytes, "the host has more than a few parts in memory")
  assert.ok(readerBytes < growthMaxBytes, "the reader has more than a few parts in memory")
}, Effect.scoped)

const { values } = parseArgs({
  options: {
    bars: { type: "string", default: "5000000" },
    once: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

if (values.help) console.log(usage)
else NodeRuntime.runMain(measure(Math.ceil((values.once ? 300_000 : Number(values.bars)) / windowBars)))
