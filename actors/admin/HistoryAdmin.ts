/**
 * Who answers operators that ask about history?
 *
 * Any host. Each verb is a file; here they are given what they ask of others, and put on the operators' subjects.
 */
import { Effect, Layer } from "effect"
import { historyAdmin } from "../../protocol/messages/Admin.ts"
import { Upstream } from "../../protocol/messages/Upstream.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as AdminEndpoint from "../../runtime/AdminEndpoint.ts"
import type { HostStatus } from "../../runtime/HostStatus.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import { listUpstreams } from "./listUpstreams.ts"

const make = Effect.gen(function* () {
  const respond = AdminEndpoint.responder(yield* Mesh)
  const upstream = yield* Upstream
  const verbs: Readonly<Record<keyof typeof historyAdmin, Respond>> = {
    upstreams: respond("upstreams", historyAdmin.upstreams, () => listUpstreams(upstream))
  }
  yield* AdminEndpoint.serve(verbs)
})

/** Answers operators as long as the layer lives. */
export const layer: Layer.Layer<never, MeshUnavailable, Mesh | HostStatus | Upstream> = Layer.effectDiscard(make)
