/**
 * What was sent to the actors of a test, and what did each sender hear of it?
 *
 * One asks or tells, one message after another, all of it decided by a seed: which actor, which message, how long it may
 * take. Each message has an id of the test's, under which its actor notes that it took effect.
 */
import { Effect } from "effect"
import { ActorSystem } from "../../../runtime/ActorSystem.ts"
import { withBudget } from "../../../runtime/Deadline.ts"
import { seededNumbers } from "../seededOrder.ts"
import { untilTrue } from "../untilTrue.ts"
import * as Load from "./Load.ts"
import type { Caller } from "./MemberCluster.ts"
import { Saved } from "./testActors.ts"

/** What is known of a message. */
export interface SentMessage {
  readonly id: string
  readonly key: string
  readonly isTold: boolean
  /** Its actor fails upon it; otherwise it counts one. */
  readonly burns: boolean
  /** `replied`, `accepted` where it was told and a host has it, or the tag of the failure. */
  end: string
}

/** What a sender sends. */
export interface MixedLoadOptions {
  /** Unlike any other sender's. */
  readonly name: string
  readonly seed: number
  readonly perSecond: number
  readonly actors: number
}

const tellsPart = 0.1
const burnsPart = 0.02
/** Budgets: too short for a failover, and long enough. */
const budgetsMs = [1000, 4000, 10_000] as const

interface Draw {
  readonly message: SentMessage
  readonly budgetMs: number
}

const draw = (id: string, actors: number, next: () => number): Draw => {
  const message: SentMessage = {
    id,
    key: `k${Math.floor(next() * actors)}`,
    isTold: next() < tellsPart,
    burns: next() < burnsPart,
    end: "pending"
  }
  return { message, budgetMs: budgetsMs[Math.floor(next() * budgetsMs.length)]! }
}

const send = ({ burns, id, isTold, key }: SentMessage) => {
  const ref = Saved.ref(key)
  const options = { operationId: id }
  if (burns) return isTold ? ref.tell("burn", null, options) : Effect.asVoid(ref.ask("burn", null, options))
  return isTold ? ref.tell("add", { by: 1 }, options) : Effect.asVoid(ref.ask("add", { by: 1 }, options))
}

/** Sends from now on, on behalf of a caller. */
export const start = Effect.fnUntraced(function* (caller: Caller, { actors, name, perSecond, seed }: MixedLoadOptions) {
  const next = seededNumbers(seed)
  const sent: Array<SentMessage> = []
  const sendOne = ({ budgetMs, message }: Draw) => {
    sent.push(message)
    return Effect.match(send(message), {
      onFailure: ({ _tag }) => void (message.end = _tag),
      onSuccess: () => void (message.end = message.isTold ? "accepted" : "replied")
    }).pipe(withBudget(budgetMs), Effect.provide(caller))
  }
  const load = yield* Load.start(perSecond, (index) => sendOne(draw(`${name}-${index}`, actors, next)))
  /** Tells so many at once; ends when some of them are in mailboxes, where most of them still wait. */
  const fillMailboxes = Effect.fnUntraced(function* (count: number) {
    const told = Array.from({ length: count }, (_, index) => {
      const { budgetMs, message } = draw(`${name}-${sent.length}-${index}`, actors, next)
      return { budgetMs, message: { ...message, isTold: true } }
    })
    yield* Effect.forkScoped(Effect.forEach(told, sendOne, { concurrency: "unbounded", discard: true }))
    yield* untilTrue(
      "messages are in mailboxes",
      Effect.sync(() => told.some(({ message }) => message.end !== "pending"))
    )
  })
  const tally = yield* Effect.map(ActorSystem, (system) => system.tally).pipe(Effect.provide(caller))
  /** Whether nothing is being sent and nothing pending. */
  const isOver = () => tally().pending === 0 && sent.every(({ end }) => end !== "pending")
  return { name, stop: load.stop, isOver, fillMailboxes, sent: (): ReadonlyArray<SentMessage> => sent, tally }
})

/** A sender with all that it knows. */
export type MixedLoad = Effect.Success<ReturnType<typeof start>>
