/** How long does one who starts wait for NATS to be of service? */
import { Effect, Schedule } from "effect"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"

// a crash of a server costs each stream that it led 4 to 9 s, and its return may cost them once more
const tries = 60
const pause = "500 millis"

/**
 * Tries again what fails because NATS is not of service, sixty times with half a second between: for what a host
 * begins with, where to give up only means that somebody starts it again.
 */
export const patiently = <A, E, R>(self: Effect.Effect<A, E | MeshUnavailable, R>) =>
  Effect.retry(self, {
    schedule: Schedule.spaced(pause),
    times: tries,
    while: (error) => error instanceof Object && "_tag" in error && error._tag === "MeshUnavailable"
  })
