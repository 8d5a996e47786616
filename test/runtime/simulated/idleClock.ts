/**
 * How does a test wait for seconds without taking them?
 *
 * A clock that stands while anything is done, and then goes to the next moment for which somebody waits. What waits by
 * it waits as it would, in the same order, only shorter.
 */
import { type Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

// a fiber that makes way for others comes back within one
const turnsBeforeIdle = 3

/** A clock of its own. */
export const idleClock = (): Clock.Clock => {
  const beganMs = 1_700_000_000_000
  const sleepers = new Set<Sleeper>()
  let nowMs = beganMs
  let turns: number | undefined

  const wakeNext = (): void => {
    let next: Sleeper | undefined
    for (const one of sleepers) if (next === undefined || one.atMs < next.atMs) next = one
    if (next === undefined) return
    sleepers.delete(next)
    nowMs = Math.max(nowMs, next.atMs)
    next.wake()
  }
  const turn = (): void => {
    if (turns !== undefined && turns > 0) {
      turns -= 1
      setImmediate(turn)
      return
    }
    turns = undefined
    wakeNext()
    goOn()
  }
  const goOn = (): void => {
    if (turns !== undefined || sleepers.size === 0) return
    turns = turnsBeforeIdle
    setImmediate(turn)
  }

  const nanos = () => BigInt(Math.round((nowMs - beganMs) * 1e6))
  const wallNanos = () => BigInt(beganMs) * 1_000_000n + nanos()
  return {
    currentTimeMillisUnsafe: () => nowMs,
    currentTimeMillis: Effect.sync(() => nowMs),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const sleeper = { atMs: nowMs + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        goOn()
        return Effect.sync(() => void sleepers.delete(sleeper))
      })
  }
}
