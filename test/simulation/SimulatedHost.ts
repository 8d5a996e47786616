/**
 * What is a host in a simulated world?
 *
 * All of its production code above the port to NATS and above its sources, in a process of its own. One that ends by
 * itself is started again, as whoever runs it would do, with a new process and a new incarnation.
 */
import { Deferred, Effect, Exit, Layer } from "effect"
import * as Sweeping from "../../actors/sweeper/Sweeping.ts"
import { DataSources } from "../../actors/sources/DataSource.ts"
import * as services from "../../bin/layers/services.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as SimulatedMesh from "../../runtime/simulated/SimulatedMesh.ts"
import type { SimulatedServer } from "../../runtime/simulated/SimulatedServer.ts"
import { Register } from "./Register.ts"
import { SimulatedLink } from "./SimulatedLink.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import * as SimulatedSource from "./SimulatedSource.ts"
import type { History } from "./History.ts"

/** What all hosts of a run have in common. */
export interface Surroundings {
  readonly server: SimulatedServer
  readonly history: History
  readonly configuration: Configuration
  readonly upstreams: ReadonlyMap<string, SimulatedSource.Upstream>
  readonly spawn: (name: string) => SimulatedProcess
  /** Every connection that there was. */
  readonly links: Array<SimulatedLink>
}

/** A host that was started. */
export interface SimulatedHost {
  readonly name: string
  readonly process: SimulatedProcess
  readonly link: SimulatedLink
  /** Whether its layers are built, and nobody has asked it to stop. */
  readonly isServing: () => boolean
  /** Asks it to stop as SIGTERM does. */
  readonly stop: () => void
}

/** How a host ended. */
export interface Ended {
  readonly isAsked: boolean
  readonly exit: Exit.Exit<unknown, unknown>
}

/** A mesh of a process of its own, with its link. */
export const connect = (process: SimulatedProcess, { links, server }: Pick<Surroundings, "links" | "server">) => {
  const link = new SimulatedLink(process)
  links.push(link)
  link.onLost = () => server.disconnect(process.name)
  return { link, mesh: SimulatedMesh.make(server, link, process.name) }
}

/** Starts a host; `onEnded` is told unless it was killed. */
export const start = (name: string, surroundings: Surroundings, onEnded: (ended: Ended) => void): SimulatedHost => {
  const { configuration, history, spawn, upstreams } = surroundings
  const process = spawn(name)
  const { link, mesh } = connect(process, surroundings)
  const sources = new Map(
    Array.from(upstreams, ([source, upstream]) => [
      source,
      SimulatedSource.make({ name: source, host: process, upstream, history })
    ])
  )
  // in a run of a minute it is asked for soon, where it is to sweep at all
  const layer = (configuration.retention === undefined ? Layer.empty : Sweeping.started).pipe(
    Layer.provideMerge(
      services.layer({
        configuration,
        configurationHash: "sim",
        hostId: name,
        types: [Register],
        labels: [Register.label]
      })
    ),
    Layer.provide(Layer.mergeAll(Layer.succeed(Mesh, mesh), Layer.succeed(DataSources, sources)))
  )
  const stopping = Deferred.makeUnsafe<void>()
  let isServing = false
  let isAsked = false
  const life = Effect.gen(function* () {
    yield* Layer.build(layer)
    isServing = true
    yield* Deferred.await(stopping)
  })
  history.note(name, "starts", () => "")
  process.run(Effect.scoped(life), (exit) => {
    isServing = false
    history.note(name, "ends", () => (Exit.isFailure(exit) ? String(exit.cause) : "as asked"))
    onEnded({ isAsked, exit })
  })
  return {
    name,
    process,
    link,
    isServing: () => isServing && !isAsked,
    stop: () => {
      isAsked = true
      process.enter(() => Deferred.doneUnsafe(stopping, Effect.void))
    }
  }
}
