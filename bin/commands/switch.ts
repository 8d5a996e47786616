/** How are flags and kill switches seen and turned from the command line? */
import { Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SwitchName, SwitchReason } from "../../protocol/Switches.ts"
import { switchesText, turnedText } from "../describeSwitches.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { withAdmin } from "../withClient.ts"

interface AskedTurn extends OperatorFlags {
  readonly name: SwitchName
  readonly reason: string
}

const turnFlags = {
  name: Argument.Literals("name", SwitchName.literals).pipe(Argument.withDescription("Name of the switch")),
  reason: Flag.String("reason").pipe(
    Flag.filter(Schema.is(SwitchReason), () => "1 to 500 characters"),
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Why; it is told to readers, and kept")
  ),
  ...operatorFlags
}

const turn = (word: "on" | "off", description: string) =>
  Command.make(word, turnFlags, (asked: AskedTurn) =>
    Effect.gen(function* () {
      const { format, name, reason } = asked
      const told = yield* withAdmin(asked, "turnSwitch", { name, on: word === "on", reason })
      yield* printData(format === "json" ? JSON.stringify(told) : turnedText(told))
      return ExitCode.complete
    }).pipe(finish(asked.format))
  ).pipe(
    Command.withDescription(description),
    Command.withShortDescription(`Turns a switch ${word}`),
    Command.withExamples([{ command: `seamless switch ${word} DISABLE_BACKFILL --reason "INC-42"` }])
  )

const list = Command.make("list", operatorFlags, (asked: OperatorFlags) =>
  Effect.gen(function* () {
    const told = yield* withAdmin(asked, "switches", {})
    yield* printData(asked.format === "json" ? JSON.stringify(told) : switchesText(told.switches))
    return ExitCode.complete
  }).pipe(finish(asked.format))
).pipe(
  Command.withDescription("Lists every switch: how it stands, who turned it last, when and why."),
  Command.withShortDescription("Lists the switches"),
  Command.withExamples([{ command: "seamless switch list" }])
)

/** `seamless switch`: flags and kill switches of the whole cluster. */
export const switchCommand = Command.make("switch").pipe(
  Command.withDescription(
    "Shows and turns what can be turned while the cluster runs: DISABLE_BACKFILL, FORCE_FAIL_FAST, " +
      "enable_coordinator and enable_detached_backfill. A change holds on every host within moments, without a " +
      "restart, is told to readers, and is kept in the audit stream."
  ),
  Command.withShortDescription("Shows and turns flags and kill switches"),
  Command.withSubcommands([
    list,
    turn("on", "Turns a switch on, for all hosts, at once. It ends with 0 also where the switch was on already."),
    turn("off", "Turns a switch off, for all hosts, at once. It ends with 0 also where the switch was off already.")
  ]),
  Command.withExamples([
    { command: "seamless switch list" },
    {
      command: 'seamless switch on DISABLE_BACKFILL --reason "the exchange asked for silence"',
      description: "No request to any source begins from now on"
    }
  ])
)
