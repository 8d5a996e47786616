/** Which series and requests do the tests of the provider run on? */
import type { ValidRequest } from "../../actors/provider/validRequest.ts"
import { type CatalogEntry, make } from "../../actors/sources/SeriesCatalog.ts"
import { Effect } from "effect"
import type { MissingRange } from "../../protocol/history/MissingRange.ts"
import { initial } from "../../protocol/history/CoverageRoot.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import * as SlaPolicy from "../../protocol/history/SlaPolicy.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import type { Configuration } from "../../protocol/Settings.ts"

/** One minute in milliseconds: the bar of the series. */
export const minute = 60_000

/** One series of two intervals from two sources; the second is slow to be final. */
export const configuration: Configuration = {
  sources: {
    binance: { kind: "exchange", exchange: "binance", finalityDelayMs: 2000 },
    kraken: { kind: "exchange", exchange: "kraken", finalityDelayMs: 5000 }
  },
  series: [
    {
      node: "ohlcv:binance:BTC/BUSD",
      intervals: ["1m", "1w"],
      sources: ["binance", "kraken"],
      symbol: "BTC/BUSD",
      windowBars: 10
    }
  ]
}

/** The catalog's entry of the minute series. */
export const entry: CatalogEntry = Effect.runSync(make(configuration).find("ohlcv:binance:BTC/BUSD", "1m"))

/** A request for the first ten minutes, unless told otherwise. */
export const requestOf = (changes: Partial<ValidRequest> = {}): ValidRequest => ({
  entry,
  range: [0, 10 * minute],
  strategy: "seamless",
  strict: false,
  onStrictViolation: "error",
  sources: ["binance", "kraken"],
  sla: SlaPolicy.resolve(changes.strategy ?? "seamless"),
  minVersion: 0,
  consistency: "eventual",
  fill: "none",
  returnMeta: true,
  requestId: "request-1",
  ...changes
})

/** What is covered, and what is known of the rest. */
export const viewOf = (covered: RangeSet, exceptions: ReadonlyArray<MissingRange> = []): CoverageView => ({
  root: { ...initial(entry.series, { windowBars: 10, schemaVersion: 1 }), version: 3, covered, exceptions },
  covered
})

/** Minutes `[start, end)` that are not covered, with a state. */
export const lack = (
  [start, end]: readonly [number, number],
  state: MissingRange["state"],
  retryAt: number | null = null
): MissingRange => ({ start: start * minute, end: end * minute, state, reason: `for the test: ${state}`, retryAt })
