/** How are the hosts of a cluster seen from the command line? */
import { Effect } from "effect"
import { Command } from "effect/cli"
import type { HostReport } from "../../protocol/wire/HostReport.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { isoTime } from "../isoTime.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { absent, numberText, orAbsent, tableOf } from "../tableOf.ts"
import { withAdmin } from "../withClient.ts"

const bytesOfMiB = 1024 * 1024

const sizeText = (bytes: number | undefined): string =>
  bytes === undefined ? absent : `${(bytes / bytesOfMiB).toFixed(1)} MiB`

/** One line a host; what a host did not tell is a dash. */
export const hostsTable = (hosts: ReadonlyArray<HostReport>): string =>
  tableOf(hosts, [
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
    ["incarnation", ({ incarnation }) => incarnation]
  ])

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
      "answer within a second is unreachable."
  ),
  Command.withShortDescription("Lists the hosts"),
  Command.withExamples([
    { command: "seamless hosts" },
    { command: "seamless hosts --format json", description: "With all counts" }
  ])
)
