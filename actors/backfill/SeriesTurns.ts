/**
 * Who of a host's workers claims windows of a series now?
 *
 * One at a time. Windows are queued one after the other, and workers that wait are given one each: who has the first
 * one is to have those beside it too before anybody else looks at them. Each that another gets is asked for apart.
 */
import { Effect, Semaphore } from "effect"

/** Has something done for a series when it is its turn. */
export type InTurn = (series: string) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface Turn {
  readonly gate: Semaphore.Semaphore
  users: number
}

/** Turns of as many series as there are in use at the moment. */
export const make = (): InTurn => {
  const turns = new Map<string, Turn>()
  const enter = (series: string): Turn => {
    const turn = turns.get(series) ?? { gate: Semaphore.makeUnsafe(1), users: 0 }
    turn.users += 1
    turns.set(series, turn)
    return turn
  }
  return (series) => (self) =>
    Effect.acquireUseRelease(
      Effect.sync(() => enter(series)),
      ({ gate }) => gate.withPermits(1)(self),
      (turn) =>
        Effect.sync(() => {
          turn.users -= 1
          if (turn.users === 0) turns.delete(series)
        })
    )
}
