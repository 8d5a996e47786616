/**
 * Is a source never asked more often than its account allows, by all hosts together? (Invariant 12)
 *
 * Counted where the requests arrive: those of any sixty seconds, and those that are under way at any moment. A request
 * counts whatever came of it, also where who sent it has died.
 */
import type { AccountSettings } from "../../../protocol/Settings.ts"
import type { RequestSent } from "../History.ts"

const minuteMs = 60_000

/** What an account allows. */
type Allowed = Required<Pick<AccountSettings, "requestsPerMinute" | "concurrency">>

/** Requests, in the order in which they were sent, that were too many. */
export const checkBudget = (
  requests: ReadonlyArray<RequestSent>,
  { concurrency, requestsPerMinute }: Allowed
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  let first = 0
  for (const [index, { atMs }] of requests.entries()) {
    while (requests[first]!.atMs <= atMs - minuteMs) first += 1
    const inMinute = index + 1 - first
    if (inMinute > requestsPerMinute) {
      problems.push(`at ${atMs.toFixed(0)} ms the source was asked ${inMinute} times within a minute`)
    }
    const underWay = requests.slice(0, index + 1).filter(({ endedAtMs }) => endedAtMs > atMs).length
    if (underWay > concurrency) {
      problems.push(`at ${atMs.toFixed(0)} ms ${underWay} requests are under way at the source`)
    }
  }
  return problems
}
