/**
 * How does an actor's record fence whoever has the actor?
 *
 * It gets a higher epoch, by which any activation fails at its next save, wherever it is; and the slot epoch of nobody,
 * so that whoever owns the actor's slot may stamp it next.
 */
import { Effect, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { UnknownActor } from "../protocol/wire/AdminErrors.ts"
import type { Address } from "../protocol/wire/Envelope.ts"
import type { Fenced, MalformedMessage, MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { StateRecord } from "../protocol/wire/StateRecord.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { type BucketSpec, keySubject } from "../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import { recordOf, write } from "../runtime/ActorState.ts"
import { revisionOf } from "../runtime/compareAndSet.ts"
import type { Mesh, Stored } from "../runtime/Mesh.ts"
import { randomId } from "../runtime/randomId.ts"

/** An actor that saves often is written to in between: each try looks again. */
const triesMax = 20

/** Where an actor's state is: coverage has a bucket of its own, which is public and keyed by series. */
const placeOf = (address: Address): { readonly bucket: BucketSpec; readonly key: string } =>
  address.type === "coverage"
    ? { bucket: Stream.coverage, key: address.key }
    : { bucket: Stream.actors, key: ActorSubject.actorKey(address) }

const decodeRaw = Schema.decodeUnknownOption(Schema.Record(Schema.String, Schema.Unknown))

/** All that a record says, also what only a later build knows: it is not this one's to forget. */
const rawOf = (stored: Option.Option<Stored>): Readonly<Record<string, unknown>> =>
  stored.pipe(
    Option.flatMap(({ value }) => value),
    Option.flatMap(Codec.fromJson),
    Option.flatMap(decodeRaw),
    Option.getOrElse(() => ({}))
  )

const bump = Effect.fnUntraced(function* (mesh: Mesh["Service"], address: Address) {
  const { bucket, key } = placeOf(address)
  const stored = yield* mesh.read(bucket.name, keySubject(bucket, key))
  const standing = yield* recordOf(key, stored)
  if (standing === undefined) return yield* new UnknownActor(address)
  const record: StateRecord = {
    ...rawOf(stored),
    ...standing,
    slotEpoch: 0,
    epoch: standing.epoch + 1,
    owner: "",
    nonce: yield* randomId
  }
  yield* write(mesh, { bucket, key, record, expect: revisionOf(stored) })
  return record.epoch
})

/** Raises the epoch in the actor's record, and gives the new one. */
export const raiseEpoch = (
  mesh: Mesh["Service"],
  address: Address
): Effect.Effect<number, UnknownActor | Fenced | MalformedMessage | MeshUnavailable> =>
  Effect.retry(bump(mesh, address), { times: triesMax - 1, while: ({ _tag }) => _tag === "Fenced" })
