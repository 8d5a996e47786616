/** What does the exchange trade, and which candles and trades has it of a market? */
import { rollUp, type Bar, type Candles } from "./Candles.ts"
import * as Decimal from "./Decimal.ts"
import { fitsInto, type Interval } from "./Interval.ts"
import type { Trade } from "./Trades.ts"
import { UsageError } from "./UsageError.ts"

/** The two assets of a pair. */
export interface Pair {
  readonly base: string
  readonly quote: string
}

/** Candles, and the pair they belong to. */
export interface PairCandles extends Pair {
  readonly candles: Candles
}

/** Trades, and the pair they belong to. */
export interface PairTrades extends Pair {
  readonly trades: ReadonlyArray<Trade>
}

/** One pair that is traded. */
export interface Market extends Pair {
  /** The pair in one word, as Binance names it: BTCBUSD. */
  readonly id: string
  /** Digits behind the point of the finest price and the finest volume on record. */
  readonly priceScale: number
  readonly volumeScale: number
  /** The recorded candles, else those rolled up from the finest record; undefined if no record is fine enough. */
  readonly candlesOf: (interval: Interval) => Candles | undefined
  /** The recorded trades; undefined where none were recorded, which does not mean that there were none. */
  readonly trades: ReadonlyArray<Trade> | undefined
}

/** The markets by id. */
export type Markets = ReadonlyMap<string, Market>

const idOf = ({ base, quote }: Pair): string => base + quote

const sameStart = (bars: ReadonlyArray<Bar>): Bar | undefined =>
  bars.find((bar, index) => bar.startMs === bars[index - 1]?.startMs)

/** One record of several that share an interval, such as the files of two days. */
const merge = (interval: Interval, records: ReadonlyArray<Candles>, id: string): Candles => {
  const bars = records.flatMap((record) => record.bars).toSorted((a, b) => a.startMs - b.startMs)
  const twice = sameStart(bars)
  if (twice !== undefined) {
    const what = `two files of ${id} have the ${interval.name} bar ${twice.startMs}`
    throw new UsageError(`--csv: ${what}; files of one market and interval must not overlap`)
  }
  return { interval, bars }
}

/** Answers per interval, each computed once: rolled-up candles are asked for page after page. */
const remember = (records: ReadonlyMap<Interval, Candles>): Market["candlesOf"] => {
  const known = new Map(records)
  const steps = [...records.values()].toSorted((a, b) => (a.interval.stepMs ?? 0) - (b.interval.stepMs ?? 0))
  const finest = steps[0]
  return (interval) => {
    const candles = known.get(interval)
    if (finest === undefined || candles !== undefined || !fitsInto(finest.interval, interval)) return candles
    const rolled = rollUp(finest, interval)
    known.set(interval, rolled)
    return rolled
  }
}

const widest = <Row>(rows: ReadonlyArray<Row>, figures: (row: Row) => ReadonlyArray<string>): number =>
  rows.reduce((most, row) => Math.max(most, ...figures(row).map(Decimal.scale)), 0)

/** What was recorded of a pair, in files. */
interface Recorded {
  readonly candles: ReadonlyArray<Candles>
  readonly trades: ReadonlyArray<ReadonlyArray<Trade>>
}

const mergeTrades = (records: Recorded["trades"], id: string): ReadonlyArray<Trade> | undefined => {
  if (records.length === 0) return undefined
  const trades = records.flat().toSorted((a, b) => a.id - b.id)
  const twice = trades.find((trade, index) => trade.id === trades[index - 1]?.id)
  if (twice !== undefined) {
    throw new UsageError(
      `--trades: two files of ${id} have the trade ${twice.id}; files of one market must not overlap`
    )
  }
  return trades
}

const makeMarket = (id: string, pairs: ReadonlyArray<Pair>, recorded: Recorded): Market => {
  const { base, quote } = pairs[0]!
  const other = pairs.find((pair) => pair.base !== base)
  if (other !== undefined) {
    const both = `${base}/${quote} and ${other.base}/${other.quote}`
    throw new UsageError(`--csv: ${both} would both be ${id}; name pairs that differ in their letters`)
  }
  const groups = Map.groupBy(recorded.candles, (candles) => candles.interval)
  const records = new Map([...groups].map(([interval, group]) => [interval, merge(interval, group, id)]))
  const bars = [...records.values()].flatMap((record) => record.bars)
  const trades = mergeTrades(recorded.trades, id)
  const prices = widest(bars, (bar) => [bar.open, bar.high, bar.low, bar.close])
  const volumes = widest(bars, (bar) => [bar.volume])
  return {
    id,
    base,
    quote,
    priceScale: Math.max(
      prices,
      widest(trades ?? [], ({ price }) => [price])
    ),
    volumeScale: Math.max(
      volumes,
      widest(trades ?? [], ({ amount }) => [amount])
    ),
    candlesOf: remember(records),
    trades
  }
}

/** The markets of all files together. Fails with a `UsageError` where two files contradict each other. */
export const makeMarkets = (files: ReadonlyArray<PairCandles>, trades: ReadonlyArray<PairTrades> = []): Markets =>
  new Map(
    [...Map.groupBy([...files, ...trades], idOf)].map(([id, group]) => {
      const recorded = {
        candles: group.flatMap((each) => ("candles" in each ? [each.candles] : [])),
        trades: group.flatMap((each) => ("trades" in each ? [each.trades] : []))
      }
      return [id, makeMarket(id, group, recorded)]
    })
  )
