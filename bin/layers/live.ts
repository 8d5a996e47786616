/** What does a host stand on when it is a process of its own? */
import { Layer, Logger } from "effect"
import { accountsOf, requestsPerMinute } from "../../actors/budget/AccountTerms.ts"
import * as configuredSources from "../../actors/sources/configuredSources.ts"
import * as Sweeping from "../../actors/sweeper/Sweeping.ts"
import { defaults } from "../../protocol/Settings.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import * as Otlp from "../../runtime/telemetry/Otlp.ts"
import * as services from "./services.ts"

/** A host, and where it finds its servers. */
export interface HostOptions extends services.ServiceOptions {
  readonly servers: string
  /** Where relative paths of the configuration count from. */
  readonly folder: string
}

const telemetry = ({ configuration, hostId }: HostOptions) => {
  const otlpUrl = configuration.telemetry?.otlpUrl
  return otlpUrl === undefined ? Layer.empty : Otlp.layer({ serviceName: "seamless", hostId, otlpUrl })
}

const nats = ({ configuration, hostId, servers }: HostOptions) => {
  const { replicas = defaults.replicas } = configuration.nats ?? {}
  return NatsMesh.layer({ servers, name: `seamless ${hostId}`, replicas })
}

const sources = ({ configuration, folder }: HostOptions) => {
  const accounts = accountsOf(configuration)
  return configuredSources.layer(configuration, (source) => requestsPerMinute(accounts, source), folder)
}

// standard output is for what was asked for: the ready line, and nothing else
const logs = Logger.layer([Logger.withConsoleError(Logger.formatJson)])

/** A whole host: it serves from when the layer is built until it is released. */
export const layer = (options: HostOptions) =>
  Sweeping.started.pipe(
    Layer.provideMerge(services.layer(options)),
    Layer.provideMerge(Layer.mergeAll(nats(options), sources(options))),
    Layer.provideMerge(telemetry(options)),
    Layer.provideMerge(logs)
  )
