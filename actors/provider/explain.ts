/**
 * What would a read do now?
 *
 * The plan is the one that a read makes, from what this host knows; what is stored is looked up by name, and no chunk
 * is loaded. No source is asked, no job is opened, and nothing is waited for but these records.
 */
import { Effect } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { Backfill } from "../../protocol/messages/Backfill.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import { costOfFilling } from "../sources/costOfFilling.ts"
import { planWindows } from "../sources/storedWindows.ts"
import { Switches } from "../../runtime/Switches.ts"
import { gapOff } from "./actOnGap.ts"
import { viewAt } from "./currentView.ts"
import { explanationOf, windowsMax } from "./explanationOf.ts"
import { mayBeOld, standingMsMax } from "./firstView.ts"
import { planRead } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** Says what a read would do, and does nothing of it. */
export const explain = Effect.fn(Span.historyExplain)(function* (request: ValidRequest) {
  const { entry, sources } = request
  const demand = { minVersion: request.minVersion, ...(mayBeOld(request) && { orLastAfterMs: standingMsMax }) }
  const standing = (yield* Coverage).of(entry.series, demand)
  // the root that the read would begin with, as far as it is known without a change
  const { atMs, ...view } = yield* viewAt(entry, request.asOf, standing)
  const plan = planRead(request, view, atMs)
  const { inMemory } = yield* ChunkStore
  const { newest } = yield* Backfill
  const shown = plan.gapWindows.slice(0, windowsMax).map(({ windowStart }) => windowStart)
  const wanted = { entry, sources, wanted: plan.gap, windowBars: view.root.windowBars }
  const [stored, jobs, cost] = yield* Effect.all(
    [planWindows(request, view, plan.covered), newest(entry.series, shown), costOfFilling(wanted, atMs)],
    { concurrency: 3 }
  )
  const off = gapOff(plan, (yield* Switches)())
  return explanationOf({
    request,
    view,
    plan,
    stored,
    bytesInMemory: inMemory.chunkBytes,
    jobs,
    cost,
    off,
    nowMs: atMs
  })
})
