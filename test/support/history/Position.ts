/**
 * Where is the search, and how does it go forth and back?
 *
 * A position is what is placed so far and the state that it led to. Operations are numbered by invocation, those with a
 * known outcome and the unknown ones apart: the former must all be placed, the latter may.
 */
import type { Model, Operation } from "./Operation.ts"
import * as Timeline from "./Timeline.ts"
import * as Visited from "./Visited.ts"

/** Those that may be next are looked at in this order: the known ones by place, then the unknown ones. */
export interface Cursor {
  readonly place: number
  readonly unknown: number
}

/** What may be placed next. */
export interface Move<State> {
  readonly isKnown: boolean
  readonly index: number
  /** The state that it leads to. */
  readonly state: State
  /** Where the choice goes on when this one is taken back. */
  readonly cursor: Cursor
}

interface Placed<State> extends Move<State> {
  readonly highestBefore: number
  readonly stateBefore: State
}

/** A position in the search for an order. */
export interface Position<State, Input, Output> {
  readonly known: ReadonlyArray<Operation<Input, Output>>
  readonly unknown: ReadonlyArray<Operation<Input, Output>>
  readonly timeline: Timeline.Timeline
  readonly state: () => State
  readonly isDone: () => boolean
  /** The operation that must be placed before any that is invoked after it; there is one until all is done. */
  readonly due: () => Operation<Input, Output>
  readonly isUnknownPlaced: (index: number) => boolean
  /** How many of the unknown ones are placed. */
  readonly unknownCount: () => number
  readonly place: (move: Move<State>) => void
  /** Takes back what was placed last: gives where the choice goes on, or undefined at the start. */
  readonly takeBack: () => Cursor | undefined
  /** Notes that the search is here; false where nothing new can come of it. */
  readonly enter: () => boolean
  /** What is placed, in order. */
  readonly path: () => ReadonlyArray<Operation<Input, Output>>
}

const byInvocation = (a: Operation<unknown, unknown>, b: Operation<unknown, unknown>): number =>
  a.invokedAt - b.invokedAt

/** The position with nothing placed. */
export const make = <State, Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>
): Position<State, Input, Output> => {
  const known = operations.filter(({ output }) => output !== undefined).toSorted(byInvocation)
  const unknown = operations.filter(({ output }) => output === undefined).toSorted(byInvocation)
  const timeline = Timeline.make(known)
  const visited = Visited.make(known.length)
  const path: Array<Placed<State>> = []
  let state = model.initial
  let left = known.length
  let highest = -1
  let unknownPlaced = 0n
  let unknownCount = 0

  return {
    known,
    unknown,
    timeline,
    state: () => state,
    isDone: () => left === 0,
    due: () => known[timeline.firstDue()]!,
    isUnknownPlaced: (index) => ((unknownPlaced >> BigInt(index)) & 1n) === 1n,
    unknownCount: () => unknownCount,
    place: (move) => {
      path.push({ ...move, highestBefore: highest, stateBefore: state })
      ;({ state } = move)
      if (move.isKnown) {
        timeline.remove(move.index)
        visited.flip(move.index)
        highest = Math.max(highest, move.index)
        left -= 1
      } else {
        unknownPlaced ^= 1n << BigInt(move.index)
        unknownCount += 1
      }
    },
    takeBack: () => {
      const last = path.pop()
      if (last === undefined) return undefined
      state = last.stateBefore
      highest = last.highestBefore
      if (last.isKnown) {
        timeline.putBack(last.index)
        visited.flip(last.index)
        left += 1
      } else {
        unknownPlaced ^= 1n << BigInt(last.index)
        unknownCount -= 1
      }
      return last.cursor
    },
    enter: () => {
      const lowest = left === 0 ? known.length : timeline.operationAt(timeline.first())
      return visited.enter({ lowest, highest, unknown: unknownPlaced, state: model.keyOf(state) })
    },
    path: () => path.map(({ index, isKnown }) => (isKnown ? known : unknown)[index]!)
  }
}
