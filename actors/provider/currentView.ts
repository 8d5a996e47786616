/**
 * What is covered now?
 *
 * As this host has heard it, which is a moment behind what stands. Who asks strictly is told no less than what stood
 * when it asked: the owner of the series confirms its version by a write, which nobody can who does not own it, and
 * what is read then is of that version at least. Where the owner can't be reached there is no answer.
 */
import { Clock, Effect } from "effect"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import type { Series } from "../../protocol/history/Series.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { PastRoots } from "../sources/PastRoots.ts"
import type { Budget } from "./Budget.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The coverage as it stands at some moment since this was asked, or later. */
export const confirmedView = Effect.fnUntraced(function* (series: Series, least = 0) {
  const coverage = yield* Coverage
  const { version } = yield* coverage.confirm(series)
  return yield* coverage.of(series, { minVersion: Math.max(least, version) })
})

/** What is covered by now, at least of a version that was heard of meanwhile, within the budget of storage. */
export const laterView = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget, since: number) {
  const coverage = yield* Coverage
  const demand = { minVersion: Math.max(since, request.minVersion) }
  return yield* budget.phase("storage")(coverage.of(request.entry.series, demand))
})

/** What a request is answered upon, at least of a version, within the budget of storage; none where that is over. */
export const currentView = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget) {
  const { consistency, entry, minVersion, sla } = request
  if (consistency === "eventual") return yield* laterView(request, budget, minVersion)
  const remainingMs = Math.min(sla.maxWaitStorageMs ?? Infinity, yield* budget.remainingMs)
  const confirmed = confirmedView(entry.series, minVersion).pipe(withBudget(remainingMs))
  return yield* budget.phase("storage", sla.maxWaitStorageMs)(confirmed)
})

/** What stood at a point of the past, and else what stands by somebody's word; and the time by which it is judged. */
export const viewAt = Effect.fnUntraced(function* <E, R>(
  entry: ValidRequest["entry"],
  asOf: AsOf | undefined,
  standing: Effect.Effect<CoverageView, E, R>
) {
  if (asOf !== undefined) return yield* (yield* PastRoots).at(entry, asOf)
  return { ...(yield* standing), atMs: yield* Clock.currentTimeMillis }
})
