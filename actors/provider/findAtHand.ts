/**
 * What is found for an answer that waits for nothing?
 *
 * Most reads are of bars that are all there, under a root that is known, in chunks that are in memory. Such a read asks
 * nobody, so it needs no fiber, no timer and no phase with a budget, and is decided in one go. Where anything is not as
 * it has to be for that, nothing has been done, and the read goes its way through the phases.
 */
import { Clock, Effect } from "effect"
import { durationMs } from "../../protocol/history/RangeMeasure.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import type { Budget } from "./Budget.ts"
import { untouched } from "./fillGap.ts"
import type { Findings } from "./findHistory.ts"
import { type Loaded, rowsAtHand } from "./loadRows.ts"
import { planRead } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The findings of a read that is complete in memory; undefined for any other. */
export const findAtHand = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget) {
  const { asOf, consistency, entry, minVersion, sla } = request
  if (asOf !== undefined || consistency === "strict") return undefined
  const view = (yield* Coverage).known(entry.series, minVersion)
  if (view === undefined) return undefined
  const budgetMs = Math.min(sla.maxWaitStorageMs ?? Infinity, yield* budget.remainingMs)
  if (budgetMs <= 0) return undefined
  const nowMs = yield* Clock.currentTimeMillis
  const plan = planRead(request, view, nowMs)
  if (plan.because !== "complete") return undefined
  const loaded = rowsAtHand(request, view, yield* ChunkStore)
  if (loaded === undefined) return undefined
  budget.waitless("storage", budgetMs)
  const found: Findings<Loaded> = {
    view,
    plan,
    filled: untouched,
    nowMs,
    loaded,
    storageTimedOut: false,
    isUnread: false,
    loadedMs: durationMs(loaded.covered)
  }
  return found
})
