/** How is a backfill followed until it has ended? */
import { Clock, Effect, Result } from "effect"
import type { AdminAnswer } from "../client/admin.ts"
import type { SeamlessError } from "../client/SeamlessError.ts"
import { progressOf } from "./describeBackfill.ts"
import type { ProgressDisplay } from "./ProgressDisplay.ts"

type Report = AdminAnswer<"backfill">

const lookEvery = "1 second"
/** Hosts and servers may be started anew while somebody follows: for so long nobody need answer. */
const patienceMs = 60_000
/** From here on the same question may be answered later. */
const laterFrom = 500

const isEnded = ({ status }: Report): boolean => status === "done" || status === "cancelled"

/** Shows its progress until it is done or cancelled; gives its last report. */
export const followBackfill = Effect.fnUntraced(function* (
  ask: Effect.Effect<Report, SeamlessError>,
  display: ProgressDisplay
) {
  let report = yield* ask
  let answeredAtMs = yield* Clock.currentTimeMillis
  let isSilent = false
  while (!isEnded(report)) {
    const progress = progressOf(report)
    yield* display.show(isSilent ? { ...progress, note: "nobody answers: waiting" } : progress)
    yield* Effect.sleep(lookEvery)
    const answer = yield* Effect.result(ask)
    const nowMs = yield* Clock.currentTimeMillis
    isSilent = Result.isFailure(answer)
    if (Result.isSuccess(answer)) {
      report = answer.success
      answeredAtMs = nowMs
    } else if (answer.failure.code < laterFrom || nowMs - answeredAtMs > patienceMs) {
      return yield* Effect.fail(answer.failure)
    }
  }
  return report
})
