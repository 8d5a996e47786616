/**
 * How fast does a long answer go by, and how much memory do both sides need for it?
 *
 * A host of the product with millions of bars in its storage, and this process, which takes the parts of one answer and
 * decodes each. The memory is that of the processes, as the system has it, from before the read to its end.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { connect, createInbox, headers, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { tableFromIPC } from "apache-arrow"
import { Effect } from "effect"
import { Header, MediaType } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { rangeOf, series, windowBars } from "./stream/story.ts"
import { forkChild } from "./support/forkChild.ts"
import { toTable } from "./support/measure.ts"
import { startServer } from "./support/natsServer.ts"
import { hostOptions } from "./support/nodeOptions.ts"

const usage = `usage: node bench/stream.ts [--once] [--bars N]

Stores bars, and reads all of them in parts over loopback. Takes about a minute, most of it to store them.

  --bars    5,000,000 where it is absent
  --once    300,000 bars, to see that it runs
  --help    this text`

const credits = 8
const sampleMs = 50
/** What the host may need for the answer beside what it needs anyway. */
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

/** Reads a range in parts, and decodes each; gives what came. */
const readParts = (connection: NatsConnection, [start, end]: readonly [number, number]) => {
  const { promise, reject, resolve } = Promise.withResolvers<{ rows: number; bytes: number; parts: number }>()
  const came = { rows: 0, bytes: 0, parts: 0 }
  const take = ({ data, headers: given }: Msg): void => {
    if (given === undefined || given.has(Header.error)) return reject(new Error(new TextDecoder().decode(data)))
    came.rows += tableFromIPC(data).numRows
    came.bytes += data.length
    came.parts += 1
    if (given.has(Header.last) || !given.has(Header.part)) resolve(came)
    else connection.publish(given.get(Header.flow), "1")
  }
  const inbox = createInbox()
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => (error === null ? take(message) : reject(error))
  })
  const about = headers()
  about.set(Header.accept, MediaType.arrow)
  about.set(Header.credit, String(credits))
  const body = JSON.stringify({ ...series, start, end, sla: { totalDeadlineMs: 30_000 } })
  connection.publish(Subject.service.read, body, { reply: inbox, headers: about })
  return promise.finally(() => subscription.unsubscribe())
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`

const measure = Effect.fnUntraced(function* (windowCount: number) {
  const servers = yield* startServer
  yield* Effect.scoped(startHost(servers, windowCount))
  const { pid = 0 } = yield* startHost(servers, 0)
  const connection = yield* Effect.acquireRelease(
    Effect.promise(() => connect({ servers })),
    (opened) => Effect.promise(() => opened.close())
  )
  // the first read of a process is that of a cold engine
  yield* Effect.promise(() => readParts(connection, rangeOf(0, Math.min(windowCount, 50))))
  const [host, reader] = [watch(pid), watch(process.pid)]
  const fromMs = performance.now()
  const { bytes, parts, rows } = yield* Effect.promise(() => readParts(connection, rangeOf(0, windowCount)))
  const seconds = (performance.now() - fromMs) / 1000
  const [ofHost, ofReader] = [host(), reader()]
  assert.equal(rows, windowCount * windowBars)
  console.log(
    toTable(
      [
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
      ],
      [
        [
          rows.toLocaleString("en"),
          String(parts),
          megabytes(bytes),
          `${seconds.toPrecision(3)} s`,
          Math.round(rows / seconds).toLocaleString("en"),
          megabytes(bytes / seconds),
          megabytes(ofHost.before),
          megabytes(ofHost.most),
          megabytes(ofReader.before),
          megabytes(ofReader.most)
        ]
      ]
    )
  )
  assert.ok(ofHost.most - ofHost.before < growthMaxBytes, "the host has more than a few parts in memory")
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
