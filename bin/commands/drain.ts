/** How is a host emptied from the command line? */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { withAdmin } from "../withClient.ts"

const parts = {
  host: Argument.String("host").pipe(Argument.withDescription("Name of the host, or its incarnation")),
  ...operatorFlags
}

interface Asked extends OperatorFlags {
  readonly host: string
}

/** What the drain came to, in a sentence. */
export const drainText = ({ elapsedMs, handoverMsMax, handovers, hostId }: AdminAnswer<"drain">): string =>
  `${hostId} is drained: ${handovers} slots handed over in ${Math.round(elapsedMs)} ms, ` +
  `the slowest in ${Math.round(handoverMsMax)} ms`

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const told = yield* withAdmin(asked, "drain", { host: asked.host })
  yield* printData(asked.format === "json" ? JSON.stringify(told) : drainText(told))
  return ExitCode.complete
})

/** `seamless drain`: gives all that a host owns to the others. */
export const drain = Command.make("drain", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Has a host give all its slots to the others and take no more, so that it can be stopped without anyone " +
      "noticing. Waits until it has."
  ),
  Command.withShortDescription("Empties a host"),
  Command.withExamples([
    { command: "seamless drain host-a" },
    { command: "seamless drain host-a --as alice --format json", description: "As alice, and with the figures" }
  ])
)
