/**
 * What can an operator ask about history, and who answers?
 *
 * Any host, also one that drains. Each verb is in a file of its own; here they get their names.
 */
import { Effect, Layer } from "effect"
import { historyAdmin } from "../../protocol/messages/Admin.ts"
import type { Backfills } from "../../protocol/messages/Backfills.ts"
import type { Coverage } from "../../protocol/messages/Coverage.ts"
import type { Verifier } from "../../protocol/messages/Verify.ts"
import type { Sweeper } from "../../protocol/messages/Sweep.ts"
import { Upstream } from "../../protocol/messages/Upstream.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { ActorSystem } from "../../runtime/ActorSystem.ts"
import * as AdminEndpoint from "../../runtime/AdminEndpoint.ts"
import type { HostStatus } from "../../runtime/HostStatus.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import type { SwitchBoard } from "../../runtime/Switches.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import type { DataSources } from "../sources/DataSource.ts"
import type { PastRoots } from "../sources/PastRoots.ts"
import type { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { auditSeries } from "./auditSeries.ts"
import { backfillVerbs } from "./backfillVerbs.ts"
import { jobVerbs } from "./jobVerbs.ts"
import { listUpstreams } from "./listUpstreams.ts"
import { sweepVerbs } from "./sweepVerbs.ts"
import { switchVerbs } from "./switchVerbs.ts"

/** How long it may take to go through a history of many thousands of changes. */
const auditWithinMs = 15_000

/** What the verbs rest on. */
type Services =
  | Mesh
  | SeriesCatalog
  | ChunkStore
  | PastRoots
  | DataSources
  | Upstream
  | Coverage
  | Backfills
  | Sweeper
  | ActorSystem
  | Verifier
  | SwitchBoard

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const upstream = yield* Upstream
  const provide = Effect.provide(yield* Effect.context<Services>())
  const respond = AdminEndpoint.responder(mesh)
  const verbs: Readonly<Record<keyof typeof historyAdmin, Respond>> = {
    ...(yield* jobVerbs(respond)),
    ...(yield* backfillVerbs(respond)),
    ...(yield* sweepVerbs(respond)),
    ...(yield* switchVerbs(respond)),
    audit: respond("audit", historyAdmin.audit, (request) => provide(auditSeries(request)), {
      withinMs: auditWithinMs
    }),
    upstreams: respond("upstreams", historyAdmin.upstreams, () => listUpstreams(upstream))
  }
  yield* AdminEndpoint.serve(verbs)
})

/** Answers operators about history, as long as the layer lives. */
export const layer: Layer.Layer<never, MeshUnavailable, Services | HostStatus> = Layer.effectDiscard(make)
