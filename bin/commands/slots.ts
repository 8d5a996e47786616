/** How is it seen from the command line which host owns which slots? */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { SlotReport } from "../../protocol/wire/ActorReport.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData } from "../print.ts"
import { orAbsent, tableOf } from "../tableOf.ts"
import { withAdmin } from "../withClient.ts"

const flags = {
  label: Flag.String("label").pipe(
    Flag.withMetavar("L"),
    Flag.withDescription("Only the slots of actors that carry this label; an empty one is those without label"),
    Flag.optional
  ),
  all: Flag.Boolean("all").pipe(
    Flag.withDescription("Each slot on a line of its own; JSON has them all anyway"),
    Flag.withDefault(false)
  ),
  ...operatorFlags
}

interface Asked extends OperatorFlags {
  readonly label: Option.Option<string>
  readonly all: boolean
}

/** The slots of one label and one owner. */
interface Group {
  readonly label: string
  readonly owner: string
  slots: number
  misplaced: number
}

const isMisplaced = ({ desired, hostId }: SlotReport): boolean => hostId !== desired

// a slot without a living owner is told of as such, since nobody has its actors
const ownerText = ({ hostId, owner }: SlotReport): string =>
  hostId !== "" ? hostId : owner === "" ? "(nobody)" : `(gone: ${owner})`

const groupsOf = (slots: ReadonlyArray<SlotReport>): ReadonlyArray<Group> => {
  const groups = new Map<string, Group>()
  for (const slot of slots) {
    const [label, owner] = [slot.label, ownerText(slot)]
    const key = JSON.stringify([label, owner])
    const group = groups.get(key) ?? { label, owner, slots: 0, misplaced: 0 }
    group.slots += 1
    if (isMisplaced(slot)) group.misplaced += 1
    groups.set(key, group)
  }
  return Array.from(groups.values())
}

/** Slots by label and owner, with how many of them should be another's. */
export const slotsSummary = (slots: ReadonlyArray<SlotReport>): string =>
  tableOf(groupsOf(slots), [
    ["label", ({ label }) => orAbsent(label)],
    ["host", ({ owner }) => owner],
    ["slots", ({ slots }) => String(slots), "right"],
    ["misplaced", ({ misplaced }) => String(misplaced), "right"]
  ])

/** One line a slot. */
export const slotsTable = (slots: ReadonlyArray<SlotReport>): string =>
  tableOf(slots, [
    ["label", ({ label }) => orAbsent(label)],
    ["slot", ({ slot }) => String(slot), "right"],
    ["host", ownerText],
    ["desired", ({ desired }) => orAbsent(desired)],
    ["epoch", ({ slotEpoch }) => String(slotEpoch), "right"]
  ])

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const told = yield* withAdmin(asked, "slots", {})
  const slots = told.slots.filter(({ label }) => Option.getOrElse(asked.label, () => label) === label)
  const text = asked.all ? slotsTable(slots) : slotsSummary(slots)
  yield* printData(asked.format === "json" ? JSON.stringify({ slots }) : text)
  return ExitCode.complete
})

/** `seamless slots`: who owns what, and what should be another's. */
export const slots = Command.make("slots", flags, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Shows how many slots of each label a host owns, and how many of them should be another's, which are on their " +
      "way to it. Slots of nobody, or of an owner that is gone, are told of beside them."
  ),
  Command.withShortDescription("Shows who owns which slots"),
  Command.withExamples([
    { command: "seamless slots" },
    { command: "seamless slots --label strategies --all", description: "Each slot of the actors of a label" }
  ])
)
