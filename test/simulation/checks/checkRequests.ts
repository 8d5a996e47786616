/**
 * Does everything that was asked end, once, and in time? (Invariants 6 and 7)
 *
 * In simulation exactly: time passes only where somebody waits.
 */
import type { Tally } from "../../../protocol/wire/HostReport.ts"
import type { Operation, Step } from "../History.ts"
import { pastRead } from "../PastReads.ts"

/** What rounding of times may come to, in milliseconds. */
const roundingMs = 2

/** What a caller may get: everything else is an error that nobody is told how to deal with. */
const known = new Set([
  "ok",
  "DeadlineExceeded",
  "NoHostAnswers",
  "MeshUnavailable",
  "SlaViolated",
  "CoverageMissing",
  "SourceUnavailable",
  "BackfillFailed",
  "ActorUnavailable",
  "ActorStopped",
  "OutcomeUnknown",
  "MailboxFull",
  "NotConnected",
  "WindowQuarantined",
  "BudgetUnavailable",
  "NoSuitedJob",
  "JobNotSuited",
  "UnknownBackfill",
  "BackfillEnded",
  "BackfillExists",
  "BackfillOff"
])

/** What else a caller may get who asks for this. */
const knownFor: Readonly<Record<string, string>> = { [pastRead]: "UnknownPoint", sweep: "SweepUnderWay" }

const checkEnd = ({ about, completedAtMs, id, outcome, untilMs, what }: Operation): ReadonlyArray<string> => {
  const name = `${what} ${id} of ${about}`
  if (outcome === "open") return [`${name}: never ended`]
  if (!known.has(outcome) && knownFor[what] !== outcome) return [`${name}: ended with ${outcome}`]
  const lateMs = completedAtMs - untilMs
  return lateMs > roundingMs ? [`${name}: ended ${lateMs.toFixed(0)} ms after its deadline`] : []
}

/** Whether all that a caller has sent to actors has ended, but for so many at most, and is counted once. */
export const checkTally = (
  caller: string,
  { pending, sent, ...ended }: Tally,
  pendingMax: number
): ReadonlyArray<string> => {
  const counted = Object.values(ended).reduce((sum, count) => sum + count, 0)
  return pending <= pendingMax && counted + pending === sent
    ? []
    : [`${caller} has sent ${sent} messages to actors: ${counted} have ended, ${pending} are pending`]
}

/** What outlived its time, or never ended. */
export const checkRequests = (operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  operations.flatMap(checkEnd)

/** Steps that began after their deadline; what the network itself holds back is not counted, since nobody can tell. */
export const checkSteps = (steps: ReadonlyArray<Step>, heldBackMsMax: number): ReadonlyArray<string> =>
  steps.flatMap(({ atMs, key, operation, untilMs }) => {
    const lateMs = atMs - untilMs
    return lateMs > heldBackMsMax + roundingMs
      ? [`${operation} at ${key}: began ${lateMs.toFixed(0)} ms after its deadline`]
      : []
  })
