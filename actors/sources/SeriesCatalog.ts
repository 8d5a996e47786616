/** Which series are kept, on what grid, and which sources have them? */
import { Context, Effect, Layer, Option } from "effect"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import { type DataSchema, ohlcv } from "../../protocol/frame/DataSchema.ts"
import { alwaysOpen } from "../../protocol/CalendarSettings.ts"
import { UnknownSeries } from "../../protocol/history/Errors.ts"
import * as Calendar from "../../protocol/history/Calendar.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import type { Series } from "../../protocol/history/Series.ts"
import * as Window from "../../protocol/history/Window.ts"
import { type Configuration, defaults, type SeriesSettings } from "../../protocol/Settings.ts"
import { calendarsOf } from "./calendarOf.ts"

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
  /** The finer interval whose bars these are rolled up from; null for those that sources are asked for. */
  readonly derivedFrom: string | null
  /** A bar is final this long after its end, in milliseconds: the longest delay of the sources. */
  readonly finalityDelayMs: number
  /** By source: how long after its end a bar may still change, in milliseconds; not at all where it is absent. */
  readonly settleMs: Readonly<Record<string, number>>
  /** When trading began and ended, in epoch milliseconds; null where nothing is configured of it. */
  readonly listedAt: number | null
  readonly delistedAt: number | null
  /** How long the sources keep bars, each of which says so: the longest of them. Null where one keeps all. */
  readonly retentionMs: number | null
  /** How long time is left alone of which a source proved nothing, and at the longest. */
  readonly absence: { readonly baseMs: number; readonly maxMs: number }
  /** When its market is closed. */
  readonly calendar: Calendar.Calendar
}

/** The series of the configuration. */
export class SeriesCatalog extends Context.Service<
  SeriesCatalog,
  {
    /** Every series that is kept. */
    readonly all: ReadonlyArray<CatalogEntry>
    /** The entry of a series; the interval may be spelt in any way. */
    readonly find: (nodeId: string, interval: string) => Effect.Effect<CatalogEntry, UnknownSeries>
  }
>()("seamless/sources/SeriesCatalog") {}

/** What names of sources begin with that are other series: no source may be called so. */
export const derivedPrefix = "derived:"

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

/** What is configured of the interval, however it is spelt, and else of the source. */
const settleMsOf = (names: ReadonlyArray<string>, sources: Configuration["sources"], interval: string) =>
  Object.fromEntries(
    names.flatMap((name) => {
      const { settleMs = 0, settleMsByInterval = {} } = sources[name] ?? {}
      const own = Object.entries(settleMsByInterval).find(([text]) =>
        Option.exists(Interval.parse(text), (parsed) => parsed.text === interval)
      )
      const ofInterval = own?.[1] ?? settleMs
      return ofInterval > 0 ? [[name, ofInterval]] : []
    })
  )

type Own = "series" | "interval" | "grid"

/** What is said of series that sources are asked for. */
type Fetched = Required<Pick<SeriesSettings, "sources" | "symbol">>

const isFetched = (settings: SeriesSettings): settings is SeriesSettings & Fetched =>
  settings.derivedFrom === undefined && settings.sources !== undefined && settings.symbol !== undefined

/** What is configured, and of which interval it is asked. */
interface Told {
  readonly configuration: Configuration
  readonly calendars: ReadonlyMap<string, Calendar.Calendar>
  readonly interval: Interval.Interval
}

/** What holds for an interval that sources are asked for. */
const fetched = (
  { calendar = alwaysOpen, delistedAt, listedAt, schema, sources: names, symbol }: SeriesSettings & Fetched,
  { configuration: { absence, schemas, sources }, calendars, interval }: Told
): Omit<CatalogEntry, Own> => ({
  ...schemaOf(schema, schemas),
  sources: names,
  symbol,
  derivedFrom: null,
  finalityDelayMs: Math.max(...names.map((name) => sources[name]?.finalityDelayMs ?? defaults.finalityDelayMs)),
  settleMs: settleMsOf(names, sources, interval.text),
  listedAt: listedAt ?? null,
  delistedAt: delistedAt ?? null,
  retentionMs: retentionOf(names, sources),
  absence: {
    baseMs: absence?.baseMs ?? defaults.absenceBaseMs,
    maxMs: absence?.maxMs ?? defaults.absenceMaxMs
  },
  // a name that is none has been refused with the file
  calendar: calendars.get(calendar) ?? Calendar.alwaysOpen
})

/** The source by which rows are signed that are rolled up from bars of the interval. */
export const derivedSource = (finer: string): string => `${derivedPrefix}${finer}`

/** What is rolled up is as its finer bars are; but what is stored of those can be rolled up however old it is. */
const derived = ({ series, ...finer }: CatalogEntry): Omit<CatalogEntry, Own> => ({
  ...finer,
  sources: [derivedSource(series.interval)],
  derivedFrom: series.interval,
  settleMs: {},
  retentionMs: null
})

const keyOf = (nodeId: string, interval: string): string => `${interval} ${nodeId}`

/** A series of the configuration, under what it is configured by. */
interface Kept {
  readonly settings: SeriesSettings
  readonly interval: Interval.Interval
}

const keptIn = ({ series }: Configuration): ReadonlyMap<string, Kept> =>
  new Map(
    series.flatMap((settings) =>
      settings.intervals.flatMap((text) =>
        Option.toArray(Interval.parse(text)).map((interval): [string, Kept] => [
          keyOf(settings.node, interval.text),
          { settings, interval }
        ])
      )
    )
  )

const entriesOf = (configuration: Configuration): ReadonlyArray<CatalogEntry> => {
  const all = keptIn(configuration)
  const calendars = calendarsOf(configuration)
  const entryOf = ({ interval, settings }: Kept): CatalogEntry | undefined => {
    const own = {
      series: { nodeId: settings.node, interval: interval.text },
      interval,
      grid: Window.makeGrid(interval, settings.windowBars)
    }
    if (isFetched(settings)) return { ...fetched(settings, { configuration, calendars, interval }), ...own }
    const below = Option.flatMap(Interval.parse(settings.derivedFrom ?? ""), ({ text }) =>
      Option.fromUndefinedOr(all.get(keyOf(settings.node, text)))
    )
    // a configuration that was read has none like that: each step is to a shorter interval, and comes to an end
    if (Option.isNone(below) || !Interval.isDividedBy(interval, below.value.interval)) return undefined
    const finer = entryOf(below.value)
    return finer && { ...derived(finer), ...own }
  }
  return Array.from(all.values()).flatMap((kept) => entryOf(kept) ?? [])
}

/** The catalog of a configuration. */
export const make = (configuration: Configuration): SeriesCatalog["Service"] => {
  const entries = entriesOf(configuration)
  const byKey = new Map(entries.map((entry) => [keyOf(entry.series.nodeId, entry.series.interval), entry]))
  const unknown = (nodeId: string, interval: string) => {
    const intervals = entries.filter(({ series }) => series.nodeId === nodeId).map(({ series }) => series.interval)
    const nodes = new Set(entries.map(({ series }) => series.nodeId))
    return new UnknownSeries({ nodeId, interval, known: intervals.length > 0 ? intervals : Array.from(nodes) })
  }
  return {
    all: entries,
    find: (nodeId, interval) => {
      const canonical = Option.match(Interval.parse(interval), { onNone: () => interval, onSome: ({ text }) => text })
      const entry = byKey.get(keyOf(nodeId, canonical))
      return entry === undefined ? Effect.fail(unknown(nodeId, interval)) : Effect.succeed(entry)
    }
  }
}

/** The catalog of a configuration, as a layer. */
export const layer = (configuration: Configuration): Layer.Layer<SeriesCatalog> =>
  Layer.succeed(SeriesCatalog, make(configuration))
