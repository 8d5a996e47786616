/** Which sources does a configuration name, and what gives each of them? */
import { Effect, Layer } from "effect"
import type { Configuration } from "../../protocol/Settings.ts"
import { DataSources, type DataSource } from "./DataSource.ts"
import * as Exchange from "./Exchange.ts"
import * as Lake from "./Lake.ts"

type SourceSettings = Configuration["sources"][string]

/** Sources, and the series that are asked of them. */
interface Sources {
  readonly sources: Configuration["sources"]
  readonly series?: ReadonlyArray<Configuration["series"][number]>
}

/** The symbols of which some series asks a source. */
const symbolsOf = (series: ReadonlyArray<Configuration["series"][number]>, source: string): ReadonlyArray<string> =>
  series.flatMap(({ sources, symbol }) => {
    const asked: ReadonlyArray<string> = sources ?? []
    return symbol !== undefined && asked.includes(source) ? [symbol] : []
  })

/**
 * The configured sources by name. None is reached before it is asked, but what it takes to ask is loaded by then:
 * loading it keeps everything else waiting for half a second, and the first reader may not have that long. How much
 * their accounts allow is known elsewhere. Files whose paths are relative lie in `folder`, or below.
 */
export const layer = (
  { series = [], sources }: Sources,
  perMinuteOf: (source: string) => number | undefined = () => undefined,
  folder: string = process.cwd()
): Layer.Layer<DataSources> => {
  const limited = (source: DataSource): DataSource => {
    const requestsPerMinute = perMinuteOf(source.name)
    if (requestsPerMinute === undefined) return source
    return { ...source, capabilities: { ...source.capabilities, requestsPerMinute } }
  }
  const makeSource = (name: string, settings: SourceSettings): Effect.Effect<DataSource> =>
    settings.kind === "lake"
      ? Lake.make(name, settings, folder, symbolsOf(series, name))
      : Exchange.make(name, settings)
  const hasExchange = Object.values(sources).some(({ kind }) => kind === "exchange")
  return Layer.effect(
    DataSources,
    Effect.forEach(Object.entries(sources), ([name, settings]) => makeSource(name, settings)).pipe(
      Effect.tap(() => Effect.when(Exchange.loadLibrary, Effect.succeed(hasExchange))),
      Effect.map((made) => new Map(made.map((source) => [source.name, limited(source)])))
    )
  )
}
