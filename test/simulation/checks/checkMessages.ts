/**
 * Does what actors set themselves and send each other arrive, and only that? (Invariants 6 and 9)
 *
 * By the last states of all registers: a timer rings because an operation that took effect has set it, and what one
 * has passed to another was asked of the one. Each read is the beginning of what is there in the end.
 */
import type { Operation } from "../History.ts"
import type { State } from "../Register.ts"
import { stateOf } from "./checkRegisters.ts"

const passed = " passed"

/** What of a register's timers, and of what it was passed, has no reason. */
const checkReasons = (key: string, { done, rung }: State, all: ReadonlySet<string>, timers: ReadonlySet<string>) => [
  ...rung.filter((id) => !timers.has(id) || !done.includes(id)).map((id) => `${key}: nobody has set timer ${id}`),
  ...done
    .filter((id) => id.endsWith(passed) && !all.has(id.slice(0, -passed.length)))
    .map((id) => `${key}: ${id}, which no other has done`)
]

/** Reads that are not the beginning of what is there in the end. */
const checkReads = (key: string, { done }: State, operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  operations.flatMap((operation) => {
    const seen = operation.what === "read" ? stateOf(operation.answer) : undefined
    if (seen === undefined || seen.done.every((id, place) => done[place] === id)) return []
    return [`${key}: read ${operation.id} has seen what is not the beginning of what is there in the end`]
  })

/** When a timer that was set has rung for certain: the longest wait, and the time to find that it is due. */
const ringsWithinMs = 9000

/** What became of messages between actors; `lastAtMs` is when the last states were asked for. */
export const checkMessages = (
  all: ReadonlyArray<Operation>,
  { isFaultless, lastAtMs }: { readonly isFaultless: boolean; readonly lastAtMs: number }
): ReadonlyArray<string> => {
  const last = new Map<string, State>()
  for (const { about, answer, id } of all) {
    const state = id.startsWith("last ") ? stateOf(answer) : undefined
    if (state !== undefined) last.set(about, state)
  }
  const done = new Set(Array.from(last.values()).flatMap((state) => state.done))
  const timers = new Set(all.filter(({ what }) => what === "ringLater").map(({ id }) => id))
  const problems = Array.from(last).flatMap(([key, state]) => [
    ...checkReasons(key, state, done, timers),
    ...checkReads(
      key,
      state,
      all.filter(({ about }) => about === key)
    )
  ])
  for (const { about, completedAtMs, id, outcome, untilMs, what } of all) {
    const state = last.get(about)
    if (state === undefined || !done.has(id)) continue
    // one without an answer may have taken effect as long as its time was
    const setByMs = outcome === "ok" ? completedAtMs : untilMs
    const isDue = what === "ringLater" && setByMs + ringsWithinMs < lastAtMs
    if (isDue && !state.rung.includes(id)) problems.push(`${about}: timer ${id} was set, and never took effect`)
    if (what === "pass" && isFaultless && !done.has(`${id}${passed}`))
      problems.push(`${id} was passed on and never came`)
  }
  return problems
}
