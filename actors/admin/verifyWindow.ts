/**
 * How do operators learn whether what is stored is still what its sources give, and have it corrected?
 *
 * One window at a time: whoever asks goes through as many as they like, and can stop between two.
 */
import { Effect } from "effect"
import { checkRange } from "../../protocol/history/checkRange.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import { operatorsCause } from "../../protocol/messages/Operate.ts"
import { Verifier } from "../../protocol/messages/Verify.ts"
import { type NamedSeries, seriesOf, untilSeen, windowsIn } from "./windowsOf.ts"

/** What is asked for; with a reason what differs is corrected. */
export interface AskedCheck extends NamedSeries {
  readonly start: number
  readonly end: number
  readonly source?: string
  readonly reason?: string
}

const checkSource = (source: string | undefined, known: ReadonlyArray<string>) =>
  source === undefined || known.includes(source)
    ? Effect.void
    : Effect.fail(new InvalidRequest({ field: "source", problem: `is ${source}; the series has ${known.join(", ")}` }))

/** Compares what is stored of a window, or of a part of it; where `who` asks for it, what differs is revised. */
export const verifyWindow = Effect.fnUntraced(function* (asked: AskedCheck, who?: string) {
  const { entry, grid } = yield* seriesOf(asked)
  const range = yield* Effect.fromResult(checkRange(asked, entry.interval))
  yield* windowsIn(grid, asked, 1)
  const { reason = "", source } = asked
  yield* checkSource(source, entry.sources)
  const verified = yield* (yield* Verifier).verify({
    series: entry.series,
    range,
    ...(source !== undefined && { source }),
    ...(who !== undefined && { repairCause: operatorsCause("repair", { who, reason }) })
  })
  if (verified.repairedBars > 0) yield* untilSeen(entry.series, verified.version)
  return verified
})
