/**
 * How long may a message that comes in now have waited unread?
 *
 * A process that was stopped, or busy with something else for long, takes in at once what came meanwhile. How old each
 * message is can't be told, so all that the connection had for it by then counts as having come when the pause began.
 */
import { Effect, FiberSet } from "effect"
import { clockMs } from "./Deadline.ts"

/** How often it is noted that the process takes its turns. */
const turnEveryMs = 20
/** A shorter pause is not told from a busy moment; messages may seem younger by so much. */
const pauseMsMin = 50

/** What is known of the pauses of this process. */
interface Pauses {
  /** How long a message that comes in now may have waited unread, in milliseconds. */
  readonly unreadMs: () => number
}

/**
 * Watches for pauses until the scope ends. `caughtUp` ends when all has come in that waited when it was started; it
 * does so within a bound.
 */
export const watch = Effect.fnUntraced(function* (caughtUp: Effect.Effect<void>) {
  const now = yield* clockMs
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  let lastTurnMs = now()
  /** Pauses of which not everything has come in yet, the oldest first. */
  const pauses = new Set<{ readonly sinceMs: number }>()

  const look = (nowMs: number): void => {
    if (nowMs - lastTurnMs < pauseMsMin) return
    const pause = { sinceMs: lastTurnMs }
    lastTurnMs = nowMs
    pauses.add(pause)
    run(
      Effect.andThen(
        caughtUp,
        Effect.sync(() => void pauses.delete(pause))
      )
    )
  }
  const takeTurn = Effect.sync(() => {
    const nowMs = now()
    look(nowMs)
    lastTurnMs = nowMs
  })
  yield* Effect.andThen(takeTurn, Effect.sleep(turnEveryMs)).pipe(Effect.forever, Effect.forkScoped)

  return {
    unreadMs: () => {
      const nowMs = now()
      look(nowMs)
      for (const { sinceMs } of pauses) return nowMs - sinceMs
      return 0
    }
  } satisfies Pauses
})
