/**
 * Did each operation on an actor take effect once, and each answered one at all? (Invariants 1, 6 and 9)
 *
 * A register remembers what was done to it, in order. So its state at the end, together with what callers were told,
 * says whether anything was lost, doubled or reordered.
 */
import type { Operation } from "../History.ts"
import type { State } from "../Register.ts"

const isState = (answer: unknown): answer is State => typeof answer === "object" && answer !== null && "done" in answer

/** The state of a register; undefined for anything else. */
export const stateOf = (answer: unknown): State | undefined => (isState(answer) ? answer : undefined)

const isPlace = (answer: unknown): answer is { readonly place: number } =>
  typeof answer === "object" && answer !== null && "place" in answer

const doubled = (items: ReadonlyArray<string>): ReadonlyArray<string> =>
  items.filter((item, index) => items.indexOf(item) !== index)

const isWrite = ({ what }: Operation): boolean => ["append", "tell", "ringLater", "pass"].includes(what)

const isPassed = (id: string): boolean => id.endsWith(" passed")

/** Judges one register by its last state. */
const checkOne = (
  key: string,
  { done, rung }: State,
  operations: ReadonlyArray<Operation>,
  isRolledBack: boolean
): ReadonlyArray<string> => {
  // an actor whose state storage has lost does again what it did to others, and nobody could know
  const isExcused = (id: string): boolean => isRolledBack && isPassed(id)
  const problems = [
    ...doubled(done.filter((id) => !isExcused(id))).map((id) => `${key}: ${id} took effect twice`),
    ...doubled(rung).map((id) => `${key}: timer ${id} took effect twice`)
  ]
  const asked = new Set(operations.map(({ id }) => id))
  for (const id of done) if (!asked.has(id) && !isPassed(id)) problems.push(`${key}: nobody asked for ${id}`)
  const placeOf = new Map(done.map((id, place) => [id, place]))
  for (const operation of operations) {
    const { answer, id, outcome, what } = operation
    if (!isWrite(operation) || outcome !== "ok" || what === "tell" || isRolledBack) continue
    const place = placeOf.get(id)
    if (place === undefined) problems.push(`${key}: ${what} ${id} was answered, and is not there`)
    else if (isPlace(answer) && answer.place !== place) {
      problems.push(`${key}: ${id} was told place ${answer.place}, and is at ${place}`)
    }
  }
  return problems
}

/** What was answered before another was begun comes before it. */
const checkOrder = (key: string, { done }: State, operations: ReadonlyArray<Operation>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  let latestBegun = { id: "", atMs: -Infinity }
  for (const id of done) {
    const operation = byId.get(id)
    if (operation === undefined) continue
    const isAnswered = operation.outcome === "ok" && operation.what !== "tell"
    if (isAnswered && operation.completedAtMs < latestBegun.atMs) {
      problems.push(`${key}: ${id} was answered before ${latestBegun.id} was begun, and comes after it`)
    }
    if (operation.invokedAtMs > latestBegun.atMs) latestBegun = { id, atMs: operation.invokedAtMs }
  }
  return problems
}

/** A read sees all that was answered before it was begun. */
const checkSeen = (key: string, operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  operations.flatMap((read) => {
    const { answer } = read
    if (read.what !== "read" || read.outcome !== "ok" || !isState(answer)) return []
    const seen = new Set(answer.done)
    return operations
      .filter((write) => isWrite(write) && write.outcome === "ok" && write.what !== "tell")
      .filter((write) => write.completedAtMs < read.invokedAtMs && !seen.has(write.id))
      .map((write) => `${key}: read ${read.id} does not see ${write.id}, which was answered before it`)
  })

/** What became of operations on actors that must not; `isRolledBack` where storage has lost what it had acknowledged. */
export const checkRegisters = (all: ReadonlyArray<Operation>, isRolledBack: boolean): ReadonlyArray<string> => {
  const byKey = Map.groupBy(
    all.filter(({ about }) => !about.includes(" ")),
    ({ about }) => about
  )
  return Array.from(byKey).flatMap(([key, operations]) => {
    const last = operations.at(-1)
    if (last === undefined || !isState(last.answer)) return [`${key}: did not answer at the end (${last?.outcome})`]
    const problems = [
      ...checkOne(key, last.answer, operations, isRolledBack),
      ...checkOrder(key, last.answer, operations)
    ]
    return isRolledBack ? problems : [...problems, ...checkSeen(key, operations)]
  })
}
