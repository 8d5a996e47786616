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

const handleOne = Effect.fnUntraced(function* (address: Address, handle: Handler, work: Work) {
  const budgetMs = work.deadlineMs - (yield* monotonicMs)
  // nothing starts after its deadline
  if (budgetMs <= 0) {
    return yield* Deferred.fail(work.reply, new DeadlineExceeded({ waitingFor: addressText(address), budgetMs: 0 }))
  }
  const exit = yield* Effect.exit(work.run(withBudget(budgetMs)(handle(work.body))))
  if (Exit.isSuccess(exit)) return yield* Deferred.succeed(work.reply, exit.value)
  const malformed = Cause.findErrorOption(exit.cause)
  if (malformed._tag === "Some" && malformed.value._tag === "MalformedMessage") {
    return yield* Deferred.fail(work.reply, stoppedError(addressText(address), malformed.value))
  }
  yield* Deferred.fail(
    work.reply,
    new ActorUnavailable({ address: addressText(address), reason: Cause.pretty(exit.cause) })
  )
  return yield* Effect.failCause(exit.cause)
})

const live = (type: ActorType, activation: Activation, mailbox: Queue.Queue<Work>) =>
  Effect.gen(function* () {
    const handle = yield* type.activate(activation)
    while (true) yield* handleOne(activation.address, handle, yield* Queue.take(mailbox))
  }).pipe(Effect.scoped)

const refuse = (works: ReadonlyArray<Work>, address: string, reason: string) =>
  Effect.forEach(works, (work) => Deferred.fail(work.reply, new ActorUnavailable({ address, reason })), {
    discard: true
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
    const resident: Resident = { mailbox, slot }
    residents.set(name, resident)
    const life = live(type, { address: envelope.to, owner, slotEpoch }, resident.mailbox).pipe(
      Effect.onExit((exit) =>
        Effect.gen(function* () {
          if (residents.get(name) === resident) residents.delete(name)
          const reason = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "stopped"
          if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
            yield* Effect.logWarning("actor stopped", { actor: name, reason })
          yield* refuse(yield* Queue.clear(resident.mailbox), name, reason)
          yield* Queue.shutdown(resident.mailbox)
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
