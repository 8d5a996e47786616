/**
 * What is on record, and what can a source of it prove?
 *
 * The recorded bars of `examples/data`, and what follows from each file alone: what is covered once a source that has
 * just these bars was asked about all of it, and which fingerprint an answer has then.
 */
import { fileURLToPath } from "node:url"
import { fingerprint } from "../../actors/provider/fingerprint.ts"
import { contentHash } from "../../protocol/frame/contentHash.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as FrameModule from "../../protocol/frame/Frame.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { readBars } from "./csv.ts"
import { intervalOf } from "./rows.ts"

/** A file of bars, and the series that it is served as. */
export interface BarFile {
  readonly path: string
  readonly pair: string
  readonly node: string
  readonly interval: string
}

const bars = (name: string, pair: string, interval = "1m"): BarFile => ({
  path: fileURLToPath(new URL(`../../examples/data/${name}.csv`, import.meta.url)),
  pair,
  node: `ohlcv:binance:${pair}`,
  interval
})

/** Each file of bars. */
export const barFiles = {
  fullDay: bars("binance-btcbusd-1m-20221213", "BTC/BUSD"),
  otherExchange: bars("bybit-btcusdt-1m-20221213", "BTC/USDT"),
  outage: bars("coinbase-btcusd-1m-20180404", "BTC/USD"),
  quiet: bars("binance-unittestbtc-1m-20171104", "UNITTEST/BTC"),
  rolledUp: bars("binance-xrpeth-1m-20191011", "XRP/ETH"),
  // a pair of its own: the exchange would roll up the one-minute bars of the other, and not serve this file
  fiveMinutes: bars("binance-xrpeth-5m-20191011", "XRP5/ETH", "5m"),
  sessions: bars("nyse-spy-1m-20131007", "SPY/USD")
} as const

/** An absence of at most so many bars between two bars is a lack of trades, unless the configuration says otherwise. */
const maxEmptyBars = 60

/** What is known of a file without any host. */
export interface Recording {
  readonly frame: Frame
  /** From its first bar until behind its last. */
  readonly range: Range
  /** What of the range can be proven. */
  readonly covered: ReadonlyArray<Range>
  /** The time between: absences that prove nothing. */
  readonly open: ReadonlyArray<Range>
  /** The fingerprint of an answer about the whole range. */
  readonly fingerprint: string
}

/** The bars' time, joined over absences that are short enough. */
const joined = (times: Float64Array, intervalMs: number): ReadonlyArray<Range> => {
  const pairs: Array<[number, number]> = []
  for (const time of times) {
    const last = pairs.at(-1)
    if (last !== undefined && time - last[1] <= maxEmptyBars * intervalMs) last[1] = time + intervalMs
    else pairs.push([time, time + intervalMs])
  }
  return pairs
}

/** Reads a file, and works out what follows from it. */
export const read = ({ interval: text, node, path }: BarFile): Recording => {
  const interval = intervalOf(text)
  const { columns, eventTime } = readBars(path)
  const flags = new Uint32Array(eventTime.length)
  const frame: Frame = { eventTimeMs: eventTime, columns, flags, lineage: [] }
  const range: Range = [eventTime[0]!, eventTime.at(-1)! + interval.lengthMs]
  const covered = joined(eventTime, interval.lengthMs)
  const set = RangeSet.make(covered)
  const parts = Window.split(Window.makeGrid(interval), set).map(({ windowStart }) => {
    const [start, end] = Window.windowRange(Window.makeGrid(interval), windowStart)
    return { windowStart, contentHash: contentHash(FrameModule.within(frame, start, end)) }
  })
  return {
    frame,
    range,
    covered,
    open: toPairs(RangeSet.missing(set, ...range)),
    fingerprint: fingerprint({ series: { nodeId: node, interval: text }, range, covered: set }, parts)
  }
}
