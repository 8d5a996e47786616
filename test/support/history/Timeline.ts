/**
 * Which operations can be placed next?
 *
 * The invocations and completions that are still to be placed, in their order, in a list that can be cut and mended in
 * constant time (Wing and Gong, as Lowe has it). What stands before the first completion overlaps with it, so each of
 * these may be next, and nothing else may.
 */
import type { Operation } from "./Operation.ts"

/** The operations that are still to be placed. A place of 0 is the end. */
export interface Timeline {
  /** The first place; an invocation unless all is placed. */
  readonly first: () => number
  readonly after: (place: number) => number
  /** Whether an operation completes at the place. */
  readonly isCompletion: (place: number) => boolean
  /** The operation whose invocation or completion is at the place. */
  readonly operationAt: (place: number) => number
  /** The operation that completes first; none may be asked for where all is placed. */
  readonly firstDue: () => number
  /** Takes an operation out. */
  readonly remove: (operation: number) => void
  /** Puts back the operation that was taken out last. */
  readonly putBack: (operation: number) => void
}

interface Event {
  readonly at: number
  readonly operation: number
  readonly isCompletion: boolean
}

// an operation that begins when another ends overlaps with it: the doubt is the object's
const inOrder = (a: Event, b: Event): number =>
  a.at === b.at ? Number(a.isCompletion) - Number(b.isCompletion) : a.at - b.at

const eventsOf = (operations: ReadonlyArray<Operation<unknown, unknown>>): ReadonlyArray<Event> =>
  operations
    .flatMap(({ completedAt, invokedAt }, operation) => [
      { at: invokedAt, operation, isCompletion: false },
      { at: completedAt, operation, isCompletion: true }
    ])
    .toSorted(inOrder)

/** The timeline of operations that are sorted by invocation. */
export const make = (operations: ReadonlyArray<Operation<unknown, unknown>>): Timeline => {
  const events = eventsOf(operations)
  const next = Int32Array.from({ length: events.length + 1 }, (_, place) => (place < events.length ? place + 1 : 0))
  const previous = Int32Array.from({ length: events.length + 1 }, (_, place) => place - 1)
  const invocations = new Int32Array(operations.length)
  const completions = new Int32Array(operations.length)
  for (const [index, { isCompletion, operation }] of events.entries()) {
    const places = isCompletion ? completions : invocations
    places[operation] = index + 1
  }
  const isCompletion = (place: number): boolean => events[place - 1]!.isCompletion
  const operationAt = (place: number): number => events[place - 1]!.operation
  const cut = (place: number): void => {
    next[previous[place]!] = next[place]!
    if (next[place]! !== 0) previous[next[place]!] = previous[place]!
  }
  const mend = (place: number): void => {
    next[previous[place]!] = place
    if (next[place]! !== 0) previous[next[place]!] = place
  }
  return {
    first: () => next[0]!,
    after: (place) => next[place]!,
    isCompletion,
    operationAt,
    firstDue: () => {
      let place = next[0]!
      while (!isCompletion(place)) place = next[place]!
      return operationAt(place)
    },
    remove: (operation) => {
      cut(invocations[operation]!)
      cut(completions[operation]!)
    },
    putBack: (operation) => {
      mend(completions[operation]!)
      mend(invocations[operation]!)
    }
  }
}
