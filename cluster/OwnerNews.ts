/**
 * When does a slot get a new owner?
 *
 * Changes of the slots' records are announced. Whoever waits for an owner of a slot, or for the answer of one that may
 * be gone, is woken at once rather than when it would have tried again.
 */
import { Effect, Option, Schema } from "effect"
import * as Announcement from "../protocol/wire/Announcement.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { SlotValue } from "../protocol/wire/HostRecords.ts"
import { Mesh } from "../runtime/Mesh.ts"

/** Word of new owners. */
export interface OwnerNews {
  /** Calls once when the slot of that name gets another owner; gives what takes the wish back. */
  readonly onNewOwner: (slot: string, call: () => void) => () => void
  /** The epoch of the slot's newest owner, as far as it was heard; 0 where nothing was. */
  readonly epochOf: (slot: string) => number
}

const isValue = Schema.is(SlotValue)

/** Listens for as long as the scope lives. */
export const listen = Effect.gen(function* () {
  const mesh = yield* Mesh
  const waiting = new Map<string, Set<() => void>>()
  const epochs = new Map<string, number>()

  const onNewOwner: OwnerNews["onNewOwner"] = (slot, call) => {
    const calls = waiting.get(slot) ?? new Set()
    waiting.set(slot, calls)
    calls.add(call)
    return () => void calls.delete(call)
  }
  yield* mesh.subscribe(Announcement.changed("slots"), ({ data, subject }) => {
    const slot = Option.getOrUndefined(Announcement.changedKey("slots", subject))
    const value = Option.getOrUndefined(Codec.fromJson(data))
    if (slot === undefined || !isValue(value) || value.owner === "") return
    // an owner that only confirms what it has keeps its epoch
    if (epochs.get(slot) === value.slotEpoch) return
    epochs.set(slot, value.slotEpoch)
    const calls = Array.from(waiting.get(slot) ?? [])
    waiting.get(slot)?.clear()
    for (const call of calls) call()
  })
  return { onNewOwner, epochOf: (slot) => epochs.get(slot) ?? 0 } satisfies OwnerNews
})
