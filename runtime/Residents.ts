/**
 * Which actors live in this process, and how do messages get to them?
 *
 * A resident is a bounded mailbox and one fiber that handles one message at a time. It is started by its first message.
 * When it stops, whatever the reason, those who wait are told at once, and the next message starts another.
 */
import { Cause, Deferred, Effect, Exit, FiberMap, Queue, Schema, type Scope } from "effect"
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import { type Address, addressText, type Envelope } from "../protocol/wire/Envelope.ts"
import { ActorUnavailable, DeadlineExceeded, MailboxFull } from "../protocol/wire/Errors.ts"
import { type Activation, type ActorType, type Answer, type Handler, stoppedError } from "./Actor.ts"
import { monotonicMs, withBudget } from "./Deadline.ts"

/** Messages that wait for one actor. More would only wait longer than their askers do. */
const mailboxMessagesMax = 1024
const retryAfterMs = 50

/** Why a message was not answered by its actor. */
export type Undelivered = MailboxFull | ActorUnavailable | DeadlineExceeded

interface Work {
  readonly body: MessageBody
  readonly deadlineMs: number
  readonly run: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly reply: Deferred.Deferred<Answer, Undelivered>
}

interface Resident {
  readonly mailbox: Queue.Queue<Work>
  readonly slot: number
  /** The message that is being handled. */
  inHand: Work | undefined
}

/** A message with the ground on which it may be handled here. */
export interface Delivered {
  readonly envelope: Envelope
  readonly slot: number
  readonly slotEpoch: number
  /** Wraps the handling, to go on with the asker's trace. */
  readonly run: Work["run"]
}

/** The actors of a process. */
export interface Residents {
  readonly deliver: (message: Delivered) => Effect.Effect<Answer, Undelivered>
  /** Stops the actors of a slot that this host no longer owns. */
  readonly stopSlot: (slot: number) => Effect.Effect<void>
  /** How many actors live here. */
  readonly count: () => number
}

const Body = Schema.Struct({ message: Schema.String, payload: Schema.Unknown })
const decodeBody = Schema.decodeUnknownOption(Body)

/** Handles one message. A failure that stops the activation is told by whoever ends the resident. */
const handleOne = Effect.fnUntraced(function* (address: Address, handle: Handler, work: Work) {
  const budgetMs = work.deadlineMs - (yield* monotonicMs)
  // nothing starts after its deadline
  if (budgetMs <= 0) {
    return yield* Deferred.fail(work.reply, new DeadlineExceeded({ waitingFor: addressText(address), budgetMs: 0 }))
  }
  const answer = work.run(withBudget(budgetMs)(handle(work.body)))
  return yield* answer.pipe(
    Effect.flatMap((value) => Deferred.succeed(work.reply, value)),
    // what can't be read says nothing about the actor: it goes on
    Effect.catchTag("MalformedMessage", (error) => Deferred.fail(work.reply, stoppedError(addressText(address), error)))
  )
})

const live = (type: ActorType, activation: Activation, resident: Resident) =>
  Effect.gen(function* () {
    const handle = yield* type.activate(activation)
    while (true) {
      resident.inHand = yield* Queue.take(resident.mailbox)
      yield* handleOne(activation.address, handle, resident.inHand)
      resident.inHand = undefined
    }
  }).pipe(Effect.scoped)

/** Tells everyone who waits for a resident that has stopped: the one it was serving first. */
const refuseAll = Effect.fnUntraced(function* ({ inHand, mailbox }: Resident, address: string, reason: string) {
  const waiting = [...(inHand === undefined ? [] : [inHand]), ...(yield* Queue.clear(mailbox))]
  yield* Queue.shutdown(mailbox)
  for (const { reply } of waiting) yield* Deferred.fail(reply, new ActorUnavailable({ address, reason }))
})

/** The residents of the given types, owned by the host's incarnation; they stop when the scope ends. */
export const make = Effect.fnUntraced(function* (types: ReadonlyArray<ActorType>, owner: string) {
  const byName = new Map(types.map((type) => [type.name, type]))
  const residents = new Map<string, Resident>()
  const fibers = yield* FiberMap.make<string>()

  const start = Effect.fnUntraced(function* (type: ActorType, { envelope, slot, slotEpoch }: Delivered) {
    const name = addressText(envelope.to)
    const mailbox = yield* Queue.dropping<Work>(mailboxMessagesMax)
    // looked up again after the wait: of two first messages only one starts the actor
    const other = residents.get(name)
    if (other !== undefined) return other
    const resident: Resident = { mailbox, slot, inHand: undefined }
    residents.set(name, resident)
    const life = live(type, { address: envelope.to, owner, slotEpoch }, resident).pipe(
      Effect.onExit((exit) =>
        Effect.gen(function* () {
          if (residents.get(name) === resident) residents.delete(name)
          const reason = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "stopped"
          if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
            yield* Effect.logWarning("actor stopped", { actor: name, reason })
          yield* refuseAll(resident, name, reason)
        })
      )
    )
    yield* FiberMap.run(fibers, name, life)
    return resident
  })

  const deliver = Effect.fnUntraced(function* (message: Delivered) {
    const { envelope } = message
    const address = addressText(envelope.to)
    const type = byName.get(envelope.to.type)
    const body = decodeBody(envelope.body)
    if (type === undefined || body._tag === "None") {
      return yield* new ActorUnavailable({
        address,
        reason: type === undefined ? "no such type" : "the message has no body"
      })
    }
    const reply = Deferred.makeUnsafe<Answer, Undelivered>()
    const deadlineMs = (yield* monotonicMs) + envelope.budgetMs
    // nothing is waited for between finding the resident and the offer: one that has stopped is not found any more
    const resident = residents.get(address) ?? (yield* start(type, message))
    const taken = Queue.offerUnsafe(resident.mailbox, { body: body.value, deadlineMs, run: message.run, reply })
    if (!taken) return yield* new MailboxFull({ address, retryAfterMs })
    return yield* Deferred.await(reply)
  })

  const stopSlot = (slot: number) =>
    Effect.forEach(
      Array.from(residents).filter(([, resident]) => resident.slot === slot),
      ([name]) => FiberMap.remove(fibers, name),
      { discard: true }
    )
  return { deliver, stopSlot, count: () => residents.size } satisfies Residents
}) satisfies (types: ReadonlyArray<ActorType>, owner: string) => Effect.Effect<Residents, never, Scope.Scope>
