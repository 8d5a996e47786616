/**
 * What becomes of each message that is sent from here?
 *
 * Every message is counted when it is sent, and once more when it has ended: replied, rejected, expired, a dead letter,
 * or lost with the host that had it in a mailbox. What was told ends later than its sending: its host tells how.
 */
import { Effect, Exit, Option, Schedule } from "effect"
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import {
  type Address,
  addressText,
  type Ending,
  type Envelope,
  envelopeFormat,
  type Undelivered
} from "../protocol/wire/Envelope.ts"
import { ActorUnavailable, DeadlineExceeded, MailboxFull } from "../protocol/wire/Errors.ts"
import type { Tally } from "../protocol/wire/HostReport.ts"
import type { Answer } from "./Actor.ts"
import { clockMs, Deadline, remainingMs } from "./Deadline.ts"
import type { Posted } from "./Outbox.ts"
import { traceParent, traceParentIn } from "./telemetry/Propagation.ts"
import { endingOf, type Reply } from "./Work.ts"

/** A message without a deadline would wait for ever for an actor that never answers. */
const sendBudgetMsMax = 60_000
/** Messages that were told and have not ended. */
const toldMax = 100_000
const toldRetryAfterMs = 100
const lookEvery = "1 second"
/** How long after its time a message that was told may be without an ending: its host may be slow to tell. */
const graceMs = 30_000

/** Whom a message is for. */
export interface Recipient {
  readonly to: Address
  readonly label: string
}

/** How a message is sent. */
export interface DeliverOptions {
  /** The same for each try of one thing: it takes effect once. */
  readonly operationId?: string
  /** What led to it. */
  readonly cause?: string
}

/** How a message that was told has ended, or where it is now. */
export interface Notice {
  readonly id: string
  readonly how: Ending | "moved"
  readonly accepted?: string
}

/** What a sender needs. */
export interface SenderOptions {
  /** Unlike any other sender's. */
  readonly id: string
  /** Brings the message to its actor, within its budget. */
  readonly transmit: (
    envelope: Envelope,
    how: { readonly label: string; readonly traceParent: string }
  ) => Effect.Effect<Reply, Undelivered>
  /** The hosts that are certainly gone, of these. */
  readonly deadOf?: (hosts: ReadonlySet<string>) => Effect.Effect<ReadonlySet<string>>
}

/** Sends messages, and keeps count of them. */
export interface Sender {
  readonly deliver: (to: Recipient, body: MessageBody, options?: DeliverOptions) => Effect.Effect<Answer, Undelivered>
  readonly tell: (to: Recipient, body: MessageBody, options?: DeliverOptions) => Effect.Effect<void, Undelivered>
  /** Tells; a failure is logged, as nobody waits for it. */
  readonly post: (posted: Posted) => Effect.Effect<void>
  /** Takes the word of a host on a message that was told. */
  readonly settled: (notice: Notice) => void
  readonly tally: () => Tally
}

interface Told {
  readonly id: string
  host: string | undefined
  readonly untilMs: number
}

type End = Exclude<keyof Tally, "sent" | "pending">

const endOf: Readonly<Record<Ending, End>> = {
  handled: "replied",
  rejected: "rejected",
  expired: "expired",
  deadLettered: "deadLettered"
}

const makeTally = () => {
  const ends: Record<End, number> = { replied: 0, rejected: 0, expired: 0, deadLettered: 0, lost: 0 }
  let sent = 0
  let pending = 0
  return {
    begin: () => {
      sent += 1
      pending += 1
    },
    end: (how: End) => {
      ends[how] += 1
      pending -= 1
    },
    read: (): Tally => ({ sent, ...ends, pending })
  }
}

/** How a sending ended that gave no answer; one that was interrupted was out of time for its sender. */
const failedAs = (exit: Exit.Exit<unknown, Undelivered>): End =>
  Option.match(Exit.findErrorOption(exit), {
    onNone: () => "expired" as const,
    onSome: (error) => endOf[endingOf(error)]
  })

const noTime = (to: Address) => new DeadlineExceeded({ waitingFor: addressText(to), budgetMs: 0 })
const unreadable = (to: Address) =>
  new ActorUnavailable({ address: addressText(to), reason: "the answer can't be read" })

/** What was told and has not ended; one operation may be told more than once at a time, and each is counted. */
const keepTold = Effect.fnUntraced(function* ({
  deadOf,
  end,
  now
}: {
  readonly now: () => number
  readonly end: (how: End) => void
  readonly deadOf: SenderOptions["deadOf"]
}) {
  const told = new Map<string, Set<Told>>()
  let count = 0

  const open = (entry: Told): Told => {
    const same = told.get(entry.id)
    if (same === undefined) told.set(entry.id, new Set([entry]))
    else same.add(entry)
    count += 1
    return entry
  }
  /** Ends a message that was told, unless it has ended. */
  const close = (entry: Told, how: End): void => {
    const same = told.get(entry.id)
    if (same?.delete(entry) !== true) return
    if (same.size === 0) told.delete(entry.id)
    count -= 1
    end(how)
  }
  const settled = ({ accepted, how, id }: Notice): void => {
    for (const entry of told.get(id) ?? []) {
      if (how === "moved") entry.host = accepted
      else close(entry, endOf[how])
    }
  }
  const lookForLost = Effect.gen(function* () {
    if (told.size === 0) return
    const entries = Array.from(told.values()).flatMap((same) => Array.from(same))
    const hosts = new Set(entries.map(({ host }) => host).filter((host) => host !== undefined))
    const dead = deadOf === undefined ? new Set<string>() : yield* deadOf(hosts)
    const nowMs = now()
    for (const entry of entries) {
      const { host, untilMs } = entry
      if ((host !== undefined && dead.has(host)) || untilMs + graceMs < nowMs) close(entry, "lost")
    }
  })
  yield* lookForLost.pipe(Effect.repeat(Schedule.spaced(lookEvery)), Effect.delay(lookEvery), Effect.forkScoped)
  return { open, close, settled, count: () => count }
})

const envelopeOf = (to: Address, id: string, rest: Pick<Envelope, "cause" | "budgetMs" | "body">): Envelope => ({
  format: envelopeFormat,
  to,
  id,
  cause: rest.cause,
  budgetMs: rest.budgetMs,
  body: rest.body
})

/** A sender, for as long as the scope lives. */
export const makeSender = Effect.fnUntraced(function* ({ deadOf, id: sender, transmit }: SenderOptions) {
  const now = yield* clockMs
  const tally = makeTally()
  const told = yield* keepTold({ now, end: tally.end, deadOf })
  let count = 0

  const nextId = (): string => `${sender}-${(++count).toString(36)}`
  const envelop = ({ to }: Recipient, body: MessageBody, options: DeliverOptions, budgetMs: number) =>
    envelopeOf(to, options.operationId ?? nextId(), { cause: options.cause ?? "", budgetMs, body })

  // plain code as far as it goes: each ask passes here
  const deliver: Sender["deliver"] = (recipient, body, options = {}) =>
    Effect.withFiber((fiber) => {
      const budgetMs = Math.min(fiber.getRef(Deadline) - now(), sendBudgetMsMax)
      if (budgetMs <= 0) return Effect.fail(noTime(recipient.to))
      const envelope = envelop(recipient, body, options, budgetMs)
      const how = { label: recipient.label, traceParent: traceParentIn(fiber.context) }
      // before it is counted: what can't be packed is never sent
      const sending = transmit(envelope, how)
      tally.begin()
      return Effect.onExit(
        Effect.flatMap(sending, (reply): Effect.Effect<Answer, Undelivered> => {
          if ("undelivered" in reply) return Effect.fail(reply.undelivered)
          return "accepted" in reply ? Effect.fail(unreadable(recipient.to)) : Effect.succeed(reply)
        }),
        (exit) => {
          tally.end(Exit.isSuccess(exit) ? "replied" : failedAs(exit))
          return Effect.void
        }
      )
    })

  const tell = Effect.fnUntraced(function* (recipient: Recipient, body: MessageBody, options: DeliverOptions = {}) {
    const budgetMs = Math.min(yield* remainingMs, sendBudgetMsMax)
    if (budgetMs <= 0) return yield* noTime(recipient.to)
    const how = { label: recipient.label, traceParent: yield* traceParent }
    // nothing is waited for between the look and the entry
    if (told.count() >= toldMax) {
      return yield* new MailboxFull({ address: addressText(recipient.to), retryAfterMs: toldRetryAfterMs })
    }
    const envelope = { ...envelop(recipient, body, options, budgetMs), settle: sender }
    tally.begin()
    // before it is sent: its end may be told before its acceptance
    const entry = told.open({ id: envelope.id, host: undefined, untilMs: now() + budgetMs })
    const sending = transmit(envelope, how)
    return yield* sending.pipe(
      Effect.flatMap((reply): Effect.Effect<void, Undelivered> => {
        if ("undelivered" in reply) return Effect.fail(reply.undelivered)
        // a host of version 1 handles what it is told like what it is asked
        if (!("accepted" in reply)) return Effect.sync(() => told.close(entry, "replied"))
        entry.host = reply.accepted
        return Effect.void
      }),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isFailure(exit)) told.close(entry, failedAs(exit))
        })
      )
    )
  })

  const post = ({ body, cause, label, to }: Posted): Effect.Effect<void> =>
    tell({ to, label }, body, { cause }).pipe(
      Effect.catch((error) => Effect.logWarning("not taken", { to: addressText(to), reason: error.message }))
    )
  return { deliver, tell, post, settled: told.settled, tally: tally.read } satisfies Sender
})
