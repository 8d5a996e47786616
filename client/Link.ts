/**
 * Is the connection there, and has it been away?
 *
 * What was asked before a connection was lost may have been answered while it was away: whoever waits for such an
 * answer waits in vain, and is told when the connection is back.
 */
import { Effect, type Scope } from "effect"
import type { CallerMesh } from "../runtime/CallerMesh.ts"

/** What is known of a client's connection. */
export interface Link {
  readonly connected: () => boolean
  /** Calls the handler when the connection is back after it was lost, or has ended; gives what takes that back. */
  readonly onBack: (handler: () => void) => () => void
  /** Whether a host has answered over it: where none ever did, the address is as likely wrong as its hosts are away. */
  readonly isServed: () => boolean
  readonly noteServed: () => void
  /** Whether the client has ended it. */
  readonly isClosed: () => boolean
}

/** Follows the connection until the scope ends. */
export const make = (mesh: CallerMesh): Effect.Effect<Link, never, Scope.Scope> =>
  Effect.gen(function* () {
    const handlers = new Set<() => void>()
    let isServed = false
    let isClosed = false
    const tell = (): void => {
      for (const handler of handlers) handler()
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isClosed = true
        tell()
      })
    )
    yield* mesh.onReconnect(tell)
    return {
      connected: mesh.connected,
      onBack: (handler) => {
        handlers.add(handler)
        return () => void handlers.delete(handler)
      },
      isServed: () => isServed,
      noteServed: () => void (isServed = true),
      isClosed: () => isClosed
    }
  })
