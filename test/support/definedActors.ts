/** How does a test have the actors of a definition as the residents of one process? */
import { Effect } from "effect"
import type { ActorType } from "../../runtime/Actor.ts"
import { equipped } from "../../runtime/ActorSystem.ts"
import { makeTimers } from "../../runtime/DurableTimer.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { makeOutbox, type Posted } from "../../runtime/Outbox.ts"
import { makeActors } from "./residentPorts.ts"

/** The actors of one type that was defined by steps, a way to send to them, and what they told. */
export const makeDefinedActors = Effect.fnUntraced(function* (type: ActorType) {
  const told: Array<Posted> = []
  const given = {
    mesh: yield* Mesh,
    timers: yield* makeTimers,
    outbox: yield* makeOutbox((posted) => Effect.sync(() => void told.push(posted)))
  }
  const [equippedType] = equipped([type], given)
  return { ...(yield* makeActors(equippedType!)), told }
})
