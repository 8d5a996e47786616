/**
 * How does a host get, keep and give back slots?
 *
 * A slot is one record; owning it is having written it last, by compare-and-set. While a slot is held its subject is
 * subscribed. Reads only suggest a claim: the ack of the write decides.
 */
import { Effect, Exit, Option, Schedule, Schema, Scope } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { SlotValue } from "../protocol/wire/HostRecords.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../protocol/wire/StreamSpec.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { Mesh, type Message, type Stored } from "../runtime/Mesh.ts"
import { HostSession } from "./HostSession.ts"
import { planClaims, type SlotRecord } from "./planClaims.ts"

const checkEvery = "500 millis"
// a host that starts alone claims every slot: more at once only wait in the server
const claimConcurrency = 64

const decodeValue = Schema.decodeUnknownOption(SlotValue)

const parse = (stored: Stored): Option.Option<SlotRecord> =>
  Option.map(Option.flatMap(Option.flatMap(stored.value, Codec.fromJson), decodeValue), (value) => ({
    slot: Number(keyOf(Stream.slots, stored.subject)),
    revision: stored.revision,
    ...value
  }))

/** What holds for a slot while this host has it. */
interface Held {
  readonly record: SlotRecord
  readonly scope: Scope.Closeable
}

/** What the owner of a slot does with it. */
export interface SlotHandler {
  /** Called for each message of the slot. */
  readonly onMessage: (slot: number, slotEpoch: number, message: Message) => void
  /** Called when the slot is no longer this host's. */
  readonly onLost: (slot: number) => Effect.Effect<void>
}

/** The slots of this host. */
interface SlotClaim {
  /** How many slots this host has. */
  readonly count: () => number
}

const write = (mesh: Mesh["Service"], record: SlotRecord) =>
  mesh.write(
    keySubject(Stream.slots, String(record.slot)),
    Codec.toJson({ owner: record.owner, slotEpoch: record.slotEpoch }),
    { expect: record.revision }
  )

const readRecords = (mesh: Mesh["Service"]) =>
  Effect.map(
    mesh.readMany(Stream.slots.name, [Stream.slots.subjects]),
    (stored) =>
      new Map(
        stored
          .map(parse)
          .filter(Option.isSome)
          .map(({ value }) => [value.slot, value])
      )
  )

const isTaken = (record: SlotRecord | undefined, { record: mine }: Held): boolean =>
  record !== undefined && record.slotEpoch > mine.slotEpoch

/** Claims slots as long as the scope lives, and gives them back at its end. */
export const claimSlots = Effect.fnUntraced(function* (handler: SlotHandler) {
  const mesh = yield* Mesh
  const session = yield* HostSession
  const held = new Map<number, Held>()

  const claim = Effect.fnUntraced(function* (standing: SlotRecord) {
    const wanted = { ...standing, owner: session.incarnation, slotEpoch: standing.slotEpoch + 1 }
    const record = { ...wanted, revision: yield* write(mesh, wanted) }
    const scope = yield* Scope.make()
    // held only when its messages come: a slot that is claimed and not held is claimed again at the next check
    yield* Scope.provide(
      mesh.subscribe(Subject.slot(record.slot), (message) => handler.onMessage(record.slot, record.slotEpoch, message)),
      scope
    ).pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
    held.set(record.slot, { record, scope })
  })

  const drop = Effect.fnUntraced(function* (slot: number) {
    const holding = held.get(slot)
    if (holding === undefined) return
    held.delete(slot)
    yield* Scope.close(holding.scope, Exit.void)
    yield* handler.onLost(slot)
  })

  const check = Effect.gen(function* () {
    // a session that lapsed ends all holding: each slot is confirmed by a new claim before it serves again
    if (!(yield* session.isValid)) return yield* Effect.forEach(Array.from(held.keys()), drop, { discard: true })
    const standing = yield* readRecords(mesh)
    const taken = Array.from(held).filter(([slot, holding]) => isTaken(standing.get(slot), holding))
    yield* Effect.forEach(taken, ([slot]) => drop(slot), { discard: true })
    const live = new Set((yield* session.live).map(({ incarnation }) => incarnation)).add(session.incarnation)
    const plan = planClaims({
      me: session.incarnation,
      live,
      records: standing,
      held: new Set(held.keys()),
      mayBury: yield* session.mayBury
    })
    // a claim that fails was someone else's, or is tried again at the next check
    yield* Effect.forEach(plan, (record) => Effect.ignore(claim(record)), {
      concurrency: claimConcurrency,
      discard: true
    })
  })

  const giveBack = Effect.forEach(
    Array.from(held.values()),
    ({ record }) => Effect.ignore(Effect.andThen(drop(record.slot), write(mesh, { ...record, owner: "" }))),
    { concurrency: claimConcurrency, discard: true }
  ).pipe(Effect.timeoutOption("2 seconds"))

  yield* Effect.acquireRelease(check, () => Effect.suspend(() => giveBack))
  yield* check.pipe(
    Effect.catchCause((cause) => Effect.logWarning("slots not checked", cause)),
    Effect.repeat(Schedule.spaced(checkEvery)),
    Effect.delay(checkEvery),
    Effect.forkScoped
  )
  return { count: () => held.size } satisfies SlotClaim
})
