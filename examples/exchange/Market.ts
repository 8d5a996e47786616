/** What does the exchange trade, and which candles has it for each interval of a market? */
import { rollUp, type Bar, type Candles } from "./Candles.ts"
import * as Decimal from "./Decimal.ts"
import { fitsInto, type Interval } from "./Interval.ts"
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

/** One pair that is traded. */
export interface Market extends Pair {
  /** The pair in one word, as Binance names it: BTCBUSD. */
  readonly id: string
  /** Digits behind the point of the finest price and the finest volume on record. */
  readonly priceScale: number
  readonly volumeScale: number
  /** The recorded candles, else those rolled up from the finest record; undefined if no record is fine enough. */
  readonly candlesOf: (interval: Interval) => Candles | undefined
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
  const finest = steps[0]!
  return (interval) => {
    const candles = known.get(interval)
    if (candles !== undefined || !fitsInto(finest.interval, interval)) return candles
    const rolled = rollUp(finest, interval)
    known.set(interval, rolled)
    return rolled
  }
}

const widest = (bars: ReadonlyArray<Bar>, figures: (bar: Bar) => ReadonlyArray<string>): number =>
  bars.reduce((most, bar) => Math.max(most, ...figures(bar).map(Decimal.scale)), 0)

const makeMarket = (id: string, files: ReadonlyArray<PairCandles>): Market => {
  const { base, quote } = files[0]!
  const other = files.find((file) => file.base !== base)
  if (other !== undefined) {
    const pairs = `${base}/${quote} and ${other.base}/${other.quote}`
    throw new UsageError(`--csv: ${pairs} would both be ${id}; name pairs that differ in their letters`)
  }
  const groups = Map.groupBy(
    files.map((file) => file.candles),
    (candles) => candles.interval
  )
  const records = new Map([...groups].map(([interval, group]) => [interval, merge(interval, group, id)]))
  const bars = [...records.values()].flatMap((record) => record.bars)
  return {
    id,
    base,
    quote,
    priceScale: widest(bars, (bar) => [bar.open, bar.high, bar.low, bar.close]),
    volumeScale: widest(bars, (bar) => [bar.volume]),
    candlesOf: remember(records)
  }
}

/** The markets of all files together. Fails with a `UsageError` where two files contradict each other. */
export const makeMarkets = (files: ReadonlyArray<PairCandles>): Markets =>
  new Map([...Map.groupBy(files, idOf)].map(([id, group]) => [id, makeMarket(id, group)]))
