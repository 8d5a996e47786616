/** Which series are kept, on what grid, and which sources have them? */
import { Context, Effect, Layer, Option } from "effect"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import { type DataSchema, ohlcv } from "../../protocol/frame/DataSchema.ts"
import { UnknownSeries } from "../../protocol/history/Errors.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { Series } from "../../protocol/history/Series.ts"
import * as Window from "../../protocol/history/Window.ts"
import { type Configuration, defaults } from "../../protocol/Settings.ts"

/** What is configured of one series. */
export interface CatalogEntry {
  readonly series: Series
  readonly interval: Interval.Interval
  readonly grid: Window.Grid
  readonly schema: DataSchema
  /** How the rows of its sources are read. */
  readonly rules: ConformanceRules
  /** Names of sources, the preferred first. */
  readonly sources: ReadonlyArray<string>
  /** What the sources call the node. */
  readonly symbol: string
  /** A bar is final this long after its end, in milliseconds: the longest delay of the sources. */
  readonly finalityDelayMs: number
  /** When trading began and ended, in epoch milliseconds; null where nothing is configured of it. */
  readonly listedAt: number | null
  readonly delistedAt: number | null
  /** How long the sources keep bars, each of which says so: the longest of them. Null where one keeps all. */
  readonly retentionMs: number | null
  /** How long time is left alone of which a source proved nothing, and at the longest. */
  readonly absence: { readonly baseMs: number; readonly maxMs: number }
}

/** The series of the configuration. */
export class SeriesCatalog extends Context.Service<
  SeriesCatalog,
  {
    /** The entry of a series; the interval may be spelt in any way. */
    readonly find: (nodeId: string, interval: string) => Effect.Effect<CatalogEntry, UnknownSeries>
  }
>()("seamless/sources/SeriesCatalog") {}

const retentionOf = (names: ReadonlyArray<string>, sources: Configuration["sources"]): number | null => {
  const kept = names.map((name) => sources[name]?.retentionMs ?? Infinity)
  const longest = Math.max(...kept)
  return longest === Infinity ? null : longest
}

/** The schema of that name; bars of prices and volume where it is none. */
const schemaOf = (
  name: string | undefined,
  schemas: Configuration["schemas"] = {}
): Pick<CatalogEntry, "schema" | "rules"> => {
  const settings = name === undefined ? undefined : schemas[name]
  if (settings === undefined) return { schema: ohlcv, rules: {} }
  const { fields, rules = {}, version = 1 } = settings
  return { schema: { version, fields }, rules }
}

const entriesOf = ({ absence, schemas, series, sources }: Configuration): ReadonlyArray<CatalogEntry> =>
  series.flatMap((kept) =>
    kept.intervals.flatMap((text) =>
      Option.match(Interval.parse(text), {
        onNone: () => [],
        onSome: (interval): Array<CatalogEntry> => [
          {
            series: { nodeId: kept.node, interval: interval.text },
            interval,
            grid: Window.makeGrid(interval, kept.windowBars),
            ...schemaOf(kept.schema, schemas),
            sources: kept.sources,
            symbol: kept.symbol,
            finalityDelayMs: Math.max(
              ...kept.sources.map((name) => sources[name]?.finalityDelayMs ?? defaults.finalityDelayMs)
            ),
            listedAt: kept.listedAt ?? null,
            delistedAt: kept.delistedAt ?? null,
            retentionMs: retentionOf(kept.sources, sources),
            absence: {
              baseMs: absence?.baseMs ?? defaults.absenceBaseMs,
              maxMs: absence?.maxMs ?? defaults.absenceMaxMs
            }
          }
        ]
      })
    )
  )

/** The catalog of a configuration. */
export const make = (configuration: Configuration): SeriesCatalog["Service"] => {
  const entries = entriesOf(configuration)
  const byKey = new Map(entries.map((entry) => [`${entry.series.interval} ${entry.series.nodeId}`, entry]))
  const unknown = (nodeId: string, interval: string) => {
    const intervals = entries.filter(({ series }) => series.nodeId === nodeId).map(({ series }) => series.interval)
    const nodes = new Set(entries.map(({ series }) => series.nodeId))
    return new UnknownSeries({ nodeId, interval, known: intervals.length > 0 ? intervals : Array.from(nodes) })
  }
  return {
    find: (nodeId, interval) => {
      const canonical = Option.match(Interval.parse(interval), { onNone: () => interval, onSome: ({ text }) => text })
      const entry = byKey.get(`${canonical} ${nodeId}`)
      return entry === undefined ? Effect.fail(unknown(nodeId, interval)) : Effect.succeed(entry)
    }
  }
}

/** The catalog of a configuration, as a layer. */
export const layer = (configuration: Configuration): Layer.Layer<SeriesCatalog> =>
  Layer.succeed(SeriesCatalog, make(configuration))
