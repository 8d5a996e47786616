/**
 * Who answers operators who ask about history?
 *
 * Any host, like those who ask about hosts, and also one that drains. Each group of verbs is a file of its own.
 */
import { Effect, Layer } from "effect"
import type { historyAdmin } from "../../protocol/messages/Admin.ts"
import * as AdminEndpoint from "../../runtime/AdminEndpoint.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import { backfillVerbs } from "./backfillVerbs.ts"

/** Answers operators about history as long as the layer lives. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const respond = AdminEndpoint.responder(yield* Mesh)
    const verbs: Readonly<Record<keyof typeof historyAdmin, Respond>> = { ...(yield* backfillVerbs(respond)) }
    yield* AdminEndpoint.serve(verbs)
  })
)
