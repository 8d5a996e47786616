/**
 * What is found for a read of which nothing is missing?
 *
 * Most reads are of bars that are all there, under a root that is known: nobody has to be asked about them. Where their
 * chunks are in memory there is nothing to wait for either, and the answer needs no fiber, no timer and no phase with a
 * budget. Where anything is not as it has to be for that, nothing has been done, and the read goes its whole way.
 */
import { Clock, Effect } from "effect"
import { durationMs } from "../../protocol/history/RangeMeasure.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import type { Budget } from "./Budget.ts"
import { untouched } from "./fillGap.ts"
import type { Findings, Load } from "./findHistory.ts"
import { type Loaded, rowsAtHand } from "./loadRows.ts"
import { planRead } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The findings of a read of which nothing is missing, as far as is known here; undefined for any other. */
export const findCovered = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget, load: Load<Loaded>) {
  const { asOf, consistency, entry, minVersion, sla } = request
  if (asOf !== undefined || consistency === "strict") return undefined
  const view = (yield* Coverage).known(entry.series, minVersion)
  const leftMs = yield* budget.remainingMs
  // a wait of none for storage keeps nobody from what is in memory: a deadline that is over does
  if (view === undefined || leftMs <= 0) return undefined
  const nowMs = yield* Clock.currentTimeMillis
  const plan = planRead(request, view, nowMs)
  if (plan.because !== "complete") return undefined
  const loaded = rowsAtHand(request, view, yield* ChunkStore)
  if (loaded !== undefined) {
    const budgetMs = Math.min(sla.maxWaitStorageMs ?? Infinity, leftMs)
    budget.noted("storage", { budgetMs, waitedMs: 0, timedOut: false })
  }
  const stored =
    loaded === undefined
      ? yield* load(request, view, budget)
      : { loaded, storageTimedOut: false, isUnread: false, loadedMs: durationMs(loaded.covered) }
  const findings: Findings<Loaded> = { view, plan, filled: untouched, nowMs, ...stored }
  return findings
})
