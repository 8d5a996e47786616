/** How are the budgets of upstream accounts seen from the command line? */
import { Effect } from "effect"
import { Command } from "effect/cli"
import type { AccountStanding, CircuitStanding } from "../../protocol/messages/AccountStanding.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { isoTime } from "../isoTime.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import { absent, orAbsent, tableOf } from "../tableOf.ts"
import { withAdmin } from "../withClient.ts"

/** What may be sent now, of what a minute has: not what is used of it. */
const freeText = (now: number | null, limit: number | null): string =>
  limit === null ? absent : `${now ?? 0} of ${limit}`

const waitingText = ({ waiting }: AccountStanding): string =>
  orAbsent(
    Object.entries(waiting)
      .filter(([, count]) => count > 0)
      .map(([jobClass, count]) => `${jobClass} ${count}`)
      .join(", ")
  )

const circuitText = ({ openUntil, source, state }: CircuitStanding): string => {
  if (state === "closed") return `${source} closed`
  return state === "halfOpen" ? `${source} half open` : `${source} open until ${isoTime(openUntil ?? 0)}`
}

/** Why the sources that are left alone are. */
const reasonsOf = (accounts: ReadonlyArray<AccountStanding>): ReadonlyArray<string> =>
  accounts
    .flatMap(({ circuits }) => circuits)
    .filter(({ state }) => state !== "closed")
    .map(({ failures, reason, source }) => `${source}: ${failures} requests in a row have failed; the last: ${reason}`)

/** One line an account; what has no limit is a dash. Below it, why sources are left alone. */
export const upstreamsTable = (accounts: ReadonlyArray<AccountStanding>): string => {
  const table = tableOf(accounts, [
    ["account", ({ account }) => account],
    ["requests free", ({ available, limits }) => freeText(available.requests, limits.requestsPerMinute), "right"],
    ["weight free", ({ available, limits }) => freeText(available.weight, limits.weightPerMinute), "right"],
    [
      "in flight",
      ({ inFlight, limits }) => `${inFlight}${limits.concurrency === null ? "" : ` of ${limits.concurrency}`}`,
      "right"
    ],
    ["waiting", waitingText],
    ["left alone until", ({ coolDownUntil }) => (coolDownUntil === null ? absent : isoTime(coolDownUntil))],
    ["circuits", ({ circuits }) => circuits.map(circuitText).join(", ")]
  ])
  return [table, ...reasonsOf(accounts)].join("\n")
}

const answer = Effect.fnUntraced(function* (asked: OperatorFlags) {
  const told = yield* withAdmin(asked, "upstreams", {})
  yield* printData(asked.format === "json" ? JSON.stringify(told) : upstreamsTable(told.accounts))
  const { silent } = told
  if (silent.length === 0) return ExitCode.complete
  yield* printNote(asked.format === "json" ? JSON.stringify({ silent }) : `did not answer: ${silent.join(", ")}`)
  return ExitCode.partial
})

/** `seamless upstreams`: what may be sent to sources, who waits for it, and which sources are left alone. */
export const upstreams = Command.make("upstreams", operatorFlags, (asked: OperatorFlags) =>
  finish(asked.format)(answer(asked))
).pipe(
  Command.withDescription(
    "Shows each account that sources are asked under: what is free to be sent now, of what any minute has; what is " +
      "under way, of what may be at once; " +
      "who waits, until when the account is left alone because it refused, and which sources are left alone because " +
      "they fail. Exit codes: 0 complete, 2 wrong usage, 3 some accounts did not answer (they are on the error " +
      "output), 4 failed."
  ),
  Command.withShortDescription("Shows the budgets of upstream accounts"),
  Command.withExamples([
    { command: "seamless upstreams" },
    { command: "seamless upstreams --format json", description: "With all limits and the reasons of failures" }
  ])
)
