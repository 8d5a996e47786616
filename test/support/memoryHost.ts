/**
 * How does a test get a whole host without any server or process?
 *
 * The product's own layers over the port in memory, with sources in memory. Hosts that share a mesh are a cluster, and
 * what one of them leaves behind the next one finds.
 */
import { Effect, Layer, Logger } from "effect"
import { type DataSource, DataSources } from "../../actors/sources/DataSource.ts"
import * as services from "../../bin/layers/services.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { Mesh } from "../../runtime/Mesh.ts"

/** What a host is made of. */
export interface MemoryHostSettings {
  readonly configuration: Configuration
  readonly sources: ReadonlyArray<DataSource>
}

/** A host that serves until the scope ends. */
export const start = ({ configuration, sources }: MemoryHostSettings, hostId = "memory") =>
  Layer.build(
    services
      .layer({ configuration, configurationHash: "memory", hostId, types: [], labels: [] })
      .pipe(
        Layer.provideMerge(Layer.succeed(DataSources, new Map(sources.map((source) => [source.name, source])))),
        Layer.provide(Logger.layer([]))
      )
  )

/** Asks as the operator alice; gives the answer, or what stands under `error`. */
export const askAdmin = <A>(verb: string, body: object): Effect.Effect<A, unknown, Mesh> =>
  Effect.gen(function* () {
    const mesh = yield* Mesh
    const reply = yield* mesh.request(ActorSubject.admin("alice", verb), Codec.toJson(body), { timeoutMs: 12_000 })
    const answer: A & { readonly error?: unknown } = JSON.parse(new TextDecoder().decode(reply.data))
    return answer.error === undefined ? answer : yield* Effect.fail(answer.error)
  })
