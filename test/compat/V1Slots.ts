/**
 * How did a host of version 1 get, keep and lose slots?
 *
 * Twice a second it reads all slots and all sessions. It lets go what somebody else has claimed since, and claims what
 * nobody has, or a dead host, or it itself before it lost touch, where it is the desired owner.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node"
import { setTimeout as sleep } from "node:timers/promises"
import { isSlotValue, toJson, vectors, type V1SlotValue } from "./v1Forms.ts"
import { desiredOwner, slotCount } from "./v1Placement.ts"
import { readBucket, write } from "./V1Records.ts"
import type { V1Session } from "./V1Session.ts"

/** What the owner of a slot does with it. */
export interface V1SlotHandler {
  readonly onMessage: (slot: number, message: Msg) => void
  readonly onLost: (slot: number) => void
  /** Hears of each slot's record that version 1 can't read. */
  readonly onUnreadable: (value: unknown) => void
}

/** The slots of a host. */
export interface V1Slots {
  readonly held: () => ReadonlySet<number>
  /** Claims no more; what is held is served until the connection closes. */
  readonly cease: () => Promise<void>
  /** Lets all go, and writes that they are nobody's. */
  readonly giveBack: () => Promise<void>
}

interface SlotRecord extends V1SlotValue {
  readonly slot: number
  readonly revision: number
}

interface Held {
  readonly record: SlotRecord
  readonly subscription: Subscription
}

const { checkEveryMs, firstClaimed, givenBack } = vectors.slots
const { subject: recordedAsk } = vectors.asks.ensure.request
const bucket = "seamless-slots"
const keyPrefix = `$KV.${bucket}.`

/** Where the owner of a slot listens. */
export const slotSubject = (slot: number): string => recordedAsk.replace(/\d+$/, String(slot))

const readSlots = async (nc: NatsConnection, onUnreadable: (value: unknown) => void) => {
  const records = new Map<number, SlotRecord>()
  for (const { revision, subject, value } of await readBucket(nc, bucket)) {
    const slot = Number(subject.slice(keyPrefix.length))
    if (isSlotValue(value)) records.set(slot, { slot, revision, owner: value.owner, slotEpoch: value.slotEpoch })
    else onUnreadable(value)
  }
  return records
}

const writeSlot = (nc: NatsConnection, { owner, revision, slot, slotEpoch }: SlotRecord) => {
  const { headers } = owner === "" ? givenBack : firstClaimed
  const data = toJson({ ...firstClaimed.value, owner, slotEpoch })
  return write(nc, { subject: `${keyPrefix}${slot}`, headers, expect: revision, data })
}

/** What a host knows when it looks for slots to claim. */
interface View {
  readonly me: string
  readonly live: ReadonlySet<string>
  readonly records: ReadonlyMap<number, SlotRecord>
  readonly held: ReadonlyMap<number, Held>
  readonly mayBury: boolean
}

const isClaimable = ({ live, mayBury, me }: View, { owner, slot }: SlotRecord): boolean => {
  if (owner === me) return true
  return (owner === "" || (mayBury && !live.has(owner))) && desiredOwner(slot, live) === me
}

const planClaims = (view: View): ReadonlyArray<SlotRecord> =>
  Array.from(
    { length: slotCount },
    (_, slot) => view.records.get(slot) ?? { slot, owner: "", slotEpoch: 0, revision: 0 }
  ).filter((record) => !view.held.has(record.slot) && isClaimable(view, record))

/** Claims slots until it ceases; the first check is made when it is ready. */
export const claim = async (nc: NatsConnection, session: V1Session, handler: V1SlotHandler): Promise<V1Slots> => {
  const held = new Map<number, Held>()
  const ceased = new AbortController()
  const me = session.incarnation

  const drop = (slot: number): void => {
    held.get(slot)?.subscription.unsubscribe()
    if (held.delete(slot)) handler.onLost(slot)
  }
  const claimOne = async (standing: SlotRecord): Promise<void> => {
    const wanted = { ...standing, owner: me, slotEpoch: standing.slotEpoch + 1 }
    const written = await writeSlot(nc, wanted)
    if (written === "conflict") return
    const subscription = nc.subscribe(slotSubject(wanted.slot), {
      callback: (error, message) => {
        if (error === null) handler.onMessage(wanted.slot, message)
      }
    })
    await nc.flush()
    held.set(wanted.slot, { record: { ...wanted, ...written }, subscription })
  }
  const check = async (): Promise<void> => {
    if (!session.isValid()) return Array.from(held.keys()).forEach(drop)
    const records = await readSlots(nc, handler.onUnreadable)
    for (const [slot, { record }] of held) if ((records.get(slot)?.slotEpoch ?? 0) > record.slotEpoch) drop(slot)
    const live = new Set((await session.live()).map(({ incarnation }) => incarnation)).add(me)
    const plan = planClaims({ me, live, records, held, mayBury: session.mayBury() })
    await Promise.allSettled(plan.map(claimOne))
  }
  const keepChecking = async (): Promise<void> => {
    while (!ceased.signal.aborted) {
      await sleep(checkEveryMs, undefined, { signal: ceased.signal }).catch(() => undefined)
      // version 1 tells its log, and looks again half a second later
      if (!ceased.signal.aborted) await check().catch(() => undefined)
    }
  }

  await check()
  const checks = keepChecking()
  const cease = (): Promise<void> => {
    ceased.abort()
    return checks
  }
  return {
    held: () => new Set(held.keys()),
    cease,
    giveBack: async () => {
      await cease()
      const given = Array.from(held.values(), ({ record }) => record)
      for (const { slot } of given) drop(slot)
      await Promise.allSettled(given.map((record) => writeSlot(nc, { ...record, owner: "" })))
    }
  }
}
