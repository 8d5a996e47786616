/**
 * Is there an order of one object's operations that explains all their outputs?
 *
 * A search in depth: of those that may be next, one is placed that the model allows, and where none is left the last
 * one is taken back. Where the search has been before it does not go again.
 */
import type { Model, Operation } from "./Operation.ts"
import * as Position from "./Position.ts"

/** Where the search got furthest: the order so far, the state that it led to, and what could not be placed then. */
export interface DeadEnd {
  /** The last operations of the order. */
  readonly placed: ReadonlyArray<Operation<unknown, unknown>>
  /** The state that they led to. */
  readonly state: unknown
  /** The one that had to be placed by then, since others began after it had ended. */
  readonly due: Operation<unknown, unknown>
  /** The others that might have been next. */
  readonly others: ReadonlyArray<Operation<unknown, unknown>>
  /** How many of the order have an unknown outcome. */
  readonly unknownCount: number
}

/** What the search came to, and how many states it went through. */
export type Found =
  | { readonly _tag: "Order"; readonly states: number }
  | { readonly _tag: "NoOrder"; readonly states: number; readonly deadEnd: DeadEnd }
  | { readonly _tag: "GaveUp"; readonly states: number }

/** So many of the last operations tell how it came to a dead end. */
const shownMax = 8

/** No other choice: nothing is lost where what is idle is placed at once. */
const settled: Position.Cursor = { place: 0, unknown: Infinity }

/** What may be placed next at a position, one after the other. */
const makeChoices = <State, Input, Output>(
  at: Position.Position<State, Input, Output>,
  model: Model<State, Input, Output>
) => {
  type Choice = Position.Move<State> | undefined

  const isSame = (state: State): boolean => state === at.state() || model.keyOf(state) === model.keyOf(at.state())

  /** Of the known ones from a place on, the first that fits; of the idle ones, where these are asked for. */
  const known = (from: number, mustBeIdle: boolean): Choice => {
    for (let place = from; place > 0 && !at.timeline.isCompletion(place); place = at.timeline.after(place)) {
      const index = at.timeline.operationAt(place)
      const { input, output } = at.known[index]!
      const state = model.step(at.state(), input, output)
      if (state === undefined || (mustBeIdle && !isSame(state))) continue
      const cursor = mustBeIdle ? settled : { place: at.timeline.after(place), unknown: 0 }
      return { isKnown: true, index, state, cursor }
    }
    return undefined
  }

  const unknown = (from: number): Choice => {
    if (from >= at.unknown.length) return undefined
    const { completedAt } = at.due()
    for (let index = from; index < at.unknown.length; index++) {
      const { input, invokedAt } = at.unknown[index]!
      if (invokedAt > completedAt) return undefined
      const state = at.isUnknownPlaced(index) ? undefined : model.step(at.state(), input, undefined)
      // one that changes nothing here may as well never take effect
      if (state === undefined || isSame(state)) continue
      return { isKnown: false, index, state, cursor: { place: 0, unknown: index + 1 } }
    }
    return undefined
  }

  return {
    first: (): Choice => {
      const place = at.timeline.first()
      const idle = model.idleStaysIdle ? known(place, true) : undefined
      return idle ?? known(place, false) ?? unknown(0)
    },
    after: ({ place, unknown: index }: Position.Cursor): Choice => known(place, false) ?? unknown(index)
  }
}

/** The dead end that the search is at, or an earlier one that was further, or needed fewer of the unknown ones. */
const furthest = <State, Input, Output>(
  at: Position.Position<State, Input, Output>,
  before: DeadEnd | undefined
): DeadEnd => {
  const due = at.due()
  const unknownCount = at.unknownCount()
  if (before !== undefined && before.due.completedAt > due.completedAt) return before
  const isAsFar = before?.due.completedAt === due.completedAt
  if (before !== undefined && isAsFar && before.unknownCount <= unknownCount) return before
  const path = at.path()
  const placed = new Set(path)
  const others = at.known.filter((other) => other !== due && other.invokedAt <= due.completedAt && !placed.has(other))
  return { placed: path.slice(-shownMax), state: at.state(), due, others, unknownCount }
}

/** Looks for an order, through `statesMax` states at most. */
export const searchOrder = <State, Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>,
  statesMax: number
): Found => {
  const at = Position.make(operations, model)
  const choices = makeChoices(at, model)
  let states = 0
  let deadEnd: DeadEnd | undefined
  let choice = at.isDone() ? undefined : choices.first()
  while (!at.isDone()) {
    if (choice === undefined) {
      deadEnd = furthest(at, deadEnd)
      const cursor = at.takeBack()
      if (cursor === undefined) return { _tag: "NoOrder", states, deadEnd }
      choice = choices.after(cursor)
      continue
    }
    if (++states > statesMax) return { _tag: "GaveUp", states }
    at.place(choice)
    if (at.isDone()) break
    choice = at.enter() ? choices.first() : choices.after(at.takeBack()!)
  }
  return { _tag: "Order", states }
}
