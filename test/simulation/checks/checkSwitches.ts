/**
 * Is no source asked while operators have that turned off?
 *
 * A host hears of it at once, or looks some seconds later; one that was out of touch, or stood still, begins nothing
 * before it has made sure of its leases, and has heard of it by then.
 */
import { isOn } from "../../../protocol/Switches.ts"
import type { RequestSent } from "../History.ts"
import type { SwitchesWritten } from "../RunRecord.ts"

/** How long it may take until the last host knows. */
const knownAfterMs = 7000

/** Requests that began while they were not to. */
export const checkSwitches = (
  written: ReadonlyArray<SwitchesWritten>,
  requests: ReadonlyArray<RequestSent>
): ReadonlyArray<string> =>
  written.flatMap(({ atMs, record }, index) => {
    if (!isOn(record, "DISABLE_BACKFILL")) return []
    // one that turns something else leaves it on
    const since = written.findLastIndex((before, at) => at < index && !isOn(before.record, "DISABLE_BACKFILL")) + 1
    const fromMs = written[since]!.atMs + knownAfterMs
    const untilMs = written[index + 1]?.atMs ?? Infinity
    return requests
      .filter((request) => request.atMs >= Math.max(atMs, fromMs) && request.atMs < untilMs)
      .map((request) => `a source is asked at ${request.atMs.toFixed(0)} ms, and DISABLE_BACKFILL is on since long`)
  })
