/**
 * Will the account of an answer in parts fit into its last message?
 *
 * It names every stretch of time that is covered and that is missing, and who gave it: of a long range in very many
 * pieces that may be more than a message carries. Whoever reads it learns so before the first part, as far as it is
 * known by then, and of the rest as the rows go by, and not when all of them have come.
 */
import { Effect } from "effect"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { ResultTooLarge } from "../../protocol/history/Errors.ts"
import type { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import type { Reply } from "../../runtime/ServiceEndpoint.ts"
import type { RowFlow } from "./readParts.ts"

/** How an account is encoded, without a row, and the most that a message may have. */
interface Carrying {
  readonly encode: (df: Frame, meta: HistoryMeta) => Effect.Effect<Reply>
  readonly bytesMax: number
}

/** Fewer ranges than that don't fill a message. */
const rangesMin = 1024
/** By how much there have to be more of them until it is looked at again. */
const growth = 1.25

/** Fails as soon as what is known of the account is more than a message has; to be run before each part. */
export const accountRoom = (flow: RowFlow<never>, { bytesMax, encode }: Carrying) => {
  let next = 0
  return Effect.gen(function* () {
    const ranges = flow.soFar?.rangesGiven() ?? 0
    if (flow.soFar === undefined || !flow.returnMeta || ranges < next) return
    next = Math.max(rangesMin, ranges * growth)
    const { data } = yield* encode(flow.empty, flow.soFar.meta())
    if (data.length > bytesMax) {
      return yield* new ResultTooLarge({ bytes: data.length, bytesMax, ofAccount: true })
    }
  })
}
