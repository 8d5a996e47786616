/** How are operators answered who ask about plans and backfills? */
import { Effect } from "effect"
import type { BackfillSpec } from "../../protocol/history/NamedBackfill.ts"
import { backfillAdmin } from "../../protocol/messages/BackfillAdmin.ts"
import { Backfills, type ChangeBackfill } from "../../protocol/messages/Backfills.ts"
import type { Coverage } from "../../protocol/messages/Coverage.ts"
import type { responder } from "../../runtime/AdminEndpoint.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import type { DataSources } from "../sources/DataSource.ts"
import type { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { planRange, validRange } from "./planRange.ts"

type Created = typeof backfillAdmin.createBackfill.request.Type

const create = Effect.fnUntraced(function* (asked: Created, by: string) {
  const { jobClass = "bulk", name, order = "oldest_first" } = asked
  const { entry, range } = yield* validRange(asked)
  const spec: BackfillSpec = { ...entry.series, start: range[0], end: range[1], order, jobClass }
  return yield* (yield* Backfills).create(name, { spec, by })
})

const changeTo = (to: ChangeBackfill["to"]) => (named: { readonly name: string }, by: string) =>
  Effect.flatMap(Backfills, (backfills) => backfills.change(named.name, { to, by }))

/** The verbs about plans and backfills, each with what answers it. */
export const backfillVerbs = Effect.fnUntraced(function* (respond: ReturnType<typeof responder>) {
  const provide = Effect.provide(yield* Effect.context<Backfills | Coverage | DataSources | SeriesCatalog>())
  const backfills = yield* Backfills
  const changing = { isChanging: true }
  return {
    plan: respond("plan", backfillAdmin.plan, (asked) => provide(planRange(asked))),
    createBackfill: respond(
      "createBackfill",
      backfillAdmin.createBackfill,
      (asked, who) => provide(create(asked, who)),
      changing
    ),
    backfills: respond("backfills", backfillAdmin.backfills, () => backfills.list),
    backfill: respond("backfill", backfillAdmin.backfill, ({ name }) => backfills.show(name)),
    pauseBackfill: respond(
      "pauseBackfill",
      backfillAdmin.pauseBackfill,
      (named, who) => provide(changeTo("paused")(named, who)),
      changing
    ),
    resumeBackfill: respond(
      "resumeBackfill",
      backfillAdmin.resumeBackfill,
      (named, who) => provide(changeTo("running")(named, who)),
      changing
    ),
    cancelBackfill: respond(
      "cancelBackfill",
      backfillAdmin.cancelBackfill,
      (named, who) => provide(changeTo("cancelled")(named, who)),
      changing
    )
  } satisfies Readonly<Record<keyof typeof backfillAdmin, Respond>>
})
