/**
 * What is a source that has its bars in memory?
 *
 * The smallest answer to the contract of sources: for tests of whoever asks, and an example for adapters.
 */
import { Effect, Option } from "effect"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { type Capabilities, type DataSource, type PageRequest, RequestFailed } from "./DataSource.ts"
import { throughGate } from "./Gate.ts"

/** Bars in memory by symbol, each as long as the interval that is asked for. */
export interface MemorySource {
  readonly name: string
  readonly capabilities: Capabilities
  readonly bars: ReadonlyMap<string, RawRows>
}

const pageOf = (rows: RawRows, { end, start }: PageRequest, barsMax: number): RawRows => {
  const times = Array.from(rows.eventTime, Number)
  const chosen = times.flatMap((time, row) => (start <= time && time < end ? [row] : [])).slice(0, barsMax)
  return {
    eventTime: chosen.map((row) => times[row]!),
    columns: rows.columns.map(({ name, values }) => ({ name, values: chosen.map((row) => values[row]!) }))
  }
}

const unknownSymbol = (symbol: string) =>
  new RequestFailed({ reason: `no symbol ${symbol}`, retryable: false, retryAfterMs: null })

/** A source that answers from memory. */
export const makeMemory = ({ bars, capabilities, name }: MemorySource): DataSource => ({
  name,
  kind: "BACKFILL",
  capabilities,
  page: (request) => {
    const rows = bars.get(request.symbol)
    return throughGate(
      rows === undefined
        ? Effect.fail(unknownSymbol(request.symbol))
        : Effect.succeed(pageOf(rows, request, capabilities.barsPerRequest))
    )
  },
  firstBar: (symbol) => {
    const times = bars.get(symbol)?.eventTime
    if (times === undefined) return Effect.fail(unknownSymbol(symbol))
    const [first] = Array.from(times, Number).filter((time) => time >= 0)
    return Effect.succeed(Option.fromUndefinedOr(first))
  }
})
