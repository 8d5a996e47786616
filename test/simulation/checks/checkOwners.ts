/**
 * Does only the owner of a slot write the records of its actors? (Invariants 1 and 2)
 *
 * Each commit names the slot and the epoch by which it was made: the slot's record says whose that epoch is. And each
 * root is in the audit stream before there is another one.
 */
import { keyOf } from "../../../protocol/wire/StreamSpec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import type { RunRecord } from "../RunRecord.ts"

/** Commits by hosts that never had the slot in that epoch. */
const checkCommits = ({ coverage, registers, slots }: RunRecord): ReadonlyArray<string> => {
  const owners = new Map<string, string>()
  for (const { record, subject } of slots) {
    if (record.owner !== "") owners.set(`${keyOf(Stream.slots, subject)} ${record.slotEpoch}`, record.owner)
  }
  return [...coverage, ...registers].flatMap(({ record: { owner, slot, slotEpoch }, revision, subject }) =>
    slot === undefined || owners.get(`${slot} ${slotEpoch}`) === owner
      ? []
      : [`${subject} at revision ${revision}: ${owner} never had slot ${slot} in epoch ${slotEpoch}`]
  )
}

/** Roots that were replaced before they were in the audit stream. */
const checkAudited = ({ audited, roots }: RunRecord): ReadonlyArray<string> => {
  const firstAt = new Map<string, number>()
  for (const { atOrder, subject, version } of audited) {
    const key = `${subject.slice(subject.indexOf(".audit.") + 7)} ${version}`
    if (!firstAt.has(key)) firstAt.set(key, atOrder)
  }
  const last = new Map<string, RunRecord["roots"][number]>()
  return roots.flatMap((written) => {
    const before = last.get(written.subject)
    last.set(written.subject, written)
    if (before === undefined || before.root.version === 0 || before.root.version === written.root.version) return []
    const key = `${keyOf(Stream.coverage, written.subject)} ${before.root.version}`
    return (firstAt.get(key) ?? Infinity) < written.atOrder
      ? []
      : [`root of ${written.subject} at revision ${written.revision}: version ${before.root.version} is in no audit`]
  })
}

/** Who has written what was not theirs to write, or before its time. */
export const checkOwners = (run: RunRecord): ReadonlyArray<string> => [...checkCommits(run), ...checkAudited(run)]
