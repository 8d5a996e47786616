/**
 * Which actors live in this process, and how do messages get to them?
 *
 * An actor is started by its first message. A message is taken or refused at once, and ends in exactly one way: it is
 * answered, refused, too late, a dead letter, or sent on. One that comes again while it waits is not taken twice.
 */
import { Effect, Schedule, Schema } from "effect"
import type { ActorReport } from "../protocol/wire/ActorReport.ts"
import { type Address, addressText, type Envelope, type Undelivered } from "../protocol/wire/Envelope.ts"
import { ActorUnavailable, DeadlineExceeded, MailboxFull, MalformedMessage } from "../protocol/wire/Errors.ts"
import type { ActorType } from "./Actor.ts"
import * as Resident from "./Resident.ts"
import type { ResidentFigures } from "./ResidentCounts.ts"
import * as ResidentLives from "./ResidentLives.ts"
import type { Tenure } from "./Tenure.ts"
import { endingOf, type Reply, type Respond, type Work } from "./Work.ts"

/** How often it is looked for actors that nobody uses. */
const sweepEvery = "1 second"
/** Senders that wait for one message: each time that it comes again adds one, and the first goes. */
const respondersMax = 8

/** A message that came in, with the right by which it is handled here. */
export interface Arrival {
  readonly envelope: Envelope
  readonly tenure: Tenure
  readonly traceParent: string
  /** How long it may have waited unread, in milliseconds. */
  readonly unreadMs: number
  readonly respond: Respond
}

/** The actors of a process. */
export interface Residents {
  /** Takes a message, or refuses it; whoever sent it is told in time. */
  readonly receive: (arrival: Arrival) => void
  /** Has an actor see to what is due, waking it where it sleeps. */
  readonly wake: (address: Address, tenure: Tenure) => void
  /** Finishes what the actors of a slot have to do, for so long at most, and stops them; what is left is sent on. */
  readonly handOver: (slot: string, withinMs: number) => Effect.Effect<void>
  /** Stops the actors of a slot that this host does not own any more. */
  readonly drop: (slot: string) => Effect.Effect<void>
  /** Stops one actor when it has finished what it is at, or after so long; false where it was not here. */
  readonly release: (address: Address, withinMs: number) => Effect.Effect<boolean>
  readonly report: () => ReadonlyArray<Omit<ActorReport, "hostId">>
  readonly figures: () => ResidentFigures
}

const Body = Schema.Struct({ message: Schema.String, payload: Schema.Unknown })
const isBody = Schema.is(Body)

const toWork = ({ envelope, respond, traceParent }: Arrival, body: typeof Body.Type, arrivedMs: number): Work => ({
  envelope,
  arrivedMs,
  responders: envelope.settle === undefined ? [respond] : [],
  tellers: new Set(envelope.settle === undefined ? [] : [envelope.settle]),
  incoming: {
    id: envelope.id,
    message: body.message,
    payload: body.payload,
    cause: envelope.cause,
    traceParent,
    ageMs: envelope.ageMs ?? 0,
    deadlineMs: arrivedMs + envelope.budgetMs,
    budgetMs: envelope.budgetMs
  }
})

const refuse = ({ counts }: ResidentLives.ResidentLives, { respond }: Arrival, undelivered: Undelivered): void => {
  counts.ended(endingOf(undelivered))
  respond({ undelivered })
}

/** The actor that the message is for; it is the most recently used one from now on. */
const residentFor = (
  lives: ResidentLives.ResidentLives,
  type: ActorType<never>,
  { tenure, to }: { readonly to: Address; readonly tenure: Tenure }
): Resident.Resident => {
  const name = addressText(to)
  const known = lives.residents.get(name)
  const nowMs = lives.now()
  const isOver = known?.stopped !== undefined && known.stopped.untilMs <= nowMs
  // one of an earlier tenure waits for a right that it will never have again
  const isStale = known?.tenure.hasEnded() === true
  if (known === undefined || isOver || isStale) {
    if (known !== undefined) ResidentLives.forget(lives, known)
    if (known !== undefined && isStale) lives.run(ResidentLives.stop(lives, known))
    return ResidentLives.settle(lives, type, { to, tenure })
  }
  lives.residents.delete(name)
  lives.residents.set(name, known)
  known.usedAtMs = nowMs
  return known
}

/** The answer to a message that only reads, from an actor that may give one; undefined otherwise. */
const peekAt = ({ behavior, tenure }: Resident.Resident, work: Work) => {
  if (behavior?.peek === undefined || work.tellers.size > 0 || !tenure.isValid()) return undefined
  const result = behavior.peek(work.incoming)
  return result === undefined || "failed" in result || "due" in result ? undefined : result
}

/** Has one more wait for a message that is under way; beyond the bound the first who waits is told to ask again. */
const attach = (
  { ports }: ResidentLives.ResidentLives,
  { envelope: { settle, to }, respond }: Arrival,
  same: Work
): void => {
  const reason = "as many wait for this message as may"
  // made only where it is needed: when a slot moves, most messages come twice
  const full = (): Reply => ({ undelivered: new ActorUnavailable({ address: addressText(to), reason }) })
  if (settle === undefined) {
    // the first has most likely stopped to wait: whoever waits sends the message again now and then
    if (same.responders.length >= respondersMax) same.responders.shift()?.(full())
    same.responders.push(respond)
  } else if (same.tellers.size < respondersMax || same.tellers.has(settle)) {
    same.tellers.add(settle)
    respond({ accepted: ports.owner })
  } else respond(full())
}

/** Puts the message into the mailbox of its actor, unless it can be answered without. */
const take = (lives: ResidentLives.ResidentLives, arrival: Arrival, work: Work, resident: Resident.Resident): void => {
  const { respond } = arrival
  const nowMs = work.arrivedMs
  const { owner } = lives.ports
  if (resident.stopped !== undefined) return refuse(lives, arrival, Resident.stoppedReply(resident, nowMs).undelivered)
  const same = resident.underWay.get(work.incoming.id)
  if (same !== undefined) return attach(lives, arrival, same)
  const peeked = peekAt(resident, work)
  if (peeked !== undefined) {
    resident.figures.count(nowMs, 0)
    return Resident.answerAtOnce(lives.around, { work, reply: peeked })
  }
  // before it is offered: the actor may be done with it when the offer returns
  resident.underWay.set(work.incoming.id, work)
  if (!resident.mailbox.offer(work)) {
    resident.underWay.delete(work.incoming.id)
    const retryAfterMs = Resident.retryAfterMs(resident, nowMs)
    return refuse(lives, arrival, new MailboxFull({ address: resident.name, retryAfterMs }))
  }
  if (work.tellers.size > 0) respond({ accepted: owner })
}

/** What one actor tells of itself. */
const reportOf = (resident: Resident.Resident, nowMs: number): Omit<ActorReport, "hostId"> => {
  const { address, behavior, bytes, figures, mailbox, stopped, tenure } = resident
  return {
    ...address,
    slot: tenure.slot,
    state: stopped !== undefined ? "stopped" : behavior === undefined ? "starting" : "active",
    epoch: behavior?.epoch ?? 0,
    rate: figures.rate(nowMs),
    mailbox: mailbox.size(),
    p99Ms: figures.p99Ms(nowMs),
    messages: figures.messages(),
    bytes
  }
}

const figuresOf = ({ bytes, counts, residents }: ResidentLives.ResidentLives): ResidentFigures => {
  let mailboxMessages = 0
  for (const { mailbox } of residents.values()) mailboxMessages += mailbox.size()
  return { counts: counts.counts(), residents: residents.size, residentBytes: bytes, mailboxMessages }
}

/** What residents are made of. */
export interface ResidentOptions {
  readonly types: ReadonlyArray<ActorType<never>>
  readonly ports: ResidentLives.ResidentPorts
  readonly limits?: Partial<ResidentLives.ResidentLimits>
}

/** The bounds of the actors of a process, where nobody sets others. */
const limitsDefault: ResidentLives.ResidentLimits = {
  residentsMax: 10_000,
  residentBytesMax: 256 * 1024 * 1024
}

/** The residents of the given types; they stop when the scope ends. */
export const make = Effect.fnUntraced(function* ({ limits, ports, types }: ResidentOptions) {
  const byName = new Map(types.map((type) => [type.name, type]))
  const lives = yield* ResidentLives.make(ports, { ...limitsDefault, ...limits })

  let isOpen = true
  // before the actors end: one that is started later would never answer
  yield* Effect.addFinalizer(() => Effect.sync(() => void (isOpen = false)))

  const receive = (arrival: Arrival): void => {
    const { unreadMs } = arrival
    const { budgetMs, body, to } = arrival.envelope
    const type = byName.get(to.type)
    const address = addressText(to)
    const nothingHere = (reason: string) =>
      refuse(lives, arrival, new ActorUnavailable({ address, reason, untouched: true }))
    if (!isOpen) return nothingHere("this host stops")
    if (type === undefined) return nothingHere("this host has no such type")
    if (!isBody(body)) return nothingHere("the message has no body")
    if (body.message === Resident.wakeMessage) {
      const problem = "it is nobody's to send"
      return refuse(lives, arrival, new MalformedMessage({ what: `message ${body.message}`, problem }))
    }
    if (budgetMs <= 0) return refuse(lives, arrival, new DeadlineExceeded({ waitingFor: address, budgetMs: 0 }))
    // whoever still waits for it sends it again
    if (budgetMs <= unreadMs) return nothingHere("this host stood still, and the message's time may be over")
    const work = toWork(arrival, body, lives.now() - unreadMs)
    const resident = residentFor(lives, type, { to, tenure: arrival.tenure })
    take(lives, arrival, work, resident)
    ResidentLives.begin(lives, resident)
  }
  const wake = (to: Address, tenure: Tenure): void => {
    const type = byName.get(to.type)
    if (type === undefined || !isOpen) return
    const resident = residentFor(lives, type, { to, tenure })
    const id = `${Resident.wakeMessage}/${addressText(to)}`
    if (resident.stopped === undefined) {
      Resident.remind(resident, { id, message: Resident.wakeMessage, payload: null }, lives.now())
    }
    ResidentLives.begin(lives, resident)
  }
  const stopAll = (slot: string, how: (resident: Resident.Resident) => Effect.Effect<void>) =>
    Effect.suspend(() => {
      const chosen = Array.from(lives.residents.values()).filter(({ tenure }) => tenure.slot === slot)
      return Effect.forEach(chosen, how, { concurrency: "unbounded", discard: true })
    })
  yield* Effect.sync(() => ResidentLives.sweep(lives)).pipe(
    Effect.repeat(Schedule.spaced(sweepEvery)),
    Effect.delay(sweepEvery),
    Effect.forkScoped
  )
  return {
    receive,
    wake,
    handOver: (slot, withinMs) => stopAll(slot, (resident) => ResidentLives.finishAndStop(lives, resident, withinMs)),
    drop: (slot) => stopAll(slot, (resident) => ResidentLives.stop(lives, resident)),
    release: (address, withinMs) =>
      Effect.suspend(() => {
        const resident = lives.residents.get(addressText(address))
        if (resident === undefined) return Effect.succeed(false)
        return Effect.as(ResidentLives.finishAndStop(lives, resident, withinMs), true)
      }),
    report: () => Array.from(lives.residents.values(), (resident) => reportOf(resident, lives.now())),
    figures: () => figuresOf(lives)
  } satisfies Residents
})
