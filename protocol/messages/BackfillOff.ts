/** What is told where an operator has turned off that gaps are filled? */
import { Schema } from "effect"
import { isoTime } from "../history/isoTime.ts"
import { isOn, type SwitchName, type SwitchRecord } from "../Switches.ts"

/** Nobody was asked to fill the gap, by an operator's word: nothing comes until the switch is turned. */
export class BackfillOff extends Schema.TaggedError<BackfillOff>()("BackfillOff", {
  /** The name of the switch, and how it stands. */
  switch: Schema.String,
  on: Schema.Boolean,
  by: Schema.String,
  /** When it was turned, in epoch milliseconds. */
  at: Schema.Finite,
  /** Why, in the words of who turned it. */
  reason: Schema.String
}) {
  override get message() {
    const { at, by, on, reason } = this
    return `${this.switch} is ${on ? "on" : "off"} since ${isoTime(at)}, by ${by}: ${reason}`
  }
}

/** How the switch stands, for whoever is kept from something by it. */
const offBy = ({ words }: SwitchRecord, name: SwitchName): BackfillOff => {
  const { at, by, on, reason } = words[name] ?? { on: false, by: "nobody", at: 0, reason: "" }
  return new BackfillOff({ switch: name, on, by, at, reason })
}

/** Why no request may be sent to a source; undefined where it may. */
export const requestsOff = (record: SwitchRecord): BackfillOff | undefined =>
  isOn(record, "DISABLE_BACKFILL") ? offBy(record, "DISABLE_BACKFILL") : undefined

/** Why no job is opened; undefined where jobs are. */
export const jobsOff = (record: SwitchRecord): BackfillOff | undefined =>
  requestsOff(record) ?? (isOn(record, "enable_coordinator") ? undefined : offBy(record, "enable_coordinator"))

/** Why nothing is filled that nobody waits for; undefined where it is. */
export const detachedOff = (record: SwitchRecord): BackfillOff | undefined =>
  jobsOff(record) ?? (isOn(record, "enable_detached_backfill") ? undefined : offBy(record, "enable_detached_backfill"))
