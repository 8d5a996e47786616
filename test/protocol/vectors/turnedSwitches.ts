/** What is the golden record of switches, and the golden audit line of its newest change? */
import { Option, Schema } from "effect"
import { SwitchChange, SwitchRecord, switchesKey } from "../../../protocol/Switches.ts"
import { settings } from "../../../protocol/wire/SettingsBucket.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { changeIn } from "../../../runtime/Switches.ts"

const record: SwitchRecord = {
  format: 1,
  version: 2,
  changed: "enable_detached_backfill",
  words: {
    DISABLE_BACKFILL: { on: true, by: "alice", at: 1_700_000_000_000, reason: "the exchange asked for silence" },
    enable_detached_backfill: { on: false, by: "bob", at: 1_700_000_060_000, reason: "the queue is long" }
  },
  nonce: "0123456789abcdef"
}

/** Two switches that were turned. */
export const turnedSwitches = {
  record: { subject: keySubject(settings, switchesKey), value: Schema.encodeSync(SwitchRecord)(record) },
  audit: {
    subject: Subject.audit(switchesKey),
    value: Schema.encodeSync(SwitchChange)(Option.getOrThrow(changeIn(record)))
  }
}
