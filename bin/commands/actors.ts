/** How are actors seen, and helped, from the command line? */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import type { ActorReport } from "../../protocol/wire/ActorReport.ts"
import type { DeadLetter } from "../../protocol/wire/DeadLetter.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { isoTime } from "../isoTime.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import { tableOf } from "../tableOf.ts"
import { withAdmin } from "../withClient.ts"

const topMax = 1000

const typeFlag = Flag.String("type").pipe(
  Flag.filter(
    (type) => type !== "",
    () => "the name of a type of actors"
  ),
  Flag.withMetavar("T"),
  Flag.withDescription("Only actors of this type"),
  Flag.optional
)

const flags = {
  type: typeFlag,
  top: Flag.Int("top").pipe(
    Flag.filter(
      (top) => top >= 1 && top <= topMax,
      () => `a whole number from 1 to ${topMax}`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription("So many, the busiest first; 50 without it"),
    Flag.optional
  ),
  ...operatorFlags
}

interface Asked extends OperatorFlags {
  readonly type: Option.Option<string>
  readonly top: Option.Option<number>
}

/** One line an actor. */
export const actorsTable = (actors: ReadonlyArray<ActorReport>): string =>
  tableOf(actors, [
    ["type", ({ type }) => type],
    ["key", ({ key }) => key],
    ["host", ({ hostId }) => hostId],
    ["state", ({ state }) => state],
    ["rate/s", ({ rate }) => rate.toFixed(1), "right"],
    ["mailbox", ({ mailbox }) => String(mailbox), "right"],
    ["p99 ms", ({ p99Ms }) => p99Ms.toFixed(1), "right"],
    ["epoch", ({ epoch }) => String(epoch), "right"],
    ["messages", ({ messages }) => String(messages), "right"]
  ])

const typeOf = (type: Option.Option<string>) => (Option.isSome(type) ? { type: type.value } : {})

const list = Effect.fnUntraced(function* (asked: Asked) {
  const { top, type } = asked
  const request = { ...typeOf(type), ...(Option.isSome(top) && { top: top.value }) }
  const told = yield* withAdmin(asked, "actors", request)
  const { actors, residents, silent } = told
  const text = `${actorsTable(actors)}\n${actors.length} shown, ${residents} live`
  yield* printData(asked.format === "json" ? JSON.stringify(told) : text)
  if (silent.length === 0) return ExitCode.complete
  yield* printNote(asked.format === "json" ? JSON.stringify({ silent }) : `did not answer: ${silent.join(", ")}`)
  return ExitCode.partial
})

interface Named extends OperatorFlags {
  readonly type: string
  readonly key: string
}

const one = {
  type: Argument.String("type").pipe(Argument.withDescription("Type of the actor")),
  key: Argument.String("key").pipe(Argument.withDescription("Key of the actor")),
  ...operatorFlags
}

const release = Command.make("release", one, (asked: Named) =>
  Effect.gen(function* () {
    const { format, key, type } = asked
    const told = yield* withAdmin(asked, "release", { type, key })
    const how = told.epoch === 0 ? "is stopped, and has no record" : `is released: its epoch is ${told.epoch} now`
    const text = `${type}/${key} ${how}, and its next message starts it again`
    yield* printData(format === "json" ? JSON.stringify(told) : text)
    return ExitCode.complete
  }).pipe(finish(asked.format))
).pipe(
  Command.withDescription(
    "Takes an actor out of the hands of whoever has it: its epoch is raised, so that an activation that hangs " +
      "somewhere can't write any more. Its next message starts it again, also where it had given up."
  ),
  Command.withShortDescription("Frees an actor that hangs or has given up"),
  Command.withExamples([{ command: "seamless actors release counter clicks" }])
)

/** One line a dead letter. */
export const lettersTable = (letters: ReadonlyArray<DeadLetter>): string =>
  tableOf(letters, [
    ["id", ({ id }) => id],
    ["type", ({ to }) => to.type],
    ["key", ({ to }) => to.key],
    ["message", ({ message }) => message],
    ["host", ({ hostId }) => hostId],
    ["epoch", ({ epoch }) => String(epoch), "right"],
    ["at", ({ at }) => isoTime(at)],
    ["reason", ({ reason }) => reason.split("\n", 1)[0] ?? ""]
  ])

const lettersText = ({ letters, total }: AdminAnswer<"letters">): string =>
  total === letters.length
    ? lettersTable(letters)
    : `${lettersTable(letters)}\nthe newest ${letters.length} of ${total}: name a --type to see others`

const letters = Command.make(
  "letters",
  { type: typeFlag, ...operatorFlags },
  (asked: OperatorFlags & { readonly type: Option.Option<string> }) =>
    Effect.gen(function* () {
      const told = yield* withAdmin(asked, "letters", typeOf(asked.type))
      yield* printData(asked.format === "json" ? JSON.stringify(told) : lettersText(told))
      return ExitCode.complete
    }).pipe(finish(asked.format))
).pipe(
  Command.withDescription("Lists the messages upon which actors failed, the newest last; JSON has where and why."),
  Command.withShortDescription("Lists the dead letters"),
  Command.withExamples([{ command: "seamless actors letters --type counter" }])
)

const replay = Command.make(
  "replay",
  { id: Argument.String("id").pipe(Argument.withDescription("Id of the dead letter")), ...operatorFlags },
  (asked: OperatorFlags & { readonly id: string }) =>
    Effect.gen(function* () {
      const told = yield* withAdmin(asked, "replay", { id: asked.id })
      const text = `${told.type}/${told.key} has handled ${told.id}, which is no dead letter any more`
      yield* printData(asked.format === "json" ? JSON.stringify(told) : text)
      return ExitCode.complete
    }).pipe(finish(asked.format))
).pipe(
  Command.withDescription(
    "Sends a dead letter's message to its actor again. It has the same id, so it takes effect once at most; the " +
      "letter is removed when the message was handled, and stays where the actor fails upon it again."
  ),
  Command.withShortDescription("Sends a dead letter again"),
  Command.withExamples([{ command: "seamless actors replay k3v9x0" }])
)

/** `seamless actors`: the busiest actors; and what to do about those that are in trouble. */
export const actors = Command.make("actors", flags, (asked: Asked) => finish(asked.format)(list(asked))).pipe(
  Command.withDescription(
    "Lists the actors that live, the busiest first. Exit codes: 0 complete, 2 wrong usage, 3 some hosts did not " +
      "answer (they are on the error output), 4 failed."
  ),
  Command.withShortDescription("Lists the busiest actors, and helps those in trouble"),
  Command.withSubcommands([release, letters, replay]),
  Command.withExamples([
    { command: "seamless actors --type counter --top 10", description: "The ten busiest of a type" },
    { command: "seamless actors letters", description: "The messages upon which actors failed" }
  ])
)
