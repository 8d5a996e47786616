/** How are the hosts of a cluster seen from the command line? */
import { Effect } from "effect"
import { Command } from "effect/cli"
import type { HostReport } from "../../protocol/wire/HostReport.ts"
import { invariants } from "../../protocol/wire/Invariant.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { isoTime } from "../isoTime.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { absent, type ColumnOf, numberText, orAbsent, tableOf } from "../tableOf.ts"
import { withAdmin } from "../withClient.ts"

const bytesOfMiB = 1024 * 1024

const sizeText = (bytes: number | undefined): string =>
  bytes === undefined ? absent : `${(bytes / bytesOfMiB).toFixed(1)} MiB`

const violationsText = ({ violations = {} }: HostReport): string =>
  orAbsent(
    Object.entries(violations)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")
  )

const switchesText = ({ switches = {} }: HostReport): string =>
  orAbsent(
    Object.entries(switches)
      .map(([name, isOn]) => `${name} ${isOn ? "on" : "off"}`)
      .join(", ")
  )

/** What each of the names claims; a host of a later build may have names that are not known here. */
const claimsOf = (names: ReadonlySet<string>): ReadonlyArray<string> =>
  Object.entries(invariants).flatMap(([name, { claim }]) => (names.has(name) ? [`${name}: ${claim}`] : []))

/** One line a host; what it did not tell is a dash. Violations and turned switches are shown where there are any. */
export const hostsTable = (hosts: ReadonlyArray<HostReport>): string => {
  const violated = new Set(hosts.flatMap(({ violations = {} }) => Object.keys(violations)))
  const violations: ColumnOf<HostReport> = ["violations", violationsText]
  const isTurned = hosts.some(({ switches = {} }) => Object.keys(switches).length > 0)
  const switches: ColumnOf<HostReport> = ["switches", switchesText]
  const table = tableOf(hosts, [
    ["host", ({ hostId }) => orAbsent(hostId)],
    ["state", ({ state }) => state],
    ["labels", ({ labels }) => orAbsent(labels.join(","))],
    ["slots", ({ slots }) => String(slots), "right"],
    ["actors", ({ residents }) => numberText(residents), "right"],
    ["memory", ({ residentBytes }) => sizeText(residentBytes), "right"],
    ["mailbox", ({ mailboxMessages }) => numberText(mailboxMessages), "right"],
    ["handled", ({ counts }) => numberText(counts?.handled), "right"],
    ["fenced", ({ counts }) => numberText(counts?.fenced), "right"],
    ["version", ({ protocolVersion }) => (protocolVersion === 0 ? absent : String(protocolVersion)), "right"],
    ["since", ({ startedAt }) => (startedAt === 0 ? absent : isoTime(startedAt))],
    ...(violated.size === 0 ? [] : [violations]),
    ...(isTurned ? [switches] : []),
    ["incarnation", ({ incarnation }) => incarnation]
  ])
  return [table, ...claimsOf(violated)].join("\n")
}

const answer = Effect.fnUntraced(function* (asked: OperatorFlags) {
  const told = yield* withAdmin(asked, "hosts", {})
  yield* printData(asked.format === "json" ? JSON.stringify(told) : hostsTable(told.hosts))
  return ExitCode.complete
})

/** `seamless hosts`: who lives, and how they are. */
export const hosts = Command.make("hosts", operatorFlags, (asked: OperatorFlags) =>
  finish(asked.format)(answer(asked))
).pipe(
  Command.withDescription(
    "Lists every host that lives or owns a slot: how it is, what it owns and what it does. A host that did not " +
      "answer within a second is unreachable. A violation is something that must always hold and did not: a fault of " +
      "the program or of the storage, of which the host's log says more."
  ),
  Command.withShortDescription("Lists the hosts"),
  Command.withExamples([
    { command: "seamless hosts" },
    { command: "seamless hosts --format json", description: "With all counts" }
  ])
)
