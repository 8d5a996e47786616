/**
 * How is an actor woken in time, when its host may be another by then?
 *
 * An actor's timers are part of its state. Beside it lies a note of when the next is due, under the name of its slot:
 * whoever owns the slot reads the notes and wakes the actor, which looks at its timers itself. The note is written
 * before timers that are due earlier, and taken back after those that it stood for, so that an actor may be woken for
 * nothing, but never sleeps through a timer.
 */
import { Clock, Context, Effect, FiberMap, Option, Schema, type Scope } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { Address } from "../protocol/wire/Envelope.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import { revisionOf } from "./compareAndSet.ts"
import { Mesh, type Stored } from "./Mesh.ts"

/** An actor that is due is woken again after so long, until it has seen to its timers. */
const againAfterMs = 1000
/** The longest sleep at once: timers of the platform hold less than 25 days. */
const sleepMsMax = 24 * 3_600_000
/** How long it can be seen that a note was taken back. */
const removedTtlSeconds = 60
const writeTries = 5

const Note = Schema.Struct({
  to: Address,
  at: Schema.Finite,
  /** Of the host that wrote it; 0 where it is absent. */
  slotEpoch: Schema.optionalKey(Schema.Int)
})
const decodeNote = Schema.decodeUnknownOption(Note)

/** An actor by its slot. */
export interface Sleeper {
  readonly slot: string
  /** Of the host that speaks for it: what a later owner of the slot has noted stands. */
  readonly slotEpoch: number
  readonly address: Address
}

/** The timers of the slots of this host. */
export class Timers extends Context.Service<
  Timers,
  {
    /** When the actor has to be woken next, in epoch milliseconds; undefined for never. Written when this ends. */
    readonly expect: (who: Sleeper, at: number | undefined) => Effect.Effect<void, MeshUnavailable>
    /** Wakes the actors of a slot from now on, also those that were noted by its earlier owners. */
    readonly adopt: (slot: string, wake: (address: Address) => void) => Effect.Effect<void, MeshUnavailable>
    /** Wakes nobody of the slot any more. */
    readonly drop: (slot: string) => Effect.Effect<void>
  }
>()("seamless/runtime/Timers") {}

/** What is known of one note. */
interface Known {
  readonly revision: number
  readonly at: number | undefined
  readonly slotEpoch: number
}

const nothingKnown: Known = { revision: 0, at: undefined, slotEpoch: 0 }

const keyFor = ({ address, slot }: Noted): string => `${slot}.${ActorSubject.actorKey(address)}`

const noteIn = ({ value }: Stored) => Option.flatMap(Option.flatMap(value, Codec.fromJson), decodeNote)

const knownOf = (stored: Option.Option<Stored>): Known => {
  const { at, slotEpoch = 0 } = Option.getOrElse(Option.flatMap(stored, noteIn), () => nothingKnown)
  return { revision: revisionOf(stored), at, slotEpoch }
}

const write = (mesh: Mesh["Service"], who: Sleeper, note: Pick<Known, "at" | "revision">) => {
  const subject = keySubject(Stream.timers, keyFor(who))
  const { at, revision: expect } = note
  return at === undefined
    ? mesh.write(subject, new Uint8Array(0), { expect, remove: true, ttlSeconds: removedTtlSeconds })
    : mesh.write(subject, Codec.toJson({ to: who.address, at, slotEpoch: who.slotEpoch }), { expect })
}

const sleepUntil = (at: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    at <= nowMs ? Effect.void : Effect.andThen(Effect.sleep(Math.min(sleepMsMax, at - nowMs)), sleepUntil(at))
  )

type Noted = Pick<Sleeper, "address" | "slot">

/** A note and whose it is. */
interface Entry extends Known {
  readonly address: Address
}

/** The alarms of actors, by the keys of their notes; `wakeOf` tells who wakes the actors of a slot now. */
const makeAlarms = Effect.fnUntraced(function* (wakeOf: (slot: string) => ((address: Address) => void) | undefined) {
  const alarms = yield* FiberMap.make<string>()
  const armedAt = new Map<string, number>()

  const disarm = (key: string): Effect.Effect<void> => {
    armedAt.delete(key)
    return FiberMap.remove(alarms, key)
  }
  /** Sets the alarm of a note, unless it is set for then already. */
  const arm = (who: Noted, at: number | undefined): Effect.Effect<void> => {
    const key = keyFor(who)
    if (at === undefined || wakeOf(who.slot) === undefined) return disarm(key)
    if (armedAt.get(key) === at) return Effect.void
    armedAt.set(key, at)
    const ring = Effect.forever(
      Effect.andThen(
        // looked up each time: who has the slot anew wakes in its own name
        Effect.sync(() => wakeOf(who.slot)?.(who.address)),
        Effect.sleep(againAfterMs)
      )
    )
    return Effect.asVoid(FiberMap.run(alarms, key, Effect.andThen(sleepUntil(at), ring)))
  }
  return { arm, disarm }
})

/** What is known of the notes that have not ended, by slot and key. */
const makeNotes = () => {
  const slots = new Map<string, Map<string, Entry>>()
  const entriesOf = (slot: string): Map<string, Entry> => {
    const entries = slots.get(slot) ?? new Map<string, Entry>()
    slots.set(slot, entries)
    return entries
  }
  return {
    entriesOf,
    find: (who: Noted): Known => slots.get(who.slot)?.get(keyFor(who)) ?? nothingKnown,
    remember: (who: Noted, standing: Known): void => {
      // of a note that has ended nothing is kept: whoever writes the next one looks
      if (standing.at === undefined) slots.get(who.slot)?.delete(keyFor(who))
      else entriesOf(who.slot).set(keyFor(who), { ...standing, address: who.address })
    },
    /** Forgets a slot; gives the keys of what was known of it. */
    forget: (slot: string): ReadonlyArray<string> => {
      const keys = Array.from(slots.get(slot)?.keys() ?? [])
      slots.delete(slot)
      return keys
    }
  }
}

/** Timers over the port, for as long as the scope lives. */
export const makeTimers: Effect.Effect<Timers["Service"], never, Mesh | Scope.Scope> = Effect.gen(function* () {
  const mesh = yield* Mesh
  const notes = makeNotes()
  const wakes = new Map<string, (address: Address) => void>()
  const { arm, disarm } = yield* makeAlarms((slot) => wakes.get(slot))

  /**
   * Writes the note; where another has written meanwhile, only an earlier time replaces what stands there, and nothing
   * where that is a later owner of the slot.
   */
  const note = Effect.fnUntraced(function* (who: Sleeper, at: number | undefined) {
    const key = keyFor(who)
    let standing: Known = notes.find(who)
    for (let tries = 0; tries < writeTries; tries++) {
      if (standing.at === at || standing.slotEpoch > who.slotEpoch) break
      const written = yield* Effect.result(write(mesh, who, { revision: standing.revision, at }))
      if (written._tag === "Success") {
        standing = { revision: written.success, at, slotEpoch: who.slotEpoch }
        break
      }
      const failure = written.failure
      standing = knownOf(yield* mesh.read(Stream.timers.name, keySubject(Stream.timers, key)))
      if (failure._tag === "MeshUnavailable" && standing.at !== at) return yield* failure
      if (standing.at !== undefined && (at === undefined || standing.at <= at)) break
    }
    notes.remember(who, standing)
    yield* arm(who, standing.at)
  })

  const adopt = Effect.fnUntraced(function* (slot: string, wake: (address: Address) => void) {
    wakes.set(slot, wake)
    const found = yield* mesh.readMany(Stream.timers.name, [keySubject(Stream.timers, `${slot}.>`)])
    // the slot was dropped meanwhile, or is someone else's to wake
    if (wakes.get(slot) !== wake) return
    const entries = notes.entriesOf(slot)
    for (const stored of found) {
      const noted = noteIn(stored)
      if (Option.isNone(noted)) continue
      const who = { slot, address: noted.value.to }
      // a label may be a number, too: its slots are not this one's
      const key = keyFor(who)
      if (key !== keyOf(Stream.timers, stored.subject)) continue
      // what a replica gives may be older than what an actor of this host has noted meanwhile
      if ((entries.get(key)?.revision ?? 0) < stored.revision) {
        entries.set(key, { ...knownOf(Option.some(stored)), address: who.address })
      }
    }
    for (const { address, at } of entries.values()) {
      if (wakes.get(slot) !== wake) return
      yield* arm({ slot, address }, at)
    }
  })

  const drop = (slot: string) =>
    Effect.suspend(() => {
      wakes.delete(slot)
      return Effect.forEach(notes.forget(slot), disarm, { discard: true })
    })
  return Timers.of({ expect: note, adopt, drop })
})
