/**
 * What does Seamless do, on real data, in half a minute?
 *
 * Two hosts on one NATS server and a stand-in exchange: a cold read, a warm read, and a host that is killed while it
 * backfills. Ends with one line of figures, and with a failure if any of them is not what it must be.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect, type SeamlessClient } from "seamless"
import { outputOf, projectFile, type Running, start, startNats, stopAll } from "./Processes.ts"

const day = { node: "ohlcv:binance:BTC/BUSD", start: 1670889600000, end: 1670976000000, bars: 1440 }
const tenDays = {
  node: "ohlcv:binance:UNITTEST/BTC",
  start: 1509836520000,
  end: 1510700400000,
  bars: 13_681,
  emptyBars: 717
}
/** Bars that the exchange gives in one answer. */
const barsPerRequest = 1000
const minuteMs = 60_000
const deadlineMs = 60_000
/** As the installed `seamless` starts itself: a host frees what it has sent with less work. */
const hostOptions = ["--max-semi-space-size=4"]

const startedAt = performance.now()
const say = (text: string): void =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${text}`)

interface Demo {
  readonly folder: string
  readonly nats: string
  readonly exchangeLog: string
  readonly client: SeamlessClient
  readonly hosts: ReadonlyArray<Running>
  /** The first host that says that it backfills, from now on. */
  readonly nextToBackfill: () => Promise<string>
}

const configuration = (exchangeUrl: string): string => `
sources:
  binance: { kind: exchange, exchange: binance, baseUrl: "${exchangeUrl}", maxEmptyBars: 60 }
series:
  - { node: "${day.node}", intervals: [1m], sources: [binance], symbol: BTC/BUSD }
  - { node: "${tenDays.node}", intervals: [1m], sources: [binance], symbol: UNITTEST/BTC }
`

const data = (name: string): string => projectFile(`examples/data/${name}`)

const startExchange = (log: string): Promise<Running> => {
  const files = [
    `BTC/BUSD=${data("binance-btcbusd-1m-20221213.csv")}`,
    `UNITTEST/BTC=${data("binance-unittestbtc-1m-20171104.csv")}`
  ].flatMap((file) => ["--csv", file])
  const args = [projectFile("examples/exchange/exchange.ts"), ...files, "--latency-ms", "150", "--log", log]
  return start({ name: "exchange", command: process.execPath, args })
}

const nobody = (_hostId: string): void => undefined

const setUp = async (folder: string): Promise<Demo> => {
  const binary = process.env["SEAMLESS_NATS_SERVER"]
  if (binary === undefined) throw new Error("start the demonstration with: npm run demo")
  const exchangeLog = join(folder, "exchange.jsonl")
  const [nats, exchange] = await Promise.all([startNats(binary, folder), startExchange(exchangeLog)])
  const config = join(folder, "demo.yaml")
  await writeFile(config, configuration(String(exchange.ready["url"])))
  say(`nats-server at ${nats}, stand-in exchange at ${String(exchange.ready["url"])}`)

  let onBackfill = nobody
  const startHost = (hostId: string): Promise<Running> =>
    start({
      name: hostId,
      command: process.execPath,
      args: [
        ...hostOptions,
        projectFile("bin/seamless.ts"),
        "up",
        "--config",
        config,
        "--nats",
        nats,
        "--host-id",
        hostId
      ],
      onLog: (line) => {
        if (line.includes("backfill started")) onBackfill(hostId)
      }
    })
  const hosts = await Promise.all([startHost("host-a"), startHost("host-b")])
  say("two hosts serve")
  const nextToBackfill = (): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    onBackfill = resolve
    return promise
  }
  return { folder, nats, exchangeLog, hosts, nextToBackfill, client: await connect({ servers: nats }) }
}

interface Asked {
  readonly startTime: number
  readonly endTime: number
}

/** The requests for bars that the exchange has had. */
const requests = async ({ exchangeLog }: Demo): Promise<ReadonlyArray<Asked>> => {
  // what is behind the last line's end is still being written
  const lines = (await readFile(exchangeLog, "utf8")).split("\n").slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Asked & { path: string }).filter(({ path }) => path.endsWith("klines"))
}

const picture = ({ nats }: Demo, node: string): Promise<string> =>
  outputOf([projectFile("bin/seamless.ts"), "coverage", node, "1m", "--nats", nats])

const wrong: Array<string> = []

/** Notes a figure that is not what it must be. */
const expect = (what: string, got: unknown, wanted: unknown): void => {
  if (got !== wanted) wrong.push(`${what}: ${String(got)}, and it must be ${String(wanted)}`)
}

const options = { strategy: "auto_backfill", sla: { totalDeadlineMs: deadlineMs } } as const

const coldAndWarm = async (demo: Demo) => {
  const read = async () => {
    const before = (await requests(demo)).length
    const from = performance.now()
    const { df, meta } = await demo.client.read(day.node, "1m", day.start, day.end, options)
    const elapsedMs = Math.round(performance.now() - from)
    return {
      bars: df.length,
      fingerprint: meta.fingerprint,
      elapsedMs,
      requests: (await requests(demo)).length - before
    }
  }
  const cold = await read()
  say(`cold read: ${cold.bars} bars in ${cold.elapsedMs} ms, ${cold.requests} requests to the exchange`)
  const warm = await read()
  say(`warm read: ${warm.bars} bars in ${warm.elapsedMs} ms, ${warm.requests} requests`)
  expect("bars of the cold read", cold.bars, day.bars)
  expect("requests of the cold read", cold.requests, Math.ceil(day.bars / barsPerRequest))
  expect("bars of the warm read", warm.bars, day.bars)
  expect("requests of the warm read", warm.requests, 0)
  expect("fingerprint of the warm read", warm.fingerprint, cold.fingerprint)
  return { cold, warm }
}

/** Waits until the coverage has something, and the backfill is not over. */
const coveredBeforeKill = async ({ client }: Demo) => {
  for (;;) {
    const { coverageRanges } = await client.coverage(tenDays.node, "1m")
    if (coverageRanges.length > 0) return coverageRanges
  }
}

const killed = async (demo: Demo) => {
  const backfilling = demo.nextToBackfill()
  // its answer may die with the host that was to give it: what counts is what is asked afterwards
  const first = demo.client
    .ensureAvailable(tenDays.node, "1m", tenDays.start, tenDays.end, options)
    .catch(() => undefined)
  const hostId = await backfilling
  const covered = await coveredBeforeKill(demo)
  const before = (await requests(demo)).length
  demo.hosts.find(({ name }) => name === hostId)?.child.kill("SIGKILL")
  const from = performance.now()
  say(`killed ${hostId} in the middle of its backfill (kill -9); covered by then:`)
  console.log(await picture(demo, tenDays.node))
  const { df, meta } = await demo.client.read(tenDays.node, "1m", tenDays.start, tenDays.end, options)
  const elapsedMs = Math.round(performance.now() - from)
  const later = (await requests(demo)).slice(before)
  const again = later.filter(({ endTime, startTime }) =>
    covered.some(([start, end]) => startTime < end && endTime >= start)
  )
  say(`the other host has it all ${elapsedMs} ms after the kill: ${df.length} bars`)
  console.log(await picture(demo, tenDays.node))
  expect("bars after the kill", df.length, tenDays.bars)
  expect("known empty bars", meta.qualitySummary.knownEmptyBars, tenDays.emptyBars)
  expect("missing ranges after the kill", meta.missingRanges.length, 0)
  expect("requests for what was covered at the kill", again.length, 0)
  void first
  return { elapsedMs, requests: later.length, again: again.length }
}

const folder = await mkdtemp(join(tmpdir(), "seamless-demo-"))
try {
  const demo = await setUp(folder)
  say("coverage before:")
  console.log(await picture(demo, day.node))
  const { cold, warm } = await coldAndWarm(demo)
  const after = await killed(demo)
  await demo.client.close()
  const bars = (tenDays.end - tenDays.start) / minuteMs
  console.log(
    `cold ${cold.elapsedMs} ms (${cold.requests} requests), warm ${warm.elapsedMs} ms (0 requests), ` +
      `after kill -9: ${tenDays.bars} of ${bars} minutes traded, complete in ${after.elapsedMs} ms, ` +
      `${after.again} of ${after.requests} requests repeated`
  )
} catch (error) {
  wrong.push(error instanceof Error ? error.message : String(error))
} finally {
  await stopAll()
  await rm(folder, { recursive: true, force: true })
}
for (const each of wrong) console.error(`wrong: ${each}`)
process.exitCode = wrong.length === 0 ? 0 : 1
