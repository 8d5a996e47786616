/** Is an answer good enough for what was demanded? Pure. */
import { BudgetUnavailable } from "../../protocol/history/BudgetUnavailable.ts"
import {
  CoverageMissing,
  RowsRejected,
  SlaViolated,
  SourceUnavailable,
  StrictViolation,
  WindowQuarantined
} from "../../protocol/history/Errors.ts"
import type { SlaViolation } from "../../protocol/history/HistoryResult.ts"
import { type MissingRange, without } from "../../protocol/history/MissingRange.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import type { BackfillOff } from "../../protocol/messages/BackfillOff.ts"
import type { Undelivered } from "../../protocol/wire/Envelope.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { StoreFailure } from "../sources/Shelf.ts"
import type { Counted } from "./demands.ts"
import type { Filled } from "./fillGap.ts"
import type { ReadPlan } from "./planRead.ts"
import type { ValidRequest } from "./validRequest.ts"

/** Why an answer is refused. */
export type Refusal = CoverageMissing | StrictViolation | BackfillFailure | SlaViolated | StoreFailure

type BackfillFailure =
  | SourceUnavailable
  | BudgetUnavailable
  | RowsRejected
  | WindowQuarantined
  | Undelivered
  | MeshUnavailable
  | BackfillOff

/** What the judgement rests on. */
export interface Evidence {
  readonly quality: Counted
  readonly missing: ReadonlyArray<MissingRange>
  /** Closed time: no bar is expected there. */
  readonly closed: RangeSet
  readonly filled: Filled
  readonly gapMode: ReadPlan["gapMode"]
  /** Why stored rows could not be read; absent where nobody wanted any. */
  readonly unread?: { readonly isLate: boolean; readonly failure: StoreFailure | undefined }
}

const lacking = ({ expectedBars, rows }: Counted): number => expectedBars - rows

/** What a strict demand came to. */
export const strictFinding = ({ closed, missing, quality }: Pick<Evidence, "closed" | "missing" | "quality">) => ({
  expectedBars: quality.expectedBars,
  gotBars: quality.rows,
  missingRanges: without(
    missing.filter(({ state }) => state !== "unavailable"),
    closed
  )
})

const backfillFailure = ({ filled, missing }: Evidence): BackfillFailure | undefined => {
  // what waits for a person is told first: to ask again changes nothing about it
  const held = filled.jobs.find(({ state }) => state === "QUARANTINED")
  if (held?.failure) return new WindowQuarantined({ windowStart: held.windowStart, reason: held.failure.message })
  // and it is known of the time as soon as of the jobs: nobody is asked for it any more
  const aside = missing.find(({ state }) => state === "quarantined")
  if (aside !== undefined) return new WindowQuarantined({ windowStart: aside.start, reason: aside.reason })
  const job = filled.jobs.find(({ failure, state }) => failure !== null && state !== "SUCCEEDED")
  // where the coordination is out of reach nobody knows more
  if (job?.failure === undefined || job.failure === null) return filled.notAsked
  const { message: reason, source, tag } = job.failure
  if (tag === "RowsRejected") return new RowsRejected({ source, reason })
  const unavailable = { source, reason, retryAt: job.nextAttemptAt }
  return tag === "BudgetUnavailable" || tag === "BackfillOff"
    ? new BudgetUnavailable(unavailable)
    : new SourceUnavailable(unavailable)
}

const slaViolated = ({ budgetMs, phase, waitedMs }: SlaViolation) => new SlaViolated({ phase, budgetMs, waitedMs })

/** The first demand that the answer does not meet and that the caller wants to be an error; none when it passes. */
export const refusal = (
  request: Pick<ValidRequest, "strategy" | "strict" | "onStrictViolation" | "sla">,
  evidence: Evidence,
  violation: SlaViolation | null
): Refusal | undefined => {
  const { gapMode, missing, quality, unread } = evidence
  if (gapMode === "fail" && missing.length > 0) {
    const { expectedBars } = quality
    return new CoverageMissing({ expectedBars, missingBars: lacking(quality), missingRanges: missing })
  }
  // who fails fast takes nothing less than all of it, whatever keeps it away
  const isFast = request.strategy === "fail_fast"
  if (unread?.failure !== undefined && isFast) return unread.failure
  if (unread?.isLate === true && isFast && violation !== null) return slaViolated(violation)
  const failure = backfillFailure(evidence)
  if (request.sla.onBackfillFailure === "error" && failure !== undefined && lacking(quality) > 0) return failure
  if (request.strict && request.onStrictViolation === "error" && lacking(quality) > 0) {
    return new StrictViolation(strictFinding(evidence))
  }
  if (request.sla.onViolation !== "error") return undefined
  return violation === null ? unread?.failure : slaViolated(violation)
}
