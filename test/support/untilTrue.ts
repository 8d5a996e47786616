/** How does a test wait for something that it can only look at? */
import { Effect, Schedule } from "effect"

/** Looks until it is so; dies with `what` after `withinMs`. */
export const untilTrue = <E, R>(
  what: string,
  look: Effect.Effect<boolean, E, R>,
  withinMs = 10_000
): Effect.Effect<void, E, R> =>
  look.pipe(
    Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: (isSo) => isSo }),
    Effect.timeoutOrElse({
      duration: withinMs,
      orElse: () => Effect.die(new Error(`not within ${withinMs} ms: ${what}`))
    }),
    Effect.asVoid
  )
