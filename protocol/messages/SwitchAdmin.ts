/** What does an operator ask of switches, and what is answered? */
import { Schema } from "effect"
import { SwitchName, SwitchReason, SwitchWord } from "../Switches.ts"

/** A switch as it stands. */
export const SwitchReport = Schema.Struct({
  name: SwitchName,
  kind: Schema.Literals(["flag", "kill"]),
  on: Schema.Boolean,
  /** How it is without anybody's word. */
  onByDefault: Schema.Boolean,
  means: Schema.String,
  /** Who turned it last; null where nobody has. */
  word: Schema.NullOr(SwitchWord)
})
export type SwitchReport = typeof SwitchReport.Type

/** The verbs about switches. */
export const switchAdmin = {
  /** Every switch, as the host that answers knows it. `version` counts the changes. */
  switches: {
    request: Schema.Struct({}),
    answer: Schema.Struct({ version: Schema.Int, switches: Schema.Array(SwitchReport) }),
    example: {}
  },
  /** Turns a switch, for all hosts, at once. One that stands so already is left as it is. */
  turnSwitch: {
    request: Schema.Struct({ name: SwitchName, on: Schema.Boolean, reason: SwitchReason }),
    answer: Schema.Struct({ version: Schema.Int, changed: Schema.Boolean, switch: SwitchReport }),
    example: { name: "DISABLE_BACKFILL" as const, on: true, reason: "the exchange asked for silence" }
  }
} as const
