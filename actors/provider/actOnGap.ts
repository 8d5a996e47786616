/**
 * What is done about the gap of a request?
 *
 * What its plan says, unless an operator has turned that off: then nobody is asked, and the answer says by whose word.
 */
import { Effect } from "effect"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import { detachedOff, jobsOff, requestsOff } from "../../protocol/messages/BackfillOff.ts"
import type { SwitchRecord } from "../../protocol/Switches.ts"
import { Switches } from "../../runtime/Switches.ts"
import type { Budget } from "./Budget.ts"
import { detachGap, fillGap, type Filled, notAskedBy, untouched } from "./fillGap.ts"
import type { ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** Why a gap is left alone, by mode; who fails fast asks nobody in any case, and is told what keeps others from it. */
const offFor = { fail: requestsOff, queue: detachedOff, wait: jobsOff } as const

/** By whose word nobody is asked to fill the gap; undefined where nobody has said so, or there is nothing to ask. */
export const gapOff = ({ gap, gapMode }: Pick<ReadPlan, "gap" | "gapMode">, record: SwitchRecord) =>
  gapMode === "none" || isEmpty(gap) ? undefined : offFor[gapMode](record)

/** Does what the plan says about the gap, and says what became of it. */
export const actOnGap = Effect.fnUntraced(function* (
  { gap, gapMode }: Pick<ReadPlan, "gap" | "gapMode">,
  request: ValidRequest,
  budget: Budget
) {
  if (gapMode === "none" || isEmpty(gap)) return untouched
  const off = gapOff({ gap, gapMode }, (yield* Switches)())
  if (off !== undefined) return notAskedBy(off, barsIn(request, gap))
  if (gapMode === "fail") return untouched
  const filled: Filled = yield* gapMode === "wait" ? fillGap(request, gap, budget) : detachGap(request, gap, budget)
  return filled
})

const barsIn = ({ entry }: ValidRequest, gap: RangeSet): number => bars(gap, entry.interval.lengthMs)
