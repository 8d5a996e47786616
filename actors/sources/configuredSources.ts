/** Which sources does a configuration name, and what gives each of them? */
import { Effect, Layer } from "effect"
import type { Configuration, ExchangeSettings } from "../../protocol/Settings.ts"
import { DataSources, type DataSource } from "./DataSource.ts"
import * as Exchange from "./Exchange.ts"

const makeByKind: {
  readonly [Kind in ExchangeSettings["kind"]]: (name: string, settings: ExchangeSettings) => Effect.Effect<DataSource>
} = { exchange: Exchange.make }

/** The configured sources by name. None is reached before it is asked. */
export const layer = (sources: Configuration["sources"]): Layer.Layer<DataSources> =>
  Layer.effect(
    DataSources,
    Effect.map(
      Effect.forEach(Object.entries(sources), ([name, settings]) => makeByKind[settings.kind](name, settings)),
      (made) => new Map(made.map((source) => [source.name, source]))
    )
  )
