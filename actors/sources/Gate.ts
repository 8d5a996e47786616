/**
 * Who lets a request out to a source?
 *
 * Whoever has a page fetched decides, and hands over a gate; an adapter enters it before each single request, and says
 * at the end what came of it. Without a gate every request is let out.
 */
import { Context, Effect, type Exit } from "effect"
import type { RequestFailed } from "./DataSource.ts"

/** How a request ended. */
export type Ended = Exit.Exit<unknown, RequestFailed>

/** Leave to send one request, now. */
export interface Pass {
  /** Tells how it ended. */
  readonly end: (how: Ended) => Effect.Effect<void>
}

/** The way out to a source. */
export interface WayOut {
  /** Waits until one request may be sent; fails where it may not. */
  readonly enter: Effect.Effect<Pass, RequestFailed>
}

/** The gate of the page that is being fetched. */
export const Gate = Context.Reference<WayOut>("seamless/sources/Gate", {
  defaultValue: () => ({ enter: Effect.succeed({ end: () => Effect.void }) })
})

/** Sends one request through the gate. */
export const throughGate = <A, R>(send: Effect.Effect<A, RequestFailed, R>): Effect.Effect<A, RequestFailed, R> =>
  Effect.flatMap(
    Effect.flatMap(Gate, ({ enter }) => enter),
    (pass) => Effect.onExit(send, pass.end)
  )
