/** How is a host emptied from the command line? */
import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import type { HostReport } from "../../protocol/wire/HostReport.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import { withOperator } from "../withClient.ts"

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

/** What nobody takes over from a host, by those who live beside it; undefined where all of it is taken. */
export const unownedText = (
  { hostId, incarnation }: Pick<AdminAnswer<"drain">, "hostId" | "incarnation">,
  hosts: ReadonlyArray<HostReport>
): string | undefined => {
  const others = hosts.filter((host) => host.incarnation !== incarnation && host.state === "serving")
  if (others.length === 0) {
    return `no other host serves: nobody owns what ${hostId} gave up, and nobody is answered, until a host is started`
  }
  const own = hosts.find((host) => host.incarnation === incarnation)?.labels ?? []
  const labels = own.filter((label) => !others.some((other) => other.labels.includes(label)))
  if (labels.length === 0) return undefined
  return `no other host takes the label ${labels.join(", ")}: nobody owns its slots until a host with it is started`
}

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { hosts, told } = yield* withOperator(asked, (ask) =>
    Effect.gen(function* () {
      const told = yield* ask("drain", { host: asked.host })
      // a host that drains answers on; what it can't tell is no failure of the drain
      return { told, hosts: yield* Effect.option(ask("hosts", {})) }
    })
  )
  yield* printData(asked.format === "json" ? JSON.stringify(told) : drainText(told))
  const note = Option.isSome(hosts) ? unownedText(told, hosts.value.hosts) : undefined
  if (note !== undefined) yield* printNote(asked.format === "json" ? JSON.stringify({ note }) : note)
  return ExitCode.complete
})

/** `seamless drain`: gives all that a host owns to the others. */
export const drain = Command.make("drain", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Has a host give all its slots to the others and take no more, so that it can be stopped without anyone " +
      "noticing. Waits until it has. Where no other host takes its slots it says so on the error output."
  ),
  Command.withShortDescription("Empties a host"),
  Command.withExamples([
    { command: "seamless drain host-a" },
    { command: "seamless drain host-a --as alice --format json", description: "As alice, and with the figures" }
  ])
)
