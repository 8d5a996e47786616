/**
 * Did ever two write as one, or one after it was replaced? (Invariants 1 and 2)
 *
 * By what was committed: the epochs of a record only grow, each belongs to one owner, and a slot's epoch rises whenever
 * it changes hands. Roots follow each other link by link.
 */
import { keyOf } from "../../../protocol/wire/StreamSpec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as ActorHistory from "../../support/ActorHistory.ts"
import type { RunRecord } from "../RunRecord.ts"

/** Which writes the invariants of writers forbid, and what there is of them. */
export const checkWriters = ({ coverage, registers, slots }: RunRecord): ReadonlyArray<string> => {
  const commits = [...coverage, ...registers].map(({ record: { epoch, owner, slotEpoch }, revision, subject }) => ({
    key: subject,
    revision,
    epoch,
    owner,
    slotEpoch
  }))
  const problems = ActorHistory.violations(commits).map((problem) => `two writers: ${problem}`)
  const last = new Map<string, { readonly owner: string; readonly slotEpoch: number }>()
  for (const { record, revision, subject } of slots) {
    const before = last.get(subject)
    last.set(subject, record)
    if (before === undefined) continue
    const slot = keyOf(Stream.slots, subject)
    if (record.slotEpoch < before.slotEpoch) {
      problems.push(`slot ${slot} at revision ${revision}: epoch ${record.slotEpoch} after ${before.slotEpoch}`)
    }
    const changesHands = record.owner !== before.owner && record.owner !== ""
    if (changesHands && record.slotEpoch <= before.slotEpoch) {
      problems.push(`slot ${slot} at revision ${revision}: another owner in epoch ${record.slotEpoch}`)
    }
  }
  return problems
}
