/**
 * How does a host answer those who look for services on NATS?
 *
 * Each of its instances answers, so nothing of it is in a queue group; and a host that drains answers, as it tells how
 * it is.
 */
import { Clock, Effect, Layer } from "effect"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import { microAnswer, type MicroInstance, microSubjects, microVerbs } from "../protocol/wire/Micro.ts"
import { service, serviceGroup } from "../protocol/wire/Subject.ts"
import type { HostStatus } from "./HostStatus.ts"
import { LiveHosts } from "./LiveHosts.ts"
import type { Mesh } from "./Mesh.ts"
import { jsonReply, type Respond, serve } from "./ServiceEndpoint.ts"
import { ServiceFigures } from "./ServiceFigures.ts"

const make = Effect.fnUntraced(function* (hostId: string) {
  const figures = yield* ServiceFigures
  const { incarnation: id } = yield* LiveHosts
  const started = new Date(yield* Clock.currentTimeMillis).toISOString()
  const instance: MicroInstance = { id, hostId, started }
  const endpoints = () =>
    Object.entries(service).map(([name, subject]) => ({
      name,
      subject,
      queueGroup: serviceGroup,
      figures: figures.of(subject)
    }))
  const answers = microVerbs.flatMap((verb) => {
    const respond: Respond = () => Effect.sync(() => jsonReply(microAnswer(verb, instance, endpoints())))
    return microSubjects(verb, id).map((subject) => [subject, respond] as const)
  })
  yield* serve(new Map(answers), { isShared: false, isServedDraining: true })
})

/** Answers who looks for services as long as the layer lives, as the host of that label. */
export const layer = (options: {
  readonly hostId: string
}): Layer.Layer<never, MeshUnavailable, Mesh | HostStatus | LiveHosts> => Layer.effectDiscard(make(options.hostId))
