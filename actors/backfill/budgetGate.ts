/**
 * How does each request of an errand keep to the budget of its source's account?
 *
 * It has a permit before it is sent, and what came of it is reported. A permit that can't be had is a failure of the
 * request, which says whose doing it is.
 */
import { Cause, Effect, Exit, Option } from "effect"
import type {
  CircuitOpen,
  Outcome,
  PermitLate,
  BudgetUnreachable,
  Upstream,
  Wish
} from "../../protocol/messages/Upstream.ts"
import { requestsOff } from "../../protocol/messages/BackfillOff.ts"
import { Switches } from "../../runtime/Switches.ts"
import { RequestFailed } from "../sources/DataSource.ts"
import type { Ended, Pass, WayOut } from "../sources/Gate.ts"

/** The request that was not sent; who waits to send it again is told when that makes sense. */
const unsent = (failure: CircuitOpen | PermitLate | BudgetUnreachable): RequestFailed => {
  const { message: reason } = failure
  const isLeftAlone =
    failure._tag === "CircuitOpen" || (failure._tag === "PermitLate" && failure.because === "coolDown")
  return new RequestFailed({
    reason,
    retryable: false,
    retryAfterMs: failure._tag === "BudgetUnreachable" ? null : failure.retryAfterMs,
    unsent: isLeftAlone ? "source" : "budget"
  })
}

/** What a request's end says of its source: a failure that is for good is an answer, too. */
export const outcomeOf = (ended: Ended): Outcome => {
  if (Exit.isSuccess(ended)) return { _tag: "Answered" }
  const failure = Option.getOrUndefined(Cause.findErrorOption(ended.cause))
  if (failure === undefined || failure.unsent !== undefined) return { _tag: "Dropped" }
  if (failure.isRefusal === true) return { _tag: "Refused", retryAfterMs: failure.retryAfterMs }
  return failure.retryable ? { _tag: "Failed", reason: failure.reason } : { _tag: "Answered" }
}

/** Lets nothing out while an operator has requests turned off. */
const unlessOff = Effect.flatMap(Switches, (current) => {
  const off = requestsOff(current())
  if (off === undefined) return Effect.void
  return Effect.fail(new RequestFailed({ reason: off.message, retryable: false, retryAfterMs: null, unsent: "switch" }))
})

/** The gate of requests for that, as it is at the moment of each of them. */
export const budgetGate = (upstream: Upstream["Service"], wish: () => Wish): WayOut => ({
  enter: Effect.gen(function* () {
    yield* unlessOff
    const permit = yield* Effect.mapError(upstream.permit(wish()), unsent)
    const pass: Pass = { end: (how) => upstream.report(permit, outcomeOf(how)) }
    // its turn may have come long after it asked
    yield* Effect.onError(unlessOff, () => pass.end(Exit.interrupt()))
    return pass
  })
})
