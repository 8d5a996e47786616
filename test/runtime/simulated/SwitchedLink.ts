/**
 * How does a test come between a process and a simulated server?
 *
 * A link that carries all at once, or late and out of order as far as a real network may, and that can be lost and be
 * back. What is on its way when it is lost is lost.
 */
import { Clock, Effect, Fiber } from "effect"
import type { Link, Parcel } from "../../../runtime/simulated/Link.ts"
import { seededNumbers } from "../../support/seededOrder.ts"

/** A link with a switch. */
export interface SwitchedLink extends Link {
  readonly lose: () => void
  readonly back: () => void
}

/** Alarms on a clock of effects, for whoever lives as long as the test. */
export const alarmsOf =
  (clock: Clock.Clock): Link["after"] =>
  (ms, run) => {
    const sleeping = Effect.sleep(ms).pipe(Effect.andThen(Effect.sync(run)), Effect.provideService(Clock.Clock, clock))
    const fiber = Effect.runFork(sleeping)
    return () => void Effect.runFork(Fiber.interrupt(fiber))
  }

/** How far away the server is, and how far behind its replicas are; in milliseconds at the most. */
export interface Distance {
  readonly delayMsMax: number
  readonly lagMsMax: number
}

interface Lane {
  lastAtMs: number
  readonly acts: Array<() => void>
}

/** A link that stands; `onLost` tells the server's side of it. */
export const make = (
  options: Distance & { readonly clock: Clock.Clock; readonly onLost: () => void }
): SwitchedLink => {
  const { clock, delayMsMax, lagMsMax, onLost } = options
  const after = alarmsOf(clock)
  const handlers = new Set<() => void>()
  const random = seededNumbers(1)
  const lane = (): Lane => ({ lastAtMs: 0, acts: [] })
  const makeLanes = () => ({ toServer: lane(), toProcess: lane(), answers: new Map<string, Lane>() })
  let lanes = makeLanes()
  let isUp = true
  let connection = 0
  // answers come from several parts of a server, those on one subject from one of them; all else as it was said
  const laneOf = (way: "toServer" | "toProcess", { kind, subject }: Parcel): Lane => {
    if (kind !== "answer") return lanes[way]
    const known = lanes.answers.get(subject) ?? lane()
    lanes.answers.set(subject, known)
    return known
  }
  const carry: Link["carry"] = (way, parcel, act) => {
    if (!isUp) return
    if (delayMsMax === 0) return act()
    const sentIn = connection
    const nowMs = clock.currentTimeMillisUnsafe()
    const taken = laneOf(way, parcel)
    taken.lastAtMs = Math.max(nowMs + random() * delayMsMax, taken.lastAtMs)
    taken.acts.push(act)
    after(taken.lastAtMs - nowMs, () => {
      if (sentIn === connection) taken.acts.shift()!()
    })
  }
  return {
    carry,
    isUp: () => isUp,
    onReconnect: (handler) => {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
    after,
    readLagMs: (kind) => (kind === "readMany" ? random() * lagMsMax : 0),
    lose: () => {
      isUp = false
      connection += 1
      lanes = makeLanes()
      onLost()
    },
    back: () => {
      if (isUp) return
      isUp = true
      for (const handler of handlers) handler()
    }
  }
}
