/**
 * What can an operator turn on and off while a cluster runs?
 *
 * Flags and kill switches: each with what it is without anybody's word, and what it means. All of them are one record
 * in KV, which every host follows: a change takes effect everywhere within moments, and without a restart.
 */
import { Schema } from "effect"

/** Every switch: how it stands where nobody has said otherwise, what it does, and what holds while it is off. */
export const switches = {
  /** No request to a source begins, on any host. What is asked at the moment may finish its page. */
  DISABLE_BACKFILL: {
    kind: "kill",
    isOn: false,
    means: "no request to a source begins, and no job is opened; what is queued stays so",
    offMeans: "requests to sources begin and jobs are opened as usual; what was queued goes on"
  },
  /** Every read is answered as `fail_fast`, whatever it asks. */
  FORCE_FAIL_FAST: {
    kind: "kill",
    isOn: false,
    means: "every read is answered as fail_fast, whatever it asks",
    offMeans: "every read is answered by the strategy that it asks for"
  },
  /** Gaps are handed to the coordination, which opens jobs for them. */
  enable_coordinator: {
    kind: "flag",
    isOn: true,
    means: "gaps become jobs; off: none is opened, and those that are there go on",
    offMeans: "no job is opened for a gap; those that are there go on"
  },
  /** What is not waited for is queued all the same. */
  enable_detached_backfill: {
    kind: "flag",
    isOn: true,
    means: "gaps that no reader waits for are filled, too; off: only those that one waits for",
    offMeans: "only gaps that a reader waits for are filled"
  }
} as const satisfies Readonly<
  Record<
    string,
    { readonly kind: "flag" | "kill"; readonly isOn: boolean; readonly means: string; readonly offMeans: string }
  >
>

/** The name of a switch. */
export const SwitchName = Schema.Literals([
  "DISABLE_BACKFILL",
  "FORCE_FAIL_FAST",
  "enable_coordinator",
  "enable_detached_backfill"
])
export type SwitchName = typeof SwitchName.Type

/** The most characters of a reason. */
const reasonLengthMax = 500

/** Why somebody turned it; kept with it. */
export const SwitchReason = Schema.String.check(Schema.isBetweenLength(1, reasonLengthMax))

/** What somebody said of one switch. */
export const SwitchWord = Schema.Struct({
  on: Schema.Boolean,
  by: Schema.String,
  /** Epoch milliseconds, by the clock of the host that took the word. */
  at: Schema.Finite,
  reason: Schema.String
})
export type SwitchWord = typeof SwitchWord.Type

/** The record of all switches: the last word on each that somebody has turned. */
export const SwitchRecord = Schema.Struct({
  format: Schema.Literal(1),
  /** Counts the changes, from 1. */
  version: Schema.Int,
  /** The switch that this version turned. */
  changed: Schema.String,
  /** By name; names that a build does not know are kept. */
  words: Schema.Record(Schema.String, SwitchWord),
  /** Tells whose write it is. */
  nonce: Schema.String
})
export type SwitchRecord = typeof SwitchRecord.Type

/** A change of a switch, as the audit stream keeps it: numbered without gaps. */
export const SwitchChange = Schema.Struct({
  format: Schema.Literal(1),
  version: Schema.Int,
  name: Schema.String,
  ...SwitchWord.fields
})
export type SwitchChange = typeof SwitchChange.Type

/** The key of the record in its bucket; and the last token of where its changes are kept. */
export const switchesKey = "switches"

/** What nobody has turned yet. */
export const untouched: SwitchRecord = { format: 1, version: 0, changed: "", words: {}, nonce: "" }

/** Whether a switch is on. */
export const isOn = ({ words }: Pick<SwitchRecord, "words">, name: SwitchName): boolean =>
  words[name]?.on ?? switches[name].isOn

/** The switches that are not as they are without anybody's word. */
export const turned = (record: Pick<SwitchRecord, "words">): ReadonlyArray<SwitchName> =>
  SwitchName.literals.filter((name) => isOn(record, name) !== switches[name].isOn)
