/**
 * Is nobody taken for dead to whom nothing has happened?
 *
 * An outage of the server ends the sessions of all hosts at once, and none of them has died. A slot that goes from one
 * owner to another without having been given back was taken from a host that crashed, stood still or was cut off.
 */
import { keyOf } from "../../../protocol/wire/StreamSpec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import type { Fault } from "../History.ts"
import type { RunRecord } from "../RunRecord.ts"
import { hurtSince } from "./hurtSince.ts"

/** Slots that were taken from hosts that lived and could be reached. */
export const checkBurials = ({ processes, slots }: RunRecord, faults: ReadonlyArray<Fault>): ReadonlyArray<string> => {
  const hurt = hurtSince(faults)
  const problems: Array<string> = []
  const owners = new Map<string, string>()
  for (const { atMs, record, revision, subject } of slots) {
    const before = owners.get(subject) ?? ""
    owners.set(subject, record.owner)
    if (before === "" || record.owner === "" || before === record.owner) continue
    const taken = processes.get(before) ?? before
    if ((hurt.get(taken) ?? Infinity) <= atMs) continue
    const slot = keyOf(Stream.slots, subject)
    const by = processes.get(record.owner) ?? record.owner
    problems.push(
      `slot ${slot} at ${atMs.toFixed(0)} ms, revision ${revision}: taken by ${by} from ${taken}, which lives`
    )
  }
  return problems
}
