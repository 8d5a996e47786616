/**
 * What is the port like without any NATS?
 *
 * A simulated server in the memory of one process, and nothing between it and its only client: all that a server does,
 * at once. Nothing survives it, and nothing of it is shared.
 */
import { Clock, Effect, Fiber, Layer } from "effect"
import * as Stream from "../protocol/wire/Stream.ts"
import { Mesh } from "./Mesh.ts"
import type { Link } from "./simulated/Link.ts"
import * as SimulatedMesh from "./simulated/SimulatedMesh.ts"
import * as SimulatedServer from "./simulated/SimulatedServer.ts"

const clientName = "memory"

const perfect = (after: Link["after"]): Link => ({
  carry: (_way, _parcel, act) => act(),
  isUp: () => true,
  onReconnect: () => () => undefined,
  after,
  readLagMs: () => 0
})

/** Alarms on the clock of effects; none of them outlives the scope. */
const makeAlarms = Effect.gen(function* () {
  const fork = Effect.runForkWith(yield* Effect.context())
  const set = new Set<Fiber.Fiber<void>>()
  const after: Link["after"] = (ms, run) => {
    const fiber: Fiber.Fiber<void> = fork(Effect.andThen(Effect.sleep(ms), Effect.sync(run)))
    set.add(fiber)
    fiber.addObserver(() => set.delete(fiber))
    return () => fiber.interruptUnsafe()
  }
  yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll(set)))
  return after
})

const make = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const after = yield* makeAlarms
  const server = SimulatedServer.make({
    nowMs: () => clock.currentTimeMillisUnsafe(),
    schedule: after,
    streams: Stream.every,
    // nothing is behind, and nothing is lost
    historyMs: 0
  })
  return SimulatedMesh.make(server, perfect(after), clientName)
})

/** A port that is this process alone. */
export const layer: Layer.Layer<Mesh> = Layer.effect(Mesh, make)
