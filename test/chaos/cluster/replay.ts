/**
 * Does what was committed, in the order of its revisions, agree with what clients were told?
 *
 * Each record of an actor tells which operations took effect, so every addition can be found: in one commit, which
 * raised the count by just its amount.
 */
import type { StateRecord } from "../../../protocol/wire/StateRecord.ts"
import * as ActorHistory from "../../support/ActorHistory.ts"
import type { Recorded, RecordedCommit } from "../../support/members/recordedCommits.ts"
import type { Operation } from "./History.ts"

/** A counter as its record has it. */
interface Counter {
  readonly count: number
  readonly rings: number
}

const counterOf = ({ state }: StateRecord): Counter => {
  const { count = 0, rings = 0 } = state as Partial<Counter>
  return { count, rings }
}

/** The operations that a record has and the one before it had not. */
const newOperations = (before: StateRecord | undefined, { operations = [] }: StateRecord) => {
  const known = new Set(before?.operations?.map(({ id }) => id))
  return operations.filter(({ id }) => !known.has(id))
}

/** The count that an operation was answered; undefined where it was answered something else. */
const answeredCount = (answer: unknown): number | undefined => {
  const { body } = answer as { readonly body?: { readonly count?: number } | null }
  return body?.count
}

/** What replaying finds out. */
export interface Replayed {
  readonly violations: ReadonlyArray<string>
  /** All operations that took effect, by id, with the count that each was answered. */
  readonly effects: ReadonlyMap<string, number | undefined>
  /** By key, as the last commit has it. */
  readonly counters: ReadonlyMap<string, Counter>
}

/** Replays the commits of counters; `amounts` is what each operation adds, by its id. */
export const replayCounters = (
  commits: ReadonlyArray<RecordedCommit>,
  amounts: ReadonlyMap<string, number>
): Replayed => {
  const last = new Map<string, StateRecord>()
  const effects = new Map<string, number | undefined>()
  const violations: Array<string> = []
  for (const { key, record, revision } of commits) {
    const before = last.get(key)
    const fresh = newOperations(before, record)
    const ids = fresh.map(({ id }) => id)
    const was = before === undefined ? 0 : counterOf(before).count
    const expected = ids.reduce((sum, id) => sum + (amounts.get(id) ?? 0), was)
    const { count } = counterOf(record)
    const where = `${key} at revision ${revision}`
    if (count !== expected) violations.push(`${where}: ${count}, where ${ids.join(", ")} make ${expected} of ${was}`)
    for (const id of ids.filter((each) => effects.has(each))) violations.push(`${where}: ${id} took effect again`)
    for (const { answer, id } of fresh) effects.set(id, answeredCount(answer))
    last.set(key, record)
  }
  const counters = new Map([...last].map(([key, record]) => [key, counterOf(record)]))
  return { violations: [...ActorHistory.violations(commits), ...violations], effects, counters }
}

/** Failures that a fault may bring about; any other is one of the program's own. */
const explained = [
  "DeadlineExceeded",
  "ActorUnavailable",
  "MeshUnavailable",
  "MailboxFull",
  "ActorStopped",
  "NoHostAnswers",
  "SourceUnavailable"
]

/** Operations that failed in a way that no fault explains. */
export const unexplained = (operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  operations
    .filter(({ outcome, output }) => outcome !== "ok" && !explained.includes(String(output)))
    .map(({ id, key, output, what }) => `${id}: ${what} of ${key} failed with ${String(output)}`)

/** What was promised to clients, and is not so. */
export const brokenPromises = (
  operations: ReadonlyArray<Operation>,
  { effects }: Pick<Replayed, "effects">
): ReadonlyArray<string> =>
  operations.flatMap(({ id, key, outcome, output, what }) => {
    if (what !== "add" && what !== "ring") return []
    if (outcome === "ok" && !effects.has(id)) return [`${id}: ${what} to ${key} was acknowledged, and is nowhere`]
    const told = what === "add" && outcome === "ok" ? answeredCount({ body: output }) : undefined
    if (told !== undefined && told !== effects.get(id)) {
      return [`${id}: ${what} to ${key} was answered ${told}, and its record says ${effects.get(id)}`]
    }
    const isDenied = outcome === "error" && effects.has(id)
    return isDenied ? [`${id}: ${what} to ${key} was refused (${String(output)}), and took effect`] : []
  })

/** What is wrong with who had which slot: at most one owner an epoch, and epochs that only grow. */
export const slotViolations = (slots: ReadonlyArray<Recorded>): ReadonlyArray<string> =>
  ActorHistory.violations(slots.flatMap(ownedSlot))

/** A slot's record as the commit of its owner; nothing where it was given back. */
const ownedSlot = ({ key, revision, value }: Recorded): ReadonlyArray<ActorHistory.ActorCommit> => {
  const { owner, slotEpoch } = value as { readonly owner: string; readonly slotEpoch: number }
  return owner === "" ? [] : [{ key: `slot ${key}`, revision, epoch: slotEpoch, slotEpoch, owner }]
}

/** Commits of one who did not have the actor's slot in the epoch that the commit names. */
export const foreignCommits = (
  commits: ReadonlyArray<RecordedCommit>,
  slots: ReadonlyArray<Recorded>
): ReadonlyArray<string> => {
  const owners: ReadonlyMap<string, string> = new Map(
    slots.flatMap(ownedSlot).map(({ epoch, key, owner }) => [`${key} ${epoch}`, owner] as const)
  )
  return commits.flatMap(({ key, owner, record, revision, slotEpoch }) => {
    const rightful = owners.get(`slot ${record.slot} ${slotEpoch}`)
    const where = `${key} at revision ${revision}, slot ${record.slot} epoch ${slotEpoch}`
    return owner === rightful ? [] : [`${where}: committed by ${owner}, and the slot was ${rightful}'s`]
  })
}

/** When slots changed hands, from `fromMs` of the wall clock on. */
export const failovers = (
  slots: ReadonlyArray<Recorded>
): ReadonlyArray<{ readonly key: string; readonly atMs: number }> => {
  const epochs = new Map<string, number>()
  return slots.flatMap(({ atMs, key, value }) => {
    const { owner, slotEpoch } = value as { readonly owner: string; readonly slotEpoch: number }
    const isRaised = owner !== "" && slotEpoch > (epochs.get(key) ?? 0)
    epochs.set(key, Math.max(slotEpoch, epochs.get(key) ?? 0))
    return isRaised ? [{ key, atMs }] : []
  })
}
