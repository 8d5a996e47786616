/** Does the stand-in exchange serve its records exactly, fail as asked, and say what is wrong with its input? */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as fc from "fast-check"
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest"
import { readCandleFile } from "../../examples/exchange/CandleFile.ts"
import { page, rollUp, type Bar, type Candles } from "../../examples/exchange/Candles.ts"
import * as Decimal from "../../examples/exchange/Decimal.ts"
import { makeFaults, type FaultShares } from "../../examples/exchange/Faults.ts"
import { intervals, type Interval } from "../../examples/exchange/Interval.ts"
import { makeMarkets } from "../../examples/exchange/Market.ts"
import { readOptions } from "../../examples/exchange/readOptions.ts"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import { startExchange } from "../../examples/exchange/startExchange.ts"

const folder = mkdtempSync(join(tmpdir(), "exchange-"))
afterAll(() => rmSync(folder, { recursive: true }))

const header = "ts,open,high,low,close,volume"
const minuteMs = 60_000
// 13 December 2022, a Tuesday, 00:00 UTC
const midnightMs = 1_670_889_600_000

let files = 0
const write = (...lines: ReadonlyArray<string>): string => {
  const file = join(folder, `${++files}.csv`)
  writeFileSync(file, `${lines.join("\n")}\n`)
  return file
}

/** Minutes 0, 1, 4, 5 and 7: 2, 3 and 6 had no trades. */
const rows = [
  `${midnightMs},17212.12,17216.55,17208.88,17208.80,0.1`,
  `${midnightMs + minuteMs},17209.49,17227.24,17208.84,17226.99,0.2`,
  `${midnightMs + 4 * minuteMs},9.5,17227.3,9.5,17000,0.00000003`,
  `${midnightMs + 5 * minuteMs},17000,17001,16999,17000.10,9.417e-05`,
  `${midnightMs + 7 * minuteMs},17000.1,17000.1,17000.1,17000.1,12`
]

const intervalOf = (name: string): Interval => intervals.find((interval) => interval.name === name)!

/** Starts an exchange with one market; gives its answers and its log. */
const startOne = async (given: { files?: ReadonlyArray<string>; faults?: FaultShares; latencyMs?: number } = {}) => {
  const pair = { base: "BTC", quote: "BUSD" }
  const log: Array<LogEntry> = []
  const exchange = await startExchange({
    markets: makeMarkets(
      (given.files ?? [write(header, ...rows)]).map((file) => ({ ...pair, candles: readCandleFile(file) }))
    ),
    port: 0,
    latencyMs: given.latencyMs ?? 0,
    faults: given.faults ?? {},
    seed: 1,
    log: (entry) => void log.push(entry)
  })
  onTestFinished(exchange.close)
  const get = (path: string) => fetch(`${exchange.url}/api/v3/${path}`)
  const klines = async (query: string) => {
    const response = await get(`klines?symbol=BTCBUSD&${query}`)
    const sent: ReadonlyArray<ReadonlyArray<string | number>> = JSON.parse(await response.text())
    return sent
  }
  return { ...exchange, log, get, klines }
}

describe("klines", () => {
  test("gives each row of the file as Binance's array of twelve, the figures letter by letter", async () => {
    const { klines } = await startOne()
    const sent = await klines("interval=1m")
    expect(sent.map((kline) => kline.slice(0, 6).join(","))).toEqual(rows)
    expect(sent[0]).toEqual([
      midnightMs,
      ...rows[0]!.split(",").slice(1),
      midnightMs + minuteMs - 1,
      "0",
      0,
      "0",
      "0",
      "0"
    ])
  })

  test("counts both ends of the asked time as inside", async () => {
    const { klines } = await startOne()
    const starts = async (from: number, to: number) =>
      (await klines(`interval=1m&startTime=${from}&endTime=${to}`)).map(([start]) => start)
    expect(await starts(midnightMs + minuteMs, midnightMs + 4 * minuteMs)).toHaveLength(2)
    expect(await starts(midnightMs + minuteMs + 1, midnightMs + 4 * minuteMs - 1)).toEqual([])
    expect(await starts(midnightMs + 9 * minuteMs, midnightMs)).toEqual([])
  })

  test("gives the oldest bars from a start, the newest without one", async () => {
    const { klines } = await startOne()
    const starts = async (query: string) => (await klines(`interval=1m&${query}`)).map(([start]) => Number(start))
    const minutes = (...wanted: ReadonlyArray<number>) => wanted.map((minute) => midnightMs + minute * minuteMs)
    expect(await starts("startTime=0&limit=2")).toEqual(minutes(0, 1))
    expect(await starts("limit=2")).toEqual(minutes(5, 7))
    expect(await starts(`endTime=${midnightMs + 5 * minuteMs}&limit=2`)).toEqual(minutes(4, 5))
  })

  test("sends 500 rows unless asked for more, and never more than 1000", async () => {
    const many = Array.from({ length: 1200 }, (_, minute) => `${midnightMs + minute * minuteMs},1,1,1,1,1`)
    const { klines } = await startOne({ files: [write(header, ...many)] })
    expect(await klines("interval=1m&startTime=0")).toHaveLength(500)
    expect(await klines("interval=1m&startTime=0&limit=5000")).toHaveLength(1000)
  })

  test("rolls up an interval that has no file, and adds volumes exactly", async () => {
    const { klines } = await startOne()
    expect((await klines("interval=5m")).map((kline) => kline.slice(0, 7))).toEqual([
      [midnightMs, "17212.12", "17227.3", "9.5", "17000", "0.30000003", midnightMs + 5 * minuteMs - 1],
      [midnightMs + 5 * minuteMs, "17000", "17001", "16999", "17000.1", "12.00009417", midnightMs + 10 * minuteMs - 1]
    ])
  })

  test("prefers the file of an interval to rolling up", async () => {
    const fives = [0, 1].map((bar) => `${midnightMs + bar * 5 * minuteMs},5,5,5,5,5`)
    const { klines } = await startOne({ files: [write(header, ...rows), write(header, ...fives)] })
    expect((await klines("interval=5m")).map((kline) => kline[1])).toEqual(["5", "5"])
    expect((await klines("interval=15m")).map((kline) => kline[1])).toEqual(["17212.12"])
  })

  test("joins the files of one market and interval", async () => {
    const { klines } = await startOne({ files: [write(header, ...rows.slice(2)), write(header, ...rows.slice(0, 2))] })
    expect((await klines("interval=1m")).map((kline) => kline.slice(0, 6).join(","))).toEqual(rows)
  })

  test.each([
    ["symbol=ETHBTC&interval=1m", -1121],
    ["symbol=BTCBUSD&interval=7m", -1120],
    // a record of minutes cannot say what happened each second
    ["symbol=BTCBUSD&interval=1s", -1120],
    ["symbol=BTCBUSD", -1102],
    ["symbol=&interval=1m", -1102],
    ["symbol=BTCBUSD&interval=1m&startTime=yesterday", -1100],
    ["symbol=BTCBUSD&interval=1m&limit=-1", -1100],
    ["symbol=BTCBUSD&interval=1m&limit=0", -1130]
  ])("refuses %s with code %i", async (query, code) => {
    const { get } = await startOne()
    const response = await get(`klines?${query}`)
    expect([response.status, await response.json()]).toEqual([400, { code, msg: expect.any(String) }])
  })
})

const filterWith = (filterType: string, fields: object) => expect.objectContaining({ filterType, ...fields })

describe("the other paths", () => {
  test("ping, time and an unknown path are answered as Binance does", async () => {
    const { get } = await startOne()
    expect(await (await get("ping")).json()).toEqual({})
    expect(await (await get("time")).json()).toEqual({ serverTime: expect.any(Number) })
    expect((await get("depth?symbol=BTCBUSD")).status).toBe(404)
  })

  test("exchangeInfo names each market, with the steps its figures have", async () => {
    const { get } = await startOne()
    expect(await (await get("exchangeInfo")).json()).toMatchObject({
      symbols: [
        {
          symbol: "BTCBUSD",
          status: "TRADING",
          baseAsset: "BTC",
          quoteAsset: "BUSD",
          filters: expect.arrayContaining([
            filterWith("PRICE_FILTER", { tickSize: "0.01000000" }),
            filterWith("LOT_SIZE", { stepSize: "0.00000001" })
          ])
        }
      ]
    })
  })
})

describe("faults", () => {
  test("429 comes with Retry-After and Binance's code, 500 with a body", async () => {
    const limited = await (await startOne({ faults: { "429": 1 } })).get("klines?symbol=BTCBUSD&interval=1m")
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "1"])
    expect(await limited.json()).toMatchObject({ code: -1003 })
    const broken = await (await startOne({ faults: { "500": 1 } })).get("klines?symbol=BTCBUSD&interval=1m")
    expect([broken.status, await broken.json()]).toMatchObject([500, { code: -1000 }])
  })

  test("truncate sends a first part of the page, never the whole", async () => {
    const { klines, log } = await startOne({ faults: { truncate: 1 } })
    const pages = await Promise.all(Array.from({ length: 40 }, () => klines("interval=1m")))
    expect(new Set(pages.map((sent) => sent.length))).toEqual(new Set([0, 1, 2, 3, 4]))
    expect(pages.every((sent) => sent.every((kline, index) => rows[index]!.startsWith(`${kline[0]},`)))).toBe(true)
    expect(log.every((entry) => entry.fault === "truncate" && entry.status === 200)).toBe(true)
  })

  test("hang never answers, is logged at once, and does not keep close() waiting", async () => {
    const { klines, log, close } = await startOne({ faults: { hang: 1 } })
    const answer = klines("interval=1m").then(
      () => "answered",
      () => "cut"
    )
    await vi.waitFor(() => expect(log).toMatchObject([{ fault: "hang", status: null, rows: null }]))
    await close()
    expect(await answer).toBe("cut")
  })

  test("strike only klines", async () => {
    const { get } = await startOne({ faults: { "500": 1 } })
    expect((await get("exchangeInfo")).status).toBe(200)
  })

  test("makeFaults() repeats itself for a seed, differs between seeds, and keeps to the shares", () => {
    const shares = { "429": 0.1, hang: 0.05, truncate: 0.2 }
    const fates = (seed: number) => {
      const draw = makeFaults(shares, seed)
      return Array.from({ length: 4000 }, () => draw().fault)
    }
    expect(fates(7)).toEqual(fates(7))
    expect(fates(7)).not.toEqual(fates(8))
    const shareOf = (fault: string | null) => fates(7).filter((each) => each === fault).length / 4000
    for (const [fault, share] of [...Object.entries(shares), [null, 0.65] as const]) {
      expect(shareOf(fault)).toBeCloseTo(share, 1)
    }
    expect(shareOf("500")).toBe(0)
  })
})

test("latency holds an answer back but not its log line", async () => {
  const { get, log } = await startOne({ latencyMs: 60 })
  const startedAtMs = performance.now()
  const response = await get("klines?symbol=BTCBUSD&interval=1m&startTime=5&limit=x")
  expect(performance.now() - startedAtMs).toBeGreaterThan(50)
  expect(response.status).toBe(400)
  expect(log).toEqual([
    {
      at: expect.any(Number),
      path: "/api/v3/klines",
      symbol: "BTCBUSD",
      interval: "1m",
      startTime: 5,
      endTime: null,
      fromId: null,
      limit: "x",
      status: 400,
      rows: null,
      fault: null
    }
  ])
})

describe("bars and decimals", () => {
  const bar = (minute: number, figure: string): Bar => ({
    startMs: midnightMs + minute * minuteMs,
    open: figure,
    high: figure,
    low: figure,
    close: figure,
    volume: figure
  })
  const candles: fc.Arbitrary<Candles> = fc
    .uniqueArray(fc.tuple(fc.nat(400), fc.nat(1000)), { selector: ([minute]) => minute, minLength: 1 })
    .map((pairs) => ({
      interval: intervalOf("1m"),
      bars: pairs.toSorted(([a], [b]) => a - b).map(([minute, cents]) => bar(minute, (cents / 100).toFixed(2)))
    }))
  const time = fc.option(fc.integer({ min: midnightMs - minuteMs, max: midnightMs + 402 * minuteMs }), {
    nil: undefined
  })

  test("page() finds what a scan of all bars finds", () => {
    fc.assert(
      fc.property(candles, time, time, fc.integer({ min: 1, max: 20 }), (record, startTimeMs, endTimeMs, limit) => {
        const inside = record.bars.filter(
          ({ startMs }) => startMs >= (startTimeMs ?? 0) && startMs <= (endTimeMs ?? Infinity)
        )
        const scanned = startTimeMs === undefined ? inside.slice(-limit) : inside.slice(0, limit)
        expect(page(record, { startTimeMs, endTimeMs, limit })).toEqual(scanned)
      })
    )
  })

  test("rollUp() in two steps is rollUp() in one", () => {
    fc.assert(
      fc.property(candles, (record) => {
        const twice = rollUp(rollUp(record, intervalOf("5m")), intervalOf("1h"))
        expect(twice).toEqual(rollUp(record, intervalOf("1h")))
      })
    )
  })

  test("Decimal.sum() is exact where floating point is not, and isAbove() compares values", () => {
    expect(Decimal.sum(["0.1", "0.2"])).toBe("0.3")
    expect(Decimal.sum(["9007199254740993", "0.00000001"])).toBe("9007199254740993.00000001")
    expect(Decimal.sum(["1e-08", "2.5e1", "3"])).toBe("28.00000001")
    expect(Decimal.sum(["0.001", "0.002"])).toBe("0.003")
    expect(Decimal.sum(["-0.003", "0.002"])).toBe("-0.001")
    expect([Decimal.isAbove("10", "9.99"), Decimal.isAbove("2.0", "2"), Decimal.isAbove("1e-8", "0")]).toEqual([
      true,
      false,
      true
    ])
  })

  test("weeks begin on Monday, months on their first, and a bar ends where the next begins", () => {
    const noon = Date.UTC(2022, 11, 13, 12)
    expect(intervalOf("1w").startOf(noon)).toBe(Date.UTC(2022, 11, 12))
    expect(intervalOf("1M").startOf(noon)).toBe(Date.UTC(2022, 11, 1))
    expect(intervalOf("1M").nextStart(Date.UTC(2022, 11, 1))).toBe(Date.UTC(2023, 0, 1))
    for (const { startOf, nextStart } of intervals) {
      const next = nextStart(startOf(noon))
      expect([startOf(next), startOf(next - 1)]).toEqual([next, startOf(noon)])
    }
  })
})

describe("what is said about wrong input", () => {
  test.each([
    ["another header", ["time,open", ...rows], ":1: the first line must be ts,open"],
    ["a word for a price", [header, rows[0]!, rows[1]!.replace("17227.24", "high")], ':3: the figure "high"'],
    ["a missing column", [header, `${midnightMs},1,1,1,1`, rows[1]!], ':2: the figure ""'],
    ["a column too many", [header, `${rows[0]},1`, rows[1]!], ":2: 7 columns"],
    ["a date for a time", [header, "2022-12-13,1,1,1,1,1"], ':2: ts is "2022-12-13"'],
    ["an empty line", [header, rows[0]!, "", rows[1]!], ':3: ts is ""'],
    ["rows out of order", [header, rows[1]!, rows[0]!], ":3: ts is not after the row above"],
    ["a row twice", [header, rows[0]!, rows[0]!], ":3: ts is not after"],
    ["a single row", [header, rows[0]!], ":2: fewer than two rows"],
    ["no such interval", [header, rows[0]!, `${midnightMs + 7 * minuteMs},1,1,1,1,1`], "is 420000 ms; two rows"],
    ["bars off the minute", [header, ...rows.slice(0, 2).map((row) => row.replace("000,", "007,"))], ":2: ts 16"]
  ])("readCandleFile() names the line of %s", (_, lines, message) => {
    expect(() => readCandleFile(write(...lines))).toThrow(message)
  })

  test("readCandleFile() names a file that is not there", () => {
    expect(() => readCandleFile(join(folder, "none.csv"))).toThrow(/none\.csv: cannot be read.*give the path/)
  })

  test("makeMarkets() refuses files that contradict each other", () => {
    const candles = readCandleFile(write(header, ...rows))
    const pair = { base: "BTC", quote: "BUSD", candles }
    expect(() => makeMarkets([pair, pair])).toThrow(/two files of BTCBUSD have the 1m bar .*must not overlap/)
    expect(() => makeMarkets([pair, { base: "BTCB", quote: "USD", candles }])).toThrow("would both be BTCBUSD")
  })

  test("startExchange() says so when the port is taken", async () => {
    const { url } = await startOne()
    const port = Number(new URL(url).port)
    const second = startExchange({
      markets: new Map(),
      port,
      latencyMs: 0,
      faults: {},
      seed: 1,
      log: () => {}
    })
    await expect(second).rejects.toThrow(/cannot listen on \d+ .*give a free port/)
  })

  const csv = ["--csv", "BTC/BUSD=a.csv"]
  test.each([
    [[], "give at least one --csv"],
    [["--csv", "BTCBUSD=a.csv"], "--csv BTCBUSD=a.csv: must be BASE/QUOTE=FILE"],
    [[...csv, "--port", "70000"], "--port 70000: must be a whole number from 0 to 65535"],
    [[...csv, "--latency-ms", "1.5"], "--latency-ms 1.5: must be a whole number"],
    [[...csv, "--seed", "x"], "--seed x: must be a whole number"],
    [[...csv, "--fault", "503=0.1"], "--fault 503=0.1: must be NAME=SHARE, NAME one of 429 500 hang truncate"],
    [[...csv, "--fault", "429"], "--fault 429: must be NAME=SHARE"],
    [[...csv, "--fault", "429=1.1"], "SHARE from 0 to 1"],
    [[...csv, "--fault", "429=0.1", "--fault", "429=0.2"], "--fault 429: is given twice"],
    [[...csv, "--fault", "429=0.6", "--fault", "500=0.5"], "the shares add up to 1.1"],
    [[...csv, "--faults", "429=0.6"], "--help lists the options"],
    [[...csv, "--port", "-1"], "--help lists the options"]
  ])("readOptions(%j) says %j", (args, message) => {
    expect(() => readOptions(args)).toThrow(message)
  })

  test("readOptions() reads everything, and takes shares that add up to one", () => {
    const faults = ["--fault", "429=0.7", "--fault", "500=.2", "--fault", "hang=0.1", "--fault", "truncate=0"]
    const rest = ["--csv", "XRP/ETH=b=c.csv", "--port", "8080", "--latency-ms", "5", "--seed", "9", "--log", "l"]
    expect(readOptions([...csv, ...faults, ...rest])).toEqual({
      help: false,
      csv: [
        { base: "BTC", quote: "BUSD", file: "a.csv" },
        { base: "XRP", quote: "ETH", file: "b=c.csv" }
      ],
      trades: [],
      port: 8080,
      latencyMs: 5,
      faults: { "429": 0.7, "500": 0.2, hang: 0.1, truncate: 0 },
      seed: 9,
      log: "l"
    })
  })
})

/** The exit status once all output is read. */
const ended = async (child: ChildProcess): Promise<unknown> => (await once(child, "close"))[0]

describe("exchange.ts as a program", () => {
  const entry = fileURLToPath(new URL("../../examples/exchange/exchange.ts", import.meta.url))

  const start = (...args: ReadonlyArray<string>) => {
    const child = spawn(process.execPath, [entry, ...args])
    onTestFinished(() => void child.kill("SIGKILL"))
    const said = { stdout: "", stderr: "" }
    for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk) => (said[name] += String(chunk)))
    return { child, said }
  }

  test("says when it is ready, appends to its log, and ends with 0 on SIGTERM", async () => {
    const log = join(folder, "requests.jsonl")
    writeFileSync(log, "earlier\n")
    const csv = `BTC/BUSD=${write(header, ...rows)}`
    const { child, said } = start("--csv", csv, "--fault", "hang=1", "--log", log)
    await vi.waitFor(() => expect(said.stdout).toContain("\n"), { timeout: 10_000, interval: 10 })
    const ready: { ready: boolean; url: string } = JSON.parse(said.stdout)
    expect(ready).toEqual({ ready: true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })

    const answer = fetch(`${ready.url}/api/v3/klines?symbol=BTCBUSD&interval=1m`).catch(() => "cut")
    await vi.waitFor(() => expect(readFileSync(log, "utf8").split("\n")).toHaveLength(3), { timeout: 10_000 })
    const [earlier, line] = readFileSync(log, "utf8").split("\n")
    expect(earlier).toBe("earlier")
    expect(JSON.parse(line!)).toMatchObject({ path: "/api/v3/klines", fault: "hang", status: null })

    const end = ended(child)
    child.kill("SIGTERM")
    expect([await end, await answer, said.stderr]).toEqual([0, "cut", ""])
  })

  test("ends with status 2 and one line for wrong usage, and --help with the usage", async () => {
    const wrong = start("--csv", `BTC/BUSD=${join(folder, "none.csv")}`)
    const help = start("--help")
    expect(await Promise.all([ended(wrong.child), ended(help.child)])).toEqual([2, 0])
    expect(wrong.said.stderr).toMatch(/^exchange: .*none\.csv: cannot be read.*\n$/)
    expect(help.said.stdout).toMatch(/^Usage: node examples\/exchange\/exchange\.ts --csv/)
  })
})
