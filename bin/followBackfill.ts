/** How is a backfill followed until it has ended? */
import { Clock, Effect, Option, Result } from "effect"
import type { AdminAnswer } from "../client/admin.ts"
import type { SeamlessError } from "../client/SeamlessError.ts"
import { progressOf } from "./describeBackfill.ts"
import type { ProgressDisplay } from "./ProgressDisplay.ts"

type Report = AdminAnswer<"backfill">

const lookEvery = "1 second"
/** A host answers within milliseconds; one that died in between never does. */
const answerWithin = "3 seconds"
const silentAfterMs = 2000
/** Hosts and servers may be started anew while somebody follows: for so long nobody need answer. */
const patienceMs = 60_000
/** From here on the same question may be answered later. */
const laterFrom = 500

const isEnded = ({ status }: Report): boolean => status === "done" || status === "cancelled"

/** What a look came to; nothing where nobody answered in time. */
const lookOnce = (ask: Effect.Effect<Report, SeamlessError>) =>
  ask.pipe(Effect.timeoutOption(answerWithin), Effect.result)

/** Shows its progress until it is done or cancelled; gives its last report. */
export const followBackfill = Effect.fnUntraced(function* (
  ask: Effect.Effect<Report, SeamlessError>,
  display: ProgressDisplay
) {
  let report = yield* ask
  let answeredAtMs = yield* Clock.currentTimeMillis
  while (!isEnded(report)) {
    const progress = progressOf(report)
    const isSilent = (yield* Clock.currentTimeMillis) - answeredAtMs > silentAfterMs
    yield* display.show(isSilent ? { ...progress, note: "nobody answers: waiting" } : progress)
    yield* Effect.sleep(lookEvery)
    const answer = yield* lookOnce(ask)
    const nowMs = yield* Clock.currentTimeMillis
    if (Result.isSuccess(answer) && Option.isSome(answer.success)) {
      report = answer.success.value
      answeredAtMs = nowMs
    } else if (Result.isFailure(answer) && answer.failure.code < laterFrom) {
      return yield* Effect.fail(answer.failure)
    } else if (nowMs - answeredAtMs > patienceMs) {
      return yield* ask
    }
  }
  return report
})
