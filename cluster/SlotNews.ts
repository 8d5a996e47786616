/**
 * What changed among hosts and slots just now?
 *
 * Changes are announced, at most once: what is heard only makes a check come sooner, and tells when a slot that was
 * handed over has its new owner.
 */
import { Deferred, Effect, Option } from "effect"
import * as Announcement from "../protocol/wire/Announcement.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"
import { Mesh, type Message } from "../runtime/Mesh.ts"
import { HostSession, parseSession } from "./HostSession.ts"
import type { SlotRecord } from "./planClaims.ts"
import { readOnce } from "./readOnce.ts"
import { parseSlot } from "./SlotRecords.ts"

const slots = "slots"
const sequenceHeader = "Nats-Sequence"

/** Who waits for news, and what is known already. */
export interface SlotNews {
  /** Waits until the slot's record names an owner of a later epoch. */
  readonly nextOwner: (slot: string, slotEpoch: number) => Effect.Effect<void>
  /** Tells what a look at the records has found: an announcement may have been lost. */
  readonly noteRecords: (records: Iterable<SlotRecord>) => void
  /** Tells who lives: only what differs from it is news. */
  readonly noteHosts: (live: ReadonlyArray<SessionRecord>) => void
}

/** A slot that was given back, and has no owner yet. */
interface Awaited {
  readonly slotEpoch: number
  readonly owned: Deferred.Deferred<void>
}

/** Who is told. */
interface Listener {
  /** Hosts came, went, or began to drain. */
  readonly onHosts: () => void
  /** A slot's record was written. */
  readonly onSlot: (record: SlotRecord) => void
}

const keyOf = (subject: string): string => Option.getOrElse(Announcement.changedKey(slots, subject), () => "")

const slotOf = (message: Message): Option.Option<SlotRecord> =>
  parseSlot(keyOf(message.subject), Number(message.headers.get(sequenceHeader)), message.data)

/** Listens as long as the scope lives. */
export const listen = Effect.fnUntraced(function* ({ onHosts, onSlot }: Listener) {
  const mesh = yield* Mesh
  const session = yield* HostSession
  const me = session.incarnation
  // incarnations, and whether they drain; what is wrong here is put right by the next look
  let known = new Map<string, boolean>()
  const awaited = new Map<string, Awaited>()

  const isNews = (incarnation: string, host: SessionRecord | undefined): boolean => {
    if (incarnation === me) return false
    return host === undefined ? known.has(incarnation) : known.get(incarnation) !== (host.draining === true)
  }
  // renewals say the same each second
  const parse = readOnce(parseSession)
  const onSession = (incarnation: string, data: Uint8Array): void => {
    // a host that left, or whose time is over, leaves a record without a value
    const host = Option.getOrUndefined(parse(incarnation, data))
    if (!isNews(incarnation, host)) return
    if (host === undefined) known.delete(incarnation)
    else known.set(incarnation, host.draining === true)
    onHosts()
  }
  const noteSlot = ({ owner, slot, slotEpoch }: SlotRecord): void => {
    const waiting = awaited.get(slot)
    if (waiting === undefined || owner === "" || slotEpoch <= waiting.slotEpoch) return
    awaited.delete(slot)
    Deferred.doneUnsafe(waiting.owned, Effect.void)
  }
  const onRecord = (message: Message): void => {
    const record = Option.getOrUndefined(slotOf(message))
    if (record === undefined) return
    noteSlot(record)
    onSlot(record)
  }
  yield* session.onAnnounced(onSession)
  yield* mesh.subscribe(Announcement.changed(slots), onRecord)
  return {
    nextOwner: (slot, slotEpoch) =>
      Effect.suspend(() => {
        const owned = Deferred.makeUnsafe<void>()
        awaited.set(slot, { slotEpoch, owned })
        return Effect.ensuring(
          Deferred.await(owned),
          Effect.sync(() => void awaited.delete(slot))
        )
      }),
    noteRecords: (records) => {
      for (const record of records) noteSlot(record)
    },
    noteHosts: (live) => {
      known = new Map(live.map(({ draining = false, incarnation }) => [incarnation, draining]))
    }
  } satisfies SlotNews
})
