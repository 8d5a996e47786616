/**
 * How is it read and written who owns a slot?
 *
 * Reads may be old, and only suggest; the ack of a compare-and-set decides.
 */
import { Effect, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import { SlotValue } from "../protocol/wire/HostRecords.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../protocol/wire/StreamSpec.ts"
import type { Mesh, Stored } from "../runtime/Mesh.ts"
import type { SlotRecord } from "./planClaims.ts"
import { readOnce } from "./readOnce.ts"

const settleWithin = "1 second"

const decodeValue = Schema.decodeUnknownOption(SlotValue)

const parseValue = (bytes: Uint8Array): Option.Option<SlotValue> => Option.flatMap(Codec.fromJson(bytes), decodeValue)

/** The record of a slot, from its bytes; none where they are none. */
export const parseSlot = (slot: string, revision: number, bytes: Uint8Array): Option.Option<SlotRecord> =>
  Option.map(parseValue(bytes), (value) => ({ slot, revision, ...value }))

const parseStored = ({ revision, subject, value }: Stored): Option.Option<SlotRecord> =>
  Option.flatMap(value, (bytes) => parseSlot(keyOf(Stream.slots, subject), revision, bytes))

/** Reads the records of all slots, by name: again and again, at the price of what has changed. */
export const slotReader = (mesh: Mesh["Service"]): Effect.Effect<ReadonlyMap<string, SlotRecord>, MeshUnavailable> => {
  const parse = readOnce(parseValue)
  return Effect.map(mesh.readMany(Stream.slots.name, [Stream.slots.subjects]), (stored) => {
    const records = new Map<string, SlotRecord>()
    for (const { revision, subject, value } of stored) {
      const parsed = Option.flatMap(value, (bytes) => parse(subject, bytes))
      if (Option.isNone(parsed)) continue
      const slot = keyOf(Stream.slots, subject)
      records.set(slot, { slot, revision, ...parsed.value })
    }
    return records
  })
}

/** The records of all slots, by name. */
export const readSlots = (mesh: Mesh["Service"]): Effect.Effect<ReadonlyMap<string, SlotRecord>, MeshUnavailable> =>
  Effect.suspend(() => slotReader(mesh))

/** The revision of a slot's record as the leader has it; 0 where there is none. */
export const readRevision = (mesh: Mesh["Service"], slot: string): Effect.Effect<number, MeshUnavailable> =>
  Effect.map(
    mesh.read(Stream.slots.name, keySubject(Stream.slots, slot)),
    Option.match({ onNone: () => 0, onSome: ({ revision }) => revision })
  )

const isAsWritten = (wanted: SlotRecord) => (standing: SlotRecord) =>
  standing.owner === wanted.owner && standing.slotEpoch === wanted.slotEpoch && standing.revision > wanted.revision

/**
 * Writes the record in the place of its revision; gives the new revision. Where no answer comes, what stands there
 * tells: nobody else writes this owner with this epoch.
 */
export const writeSlot = Effect.fnUntraced(function* (mesh: Mesh["Service"], record: SlotRecord) {
  const subject = keySubject(Stream.slots, record.slot)
  const settle = (unanswered: MeshUnavailable) =>
    mesh.read(Stream.slots.name, subject).pipe(
      Effect.timeoutOrElse({ duration: settleWithin, orElse: () => Effect.fail(unanswered) }),
      Effect.map((stored) => Option.filter(Option.flatMap(stored, parseStored), isAsWritten(record))),
      Effect.flatMap(
        Option.match({ onNone: () => Effect.fail(unanswered), onSome: (ours) => Effect.succeed(ours.revision) })
      )
    )
  return yield* mesh
    .write(subject, Codec.toJson({ owner: record.owner, slotEpoch: record.slotEpoch }), { expect: record.revision })
    .pipe(Effect.catchTag("MeshUnavailable", settle))
})
