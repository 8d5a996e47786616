/** Which sources does a configuration name, and what gives each of them? */
import { Effect, Layer } from "effect"
import type { Configuration, ExchangeSettings } from "../../protocol/Settings.ts"
import { DataSources, type DataSource } from "./DataSource.ts"
import * as Exchange from "./Exchange.ts"

const makeByKind: {
  readonly [Kind in ExchangeSettings["kind"]]: (name: string, settings: ExchangeSettings) => Effect.Effect<DataSource>
} = { exchange: Exchange.make }

/**
 * The configured sources by name. None is reached before it is asked, but what it takes to ask is loaded by then:
 * loading it keeps everything else waiting for half a second, and the first reader may not have that long. How much
 * their accounts allow is known elsewhere.
 */
export const layer = (
  sources: Configuration["sources"],
  perMinuteOf: (source: string) => number | undefined = () => undefined
): Layer.Layer<DataSources> => {
  const limited = (source: DataSource): DataSource => {
    const requestsPerMinute = perMinuteOf(source.name)
    if (requestsPerMinute === undefined) return source
    return { ...source, capabilities: { ...source.capabilities, requestsPerMinute } }
  }
  return Layer.effect(
    DataSources,
    Effect.forEach(Object.entries(sources), ([name, settings]) => makeByKind[settings.kind](name, settings)).pipe(
      Effect.tap(() => Exchange.loadLibrary),
      Effect.map((made) => new Map(made.map((source) => [source.name, limited(source)])))
    )
  )
}
