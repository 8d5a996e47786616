/**
 * How do the actors of a process come and go?
 *
 * An actor lives from its first message until it is stopped, goes to sleep, or fails. So many live at most, and so many
 * bytes: beyond that those go to sleep that were used least recently and have nothing to do. Whatever ends a life,
 * nobody who waits is forgotten.
 */
import { Cause, Duration, Effect, Exit, Fiber, FiberSet, Option } from "effect"
import { type Address, addressText, type Ending, type Envelope } from "../protocol/wire/Envelope.ts"
import { ActorUnavailable, type Fenced, type MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { ActorType } from "./Actor.ts"
import * as ActorFigures from "./ActorFigures.ts"
import { clockMs } from "./Deadline.ts"
import * as Invariants from "./Invariants.ts"
import * as Mailbox from "./Mailbox.ts"
import * as Resident from "./Resident.ts"
import * as ResidentCounts from "./ResidentCounts.ts"
import type { Tenure } from "./Tenure.ts"
import { toForward } from "./Work.ts"

/** Messages that wait for one actor, where its type says nothing: more would only wait longer than their askers do. */
const mailboxMax = 1024
/** How long the end of an actor's life is waited for: a save takes a fraction of it, where NATS answers. */
const stopWithin = "100 millis"
/** For so long there may be too many, of which none has nothing to do. */
const overLimitMsMax = 10_000
/** Actors that are looked at, from the least recently used on, to find one that has nothing to do. */
const lookedAtMax = 64

/** What bounds the actors of a process. */
export interface ResidentLimits {
  readonly residentsMax: number
  readonly residentBytesMax: number
}

/** What residents need of the system that they are part of. */
export interface ResidentPorts extends Pick<Resident.Surroundings, "owner" | "bury"> {
  /** Tells the sender of a message how it ended. */
  readonly settled: (sender: string, ended: { readonly id: string; readonly how: Ending }) => void
  /** Sends a message on to whoever owns its actor now. */
  readonly forward: (envelope: Envelope, label: string) => void
}

/** The actors that live in a process, and what keeps them. */
export interface ResidentLives {
  readonly ports: ResidentPorts
  readonly limits: ResidentLimits
  readonly around: Resident.Surroundings
  readonly counts: ResidentCounts.ResidentCounts
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** By name, in the order of their last use. */
  readonly residents: Map<string, Resident.Resident>
  readonly fibers: Map<Resident.Resident, Fiber.Fiber<void>>
  readonly run: (life: Effect.Effect<void>) => Fiber.Fiber<void>
  bytes: number
  /** Since when there are too many, and whether that was told. */
  over: { readonly sinceMs: number; isTold: boolean } | undefined
}

/** No actors yet; they stop when the scope ends. */
export const make = Effect.fnUntraced(function* (ports: ResidentPorts, limits: ResidentLimits) {
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const counts = ResidentCounts.make()
  const note = yield* Invariants.noting
  const lives: ResidentLives = {
    ports,
    limits,
    counts,
    now: yield* clockMs,
    residents: new Map(),
    fibers: new Map(),
    run,
    bytes: 0,
    over: undefined,
    around: {
      note,
      owner: ports.owner,
      bury: ports.bury,
      activated: counts.activated,
      ended: (work, how) => {
        counts.ended(how)
        for (const teller of work.tellers) ports.settled(teller, { id: work.incoming.id, how })
      },
      handled: (resident) => {
        weigh(lives, resident, resident.behavior?.bytes?.() ?? 0)
        if (isFull(lives)) makeRoom(lives)
      }
    }
  }
  return lives
})

const weigh = (lives: ResidentLives, resident: Resident.Resident, bytes: number): void => {
  lives.bytes += bytes - resident.bytes
  resident.bytes = bytes
}

/** Forgets a resident: from here on a message for it starts another. */
export const forget = (lives: ResidentLives, resident: Resident.Resident): void => {
  if (lives.residents.get(resident.name) === resident) lives.residents.delete(resident.name)
  weigh(lives, resident, 0)
}

/** Whether it lives and has nothing to do. */
const isIdle = (resident: Resident.Resident): boolean => Resident.isQuiet(resident) && resident.behavior !== undefined

const isFull = ({ bytes, limits, residents }: ResidentLives): boolean =>
  residents.size > limits.residentsMax || (bytes > limits.residentBytesMax && residents.size > 1)

const passivate = (lives: ResidentLives, resident: Resident.Resident): void => {
  forget(lives, resident)
  lives.counts.passivated()
  const life = lives.fibers.get(resident)
  if (life !== undefined) lives.run(Effect.asVoid(Fiber.interrupt(life)))
}

/** Puts to sleep those that were used least recently, as long as there are too many; never `newcomer`. */
const makeRoom = (lives: ResidentLives, newcomer?: Resident.Resident): void => {
  let lookedAt = 0
  for (const resident of lives.residents.values()) {
    if (!isFull(lives) || ++lookedAt > lookedAtMax) return
    if (resident !== newcomer && isIdle(resident)) passivate(lives, resident)
  }
}

/** Asserts that there are not too many for long: those that have something to do are let, and may be stuck. */
const checkLimits = (lives: ResidentLives, nowMs: number): void => {
  if (!isFull(lives)) lives.over = undefined
  else lives.over ??= { sinceMs: nowMs, isTold: false }
  const { around, bytes, limits, over, residents } = lives
  // told once each time, not at each look
  if (over === undefined || over.isTold) return
  const overMs = nowMs - over.sinceMs
  over.isTold = overMs > overLimitMsMax
  const details = () => ({ residents: residents.size, residentBytes: bytes, ...limits, overMs })
  around.note("withinLimits", !over.isTold, details)
}

/** Puts to sleep those that nobody has used for as long as their type says. */
export const sweep = (lives: ResidentLives): void => {
  const nowMs = lives.now()
  for (const resident of lives.residents.values()) {
    const after = resident.type.passivateAfter ?? Resident.passivateAfterDefault
    if (nowMs - resident.usedAtMs <= Duration.toMillis(after)) continue
    if (resident.stopped !== undefined) forget(lives, resident)
    else if (isIdle(resident)) passivate(lives, resident)
  }
  makeRoom(lives)
  checkLimits(lives, nowMs)
}

/** Tells those who wait for an actor that has stopped; what nobody waits for is sent on. */
const leave = ({ counts, now, ports }: ResidentLives, resident: Resident.Resident, reason: string): void => {
  const nowMs = now()
  const begun = new Set(resident.inHand)
  for (const work of resident.underWay.values()) {
    const isBegun = begun.has(work)
    for (const settle of work.tellers) {
      ports.forward({ ...toForward(work, nowMs, isBegun), settle }, resident.type.label ?? "")
    }
    if (work.responders.length === 0) continue
    const undelivered = new ActorUnavailable({
      address: resident.name,
      reason,
      ...(isBegun ? {} : { untouched: true })
    })
    for (const respond of work.responders) respond({ undelivered })
    counts.ended("rejected")
  }
  resident.underWay.clear()
  resident.inHand = []
  resident.mailbox.clear()
  resident.onQuiet()
}

/** How the life of an actor ended, in a sentence. */
const endReason = (exit: Exit.Exit<void, { readonly message: string }>): string => {
  if (Exit.isSuccess(exit)) return "it has stopped"
  if (Cause.hasInterruptsOnly(exit.cause)) return "it moves"
  return Option.match(Cause.findErrorOption(exit.cause), {
    onNone: () => Cause.pretty(exit.cause),
    onSome: (error) => error.message
  })
}

/** Tells of the later slot epoch, where a life ended since the actor's record bears one. */
const tellOutbid = (tenure: Tenure, cause: Cause.Cause<Fenced | MeshUnavailable>): void => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error?._tag === "Fenced" && error.slotEpoch !== undefined) tenure.onOutbid(error.slotEpoch)
}

const lifeOf = (lives: ResidentLives, resident: Resident.Resident): Effect.Effect<void> =>
  Resident.lifeOf(resident, lives.around).pipe(
    Effect.onExit((exit) =>
      Effect.gen(function* () {
        lives.fibers.delete(resident)
        // one that has given up stays, to say so; what it held is gone
        if (resident.stopped !== undefined) return weigh(lives, resident, 0)
        forget(lives, resident)
        const reason = endReason(exit)
        if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
          lives.counts.stopped(exit.cause)
          tellOutbid(resident.tenure, exit.cause)
          yield* Effect.logWarning("actor stopped", { actor: resident.name, reason })
        }
        leave(lives, resident, reason)
      })
    ),
    // its end was told
    Effect.ignore
  )

/** Makes a place for the actor of an address; it begins to live when its first message is in its mailbox. */
export const settle = (
  lives: ResidentLives,
  type: ActorType<never>,
  { tenure, to }: { readonly to: Address; readonly tenure: Tenure }
): Resident.Resident => {
  const nowMs = lives.now()
  const resident: Resident.Resident = {
    name: addressText(to),
    address: to,
    type,
    tenure,
    mailbox: Mailbox.make(type.mailboxMax ?? mailboxMax),
    underWay: new Map(),
    figures: ActorFigures.make(nowMs),
    inHand: [],
    behavior: undefined,
    bytes: 0,
    usedAtMs: nowMs,
    hasBegun: false,
    stopped: undefined,
    onQuiet: () => undefined
  }
  lives.residents.set(resident.name, resident)
  return resident
}

/** Lets an actor live that has a place and a message, unless it does. */
export const begin = (lives: ResidentLives, resident: Resident.Resident): void => {
  if (resident.hasBegun) return
  resident.hasBegun = true
  const life = lives.run(lifeOf(lives, resident))
  // one that ends on the spot has no life left to be stopped
  if (lives.residents.get(resident.name) === resident && resident.stopped === undefined)
    lives.fibers.set(resident, life)
  if (isFull(lives)) makeRoom(lives, resident)
}

/** Stops an actor. What it is just saving is finished, without being waited for any longer than this. */
export const stop = (lives: ResidentLives, resident: Resident.Resident): Effect.Effect<void> =>
  Effect.suspend(() => {
    forget(lives, resident)
    const life = lives.fibers.get(resident)
    if (life === undefined) return Effect.void
    return Effect.asVoid(Effect.timeoutOption(Fiber.interrupt(life), stopWithin))
  })

/** Waits until an actor has nothing to do, for so long at most, and stops it. */
export const finishAndStop = (
  lives: ResidentLives,
  resident: Resident.Resident,
  withinMs: number
): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    resident.onQuiet = () => {
      if (Resident.isQuiet(resident)) resume(Effect.void)
    }
    resident.onQuiet()
  }).pipe(Effect.timeoutOption(Duration.millis(withinMs)), Effect.andThen(stop(lives, resident)))
