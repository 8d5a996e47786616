/**
 * What is covered of a range, what is done about its gap, and what of it can be read?
 *
 * Two waits: what is covered, then what is stored of it, with the filling of the gap beside it. Whatever hangs
 * underneath, both end within the deadline. How rows are loaded is the caller's: an answer that goes out in parts loads
 * none here.
 */
import { Clock, Effect, Option } from "effect"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import { isoTime } from "../../protocol/history/isoTime.ts"
import type { CoverageFailure, CoverageView } from "../../protocol/messages/Coverage.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { PastRoots } from "../sources/PastRoots.ts"
import { actOnGap } from "./actOnGap.ts"
import type * as Budget from "./Budget.ts"
import { laterView } from "./currentView.ts"
import { type Filled, untouched } from "./fillGap.ts"
import { begin, notReached } from "./firstView.ts"
import { planRead, type ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** What was loaded under a root, and whether the time did not suffice for it. */
interface Stored<Loaded> {
  readonly loaded: Loaded
  readonly storageTimedOut: boolean
  /** Whether any of it could not be read, in time or at all, and how long the rest is: where it was loaded. */
  readonly isUnread?: boolean
  readonly loadedMs?: number
}

/** Everything that was learnt for one answer. */
export interface Findings<Loaded> extends Stored<Loaded> {
  readonly view: CoverageView
  readonly plan: ReadPlan
  readonly filled: Filled
  /** The time of the plan, in epoch milliseconds. */
  readonly nowMs: number
}

/** Loads what the root covers of a request, within the budget. */
export type Load<Loaded> = (
  request: ValidRequest,
  view: CoverageView,
  budget: Budget.Budget
) => Effect.Effect<Stored<Loaded>, CoverageFailure, ChunkStore>

const noCoverage = ({ totalMs }: Budget.Budget) => new DeadlineExceeded({ waitingFor: "coverage", budgetMs: totalMs })

/** The findings with what the filling of the gap has brought, as far as it can be read in time. */
const newer = Effect.fnUntraced(function* <Loaded>(
  request: ValidRequest,
  budget: Budget.Budget,
  load: Load<Loaded>,
  found: Findings<Loaded>
) {
  const { filled, plan, view: before } = found
  const minVersion = Math.max(filled.version, ...filled.jobs.map(({ coverageVersion }) => coverageVersion))
  const view = Option.getOrElse(yield* laterView(request, budget, minVersion), () => before)
  if (view.root.version === before.root.version) return found
  const again = yield* load(request, view, budget)
  // rows that were there before are an answer, should those that came since hide them
  if (again.isUnread === true && (again.loadedMs ?? 0) < (found.loadedMs ?? 0)) return found
  const nowMs = yield* Clock.currentTimeMillis
  const planned = { ...planRead(request, view, nowMs), gapMode: plan.gapMode, because: plan.because }
  return { view, plan: planned, filled, nowMs, ...again } satisfies Findings<Loaded>
})

/** A version of the past, within the budget. */
const pastView = Effect.fnUntraced(function* ({ entry }: ValidRequest, budget: Budget.Budget, asOf: AsOf) {
  const roots = yield* PastRoots
  const past = yield* budget.phase("storage")(roots.at(entry, asOf))
  return Option.isNone(past) ? yield* noCoverage(budget) : past.value
})

const pastNotes = ({ root: { committedAt, version } }: CoverageView): ReadonlyArray<string> => [
  `as of version ${version} of ${isoTime(committedAt)}: nothing is fetched for the past`
]

/**
 * What stood at a point: of the past, where what is missing stays so; or the version that an answer in parts goes on
 * with, whose gap has been seen to.
 */
export const findAt = Effect.fnUntraced(function* <Loaded>(
  request: ValidRequest,
  budget: Budget.Budget,
  load: Load<Loaded>,
  point: AsOf
) {
  const { asOf } = request
  const view = yield* pastView(request, budget, point)
  const nowMs = asOf === undefined ? yield* Clock.currentTimeMillis : (asOf.time ?? view.atMs)
  const found: Findings<Loaded> = {
    view,
    plan: planRead(request, view, nowMs),
    filled: asOf === undefined ? untouched : { ...untouched, notes: pastNotes(view) },
    nowMs,
    ...(yield* load(request, view, budget))
  }
  return found
})

/** What stands now, and what came of filling the gap. */
export const find = Effect.fnUntraced(function* <Loaded>(
  request: ValidRequest,
  budget: Budget.Budget,
  load: Load<Loaded>
) {
  const begun = yield* begin(request, budget)
  if (Option.isNone(begun)) return yield* noCoverage(budget)
  const { nowMs, plan, view: before } = begun.value
  const acted = before.staleMs === undefined ? actOnGap(plan, request, budget) : notReached(plan, request, before)
  // most reads have no gap, and nothing goes on beside the loading
  const concurrency = plan.gapMode === "none" ? 1 : 2
  const [stored, filled] = yield* Effect.all([load(request, before, budget), acted], { concurrency })
  // what was there before the gap was filled is an answer too, should the time not suffice for what came since
  const found: Findings<Loaded> = { view: before, plan, filled, nowMs, ...stored }
  if (filled.jobs.length === 0 && filled.version <= before.root.version) return found
  return yield* newer(request, budget, load, found).pipe(
    Effect.catch(({ message }) => {
      const notes = [...filled.notes, `what came meanwhile could not be read: ${message}`]
      return Effect.succeed({ ...found, filled: { ...filled, notes } })
    })
  )
})
