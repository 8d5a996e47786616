/**
 * What is an actor's behaviour?
 *
 * A type of actors has a name and a way to start an activation; an activation gives a behaviour, and the runtime feeds
 * it messages, one lot at a time. Everything an activation holds is released with its scope. Types whose state is
 * saved, and whose messages are steps, are made by `defineActor`.
 */
import { type Duration, Effect, type Schedule, type Scope } from "effect"
import type { Address, Undelivered } from "../protocol/wire/Envelope.ts"
import type { Fenced, MalformedMessage, MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { Timer } from "../protocol/wire/StateRecord.ts"
import type { Timers } from "./DurableTimer.ts"
import type { Mesh } from "./Mesh.ts"
import type { Outbox } from "./Outbox.ts"

/** One life of an actor on one host. */
export interface Activation {
  readonly address: Address
  /** The incarnation of the host. */
  readonly owner: string
  /** The name of the slot that the actor belongs to. */
  readonly slot: string
  readonly slotEpoch: number
}

/** What stops an activation: the next message starts another, perhaps on another host. */
export type Stopped = Fenced | MeshUnavailable | MalformedMessage

/** An answer in wire form: success or a failure that the message declares. */
export type Answer = { readonly body: unknown } | { readonly error: unknown }

/** A message in an actor's hands. */
export interface Incoming {
  /** The same each time that the message is sent. */
  readonly id: string
  readonly message: string
  readonly payload: unknown
  /** What led to it. */
  readonly cause: string
  /** The W3C trace context of its sender; empty where there is none. */
  readonly traceParent: string
  /** How long ago it was first sent, in milliseconds; 0 where it was not sent before. */
  readonly ageMs: number
  /** When its asker stops to wait, in milliseconds of the monotonic clock. */
  readonly deadlineMs: number
  readonly budgetMs: number
  /** A message that the actor sent itself, by a timer: one whose timer is gone by now has no effect. */
  readonly own?: boolean
}

/** What became of one message. */
export type Result =
  | Answer
  | { readonly undelivered: Undelivered }
  /** The actor failed upon it: nothing of it took effect. */
  | { readonly failed: { readonly reason: string; readonly trace: string } }
  /** It was woken, and these of its own messages are due. */
  | { readonly due: ReadonlyArray<Pick<Timer, "id" | "message" | "payload">> }

/** What one activation does. */
export interface Behavior {
  readonly epoch: number
  /** Messages that it takes at once. */
  readonly batchMax: number
  /** Whether a message may be taken together with the one before it; any may, without this. */
  readonly isTakenWith?: (first: Pick<Incoming, "message">, next: Pick<Incoming, "message">) => boolean
  /** Handles messages in their order, and gives what became of each. */
  readonly handle: (batch: ReadonlyArray<Incoming>) => Effect.Effect<ReadonlyArray<Result>, Stopped>
  /** Answers at once, from what was last saved, a message that only reads; undefined for any other. */
  readonly peek?: (message: Incoming) => Result | undefined
  /** What it holds in memory, about. */
  readonly bytes?: () => number
}

/** What every activation is given by the system that it lives in. */
export type ActorServices = Mesh | Timers | Outbox

/** A type of actors. */
export interface ActorType<R = ActorServices> {
  readonly name: string
  /** The label of the hosts that have its actors; empty for the hosts that take actors without label. */
  readonly label?: string
  readonly activate: (activation: Activation) => Effect.Effect<Behavior, Stopped, R | Scope.Scope>
  /** Messages that wait for one actor at most. */
  readonly mailboxMax?: number
  /** An actor that got no message for so long goes to sleep. */
  readonly passivateAfter?: Duration.Duration
  /** How often, and how soon, an activation that failed is started again before the actor is left alone for a while. */
  readonly restart?: Schedule.Schedule<unknown>
}

/** The type with the services that its activations need beside those that every one is given. */
export function provided<R>(type: ActorType<R>): Effect.Effect<ActorType, never, Exclude<R, ActorServices>>
export function provided(type: ActorType<unknown>): Effect.Effect<ActorType<unknown>, never, unknown> {
  return Effect.map(Effect.context(), (services) => ({
    ...type,
    activate: (activation) => Effect.provide(type.activate(activation), services)
  }))
}
