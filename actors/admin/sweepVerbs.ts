/** How are operators answered who ask about the sweeper? */
import { Effect } from "effect"
import { Sweeper } from "../../protocol/messages/Sweep.ts"
import { sweepAdmin } from "../../protocol/messages/SweepAdmin.ts"
import type { responder } from "../../runtime/AdminEndpoint.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"

type Asked = typeof sweepAdmin.sweep.request.Type

const seriesOf = Effect.fnUntraced(function* ({ interval, nodeId }: Asked) {
  if (nodeId === undefined || interval === undefined) return null
  return (yield* (yield* SeriesCatalog).find(nodeId, interval)).series
})

const order = Effect.fnUntraced(function* (asked: Asked, by: string) {
  const series = yield* seriesOf(asked)
  return yield* (yield* Sweeper).order({ by, isDry: asked.dryRun ?? false, series })
})

/** The verbs about the sweeper, each with what answers it. */
export const sweepVerbs = Effect.fnUntraced(function* (respond: ReturnType<typeof responder>) {
  const provide = Effect.provide(yield* Effect.context<Sweeper | SeriesCatalog>())
  const { show } = yield* Sweeper
  return {
    sweep: respond("sweep", sweepAdmin.sweep, (asked, who) => provide(order(asked, who)), { isChanging: true }),
    sweeping: respond("sweeping", sweepAdmin.sweeping, () => show)
  } satisfies Readonly<Record<keyof typeof sweepAdmin, Respond>>
})
