/**
 * What may an actor's step know beside its state and the message, and what may it ask for?
 *
 * Values, so that a step stays pure: the time, numbers that look random, the epoch to sign with. What has to be done is
 * returned as actions; the shell does them when the state is saved.
 */
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import type { Address } from "../protocol/wire/Envelope.ts"

/** What the shell does for a step, once its state is saved. */
export type Action =
  /** Sends a message to an actor, without waiting for its answer. */
  | { readonly action: "tell"; readonly to: Address; readonly label: string; readonly body: MessageBody }
  /** Publishes bytes on a subject of NATS. */
  | { readonly action: "publish"; readonly subject: string; readonly data: Uint8Array }
  /** Has the actor get a message later, whatever happens to its host; replaces a timer of the same name. */
  | { readonly action: "setTimer"; readonly name: string; readonly afterMs: number; readonly body: MessageBody }
  | { readonly action: "cancelTimer"; readonly name: string }

/** A timer to set: the actor's own message, with its payload. */
export type TimerOf<Payloads> = {
  readonly [M in keyof Payloads]: { readonly afterMs: number; readonly message: M; readonly payload: Payloads[M] }
}[keyof Payloads]

/** What a step may know. `Payloads` are those of the actor's own messages, by name. */
export interface StepContext<Payloads> {
  readonly key: string
  /** Rises with each activation: put it into what others must be able to refuse from a stale one. */
  readonly epoch: number
  /** The message's id, the same each time that it is sent. */
  readonly messageId: string
  /** Epoch milliseconds. */
  readonly nowMs: number
  /** From 0 to below 1. */
  readonly random: () => number
  /** Has the actor get one of its own messages later: at least once, taking effect once. */
  readonly setTimer: (name: string, timer: TimerOf<Payloads>) => Action
  readonly cancelTimer: (name: string) => Action
}

/** Publishes bytes on a subject. */
export const publish = (subject: string, data: Uint8Array): Action => ({ action: "publish", subject, data })
