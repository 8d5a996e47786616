/**
 * Upon what coverage is a request answered?
 *
 * Upon what stands. Where that can't be read, because NATS has no quorum or is out of reach, upon what this host read
 * last: an answer that is told to be old is better than none. Who demands a version, or the newest, gets no other.
 */
import { Clock, Effect, Option } from "effect"
import { bars } from "../../protocol/history/RangeMeasure.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { Budget } from "./Budget.ts"
import { currentView } from "./currentView.ts"
import { type Filled, untouched } from "./fillGap.ts"
import { planRead, type ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** A read of what stands takes milliseconds, and the loss of a leader seconds: who has something to tell waits less. */
export const standingMsMax = 1000
/** Storage that is well answers within that: who wants no wait for rows isn't told for it that coverage is old. */
const standingMsMin = 100
/** The share of the time that the wait for it may take. */
const standingShare = 0.5

/** Whether what was known last is an answer to the request. */
export const mayBeOld = ({ minVersion }: ValidRequest): boolean => minVersion === 0

/** What is covered, within the budget; none where the time is over and nothing is known here. */
const firstView = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget) {
  const { consistency, entry, minVersion, sla } = request
  if (consistency === "strict") return yield* currentView(request, budget)
  const coverage = yield* Coverage
  const remainingMs = yield* budget.remainingMs
  const patienceMs = Math.max(sla.maxWaitStorageMs ?? standingMsMax, standingMsMin)
  const orLastAfterMs = Math.min(patienceMs, standingMsMax, remainingMs * standingShare)
  const demand = { minVersion, ...(mayBeOld(request) && { orLastAfterMs }) }
  return yield* budget.phase("storage")(coverage.of(entry.series, demand))
})

/** What stands after all, for who would wait for a gap: none where the time for that is over first. */
const standingView = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget) {
  const coverage = yield* Coverage
  const maxWaitMs = Math.min(request.sla.maxWaitBackfillMs ?? Infinity, (yield* budget.remainingMs) * standingShare)
  const standing = budget.phase("backfill", maxWaitMs)(coverage.of(request.entry.series, {}))
  return yield* Effect.catchTag(standing, "MeshUnavailable", () => Effect.succeed(Option.none<CoverageView>()))
})

const unreached = new MeshUnavailable({ operation: "read the coverage that stands", reason: "NATS gave no answer" })

/** What is said of coverage that was read so long ago, where what stands could not be. */
export const oldNote = (staleMs: number): string =>
  `the coverage that stands could not be read: this is what stood ${staleMs} ms ago`

/** What is told where the coverage is old: who can't read what stands can't ask for what is missing of it either. */
export const notReached = ({ gap, gapMode }: ReadPlan, { entry }: ValidRequest, { staleMs = 0 }: CoverageView) => {
  const old = oldNote(staleMs)
  const missing = gapMode === "none" ? 0 : bars(gap, entry.interval.lengthMs)
  const notes = missing === 0 ? [old] : [old, `${missing} missing bars could not be asked for`]
  const filled: Filled = { ...untouched, notes, ...(missing > 0 && { notAsked: unreached }) }
  return Effect.succeed(filled)
}

/** What an answer begins with. */
export interface Begun {
  readonly view: CoverageView
  readonly plan: ReadPlan
  /** The time of the plan, in epoch milliseconds. */
  readonly nowMs: number
}

const planned = (request: ValidRequest, view: CoverageView) =>
  Effect.map(Clock.currentTimeMillis, (nowMs): Begun => ({ view, plan: planRead(request, view, nowMs), nowMs }))

/** What is covered, and what is planned upon it; none where the time is over and nothing is known here. */
export const begin = Effect.fnUntraced(function* (request: ValidRequest, budget: Budget) {
  const first = yield* firstView(request, budget)
  if (Option.isNone(first)) return Option.none<Begun>()
  const begun = yield* planned(request, first.value)
  if (first.value.staleMs === undefined || begun.plan.gapMode !== "wait") return Option.some(begun)
  // what would be waited for may be on its way, or there already: who has the time finds out
  const standing = yield* standingView(request, budget)
  return Option.some(Option.isNone(standing) ? begun : yield* planned(request, standing.value))
})
