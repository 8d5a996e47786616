/**
 * How does an actor keep its state so that no other activation can?
 *
 * The record's revision is the lease. An activation stamps the record with its epoch before it handles anything; from
 * then on each save is a compare-and-set on the last revision that it saw. Whoever is stale fails at the write,
 * whatever it believed before.
 */
import { Effect, Option, Schema } from "effect"
import { Fenced, MalformedMessage, type MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { StateRecord } from "../protocol/wire/StateRecord.ts"
import { type BucketSpec, keySubject } from "../protocol/wire/StreamSpec.ts"
import type { Wire } from "../protocol/wire/ActorMessage.ts"
import { compareAndSet, revisionOf } from "./compareAndSet.ts"
import { Mesh, type Stored } from "./Mesh.ts"
import { randomId } from "./randomId.ts"

/** The state of one activation. */
export interface ActorState<S> {
  readonly epoch: number
  /** The state that was last saved. */
  readonly current: () => S
  /** Replaces the state. After `MeshUnavailable` the outcome is unknown and the activation must step down. */
  readonly save: (next: S) => Effect.Effect<void, Fenced | MeshUnavailable>
}

/** Which record, and on whose behalf. */
export interface OpenOptions<S> {
  readonly bucket: BucketSpec
  readonly key: string
  readonly slotEpoch: number
  readonly owner: string
  readonly form: Wire<S>
  /** The state of an actor that has no record yet. */
  readonly initial: S
}

const decodeRecord = Schema.decodeUnknownOption(StateRecord)

const malformed = (key: string, problem: string) => new MalformedMessage({ what: `state record ${key}`, problem })

const recordOf = (
  key: string,
  stored: Option.Option<Stored>
): Effect.Effect<StateRecord | undefined, MalformedMessage> => {
  const value = Option.flatMap(stored, (found) => found.value)
  if (Option.isNone(value)) return Effect.succeed(undefined)
  return Option.match(Option.flatMap(Codec.fromJson(value.value), decodeRecord), {
    onNone: () => Effect.fail(malformed(key, "is no record of format 1")),
    onSome: Effect.succeed
  })
}

const isRecord =
  (nonce: string) =>
  ({ value }: Stored): boolean =>
    value.pipe(
      Option.flatMap(Codec.fromJson),
      Option.flatMap(decodeRecord),
      Option.exists((found) => found.nonce === nonce)
    )

interface Write {
  readonly bucket: BucketSpec
  readonly key: string
  readonly record: StateRecord
  readonly expect: number
}

const write = (
  mesh: Mesh["Service"],
  { bucket, expect, key, record }: Write
): Effect.Effect<number, Fenced | MeshUnavailable> =>
  compareAndSet(mesh, {
    stream: bucket.name,
    subject: keySubject(bucket, key),
    data: Codec.toJson(record),
    expect,
    isOurs: isRecord(record.nonce)
  }).pipe(Effect.catchTag("RevisionConflict", () => Effect.fail(new Fenced({ key, epoch: record.epoch }))))

const openTries = 5

/** Takes over the record: stamps it with a new epoch. Fails with `Fenced` where a later owner has stamped it. */
export const open = Effect.fnUntraced(function* <S>(options: OpenOptions<S>) {
  const mesh = yield* Mesh
  const { bucket, form, initial, key, owner, slotEpoch } = options
  const decode = Schema.decodeUnknownEffect(form)
  const encode = Schema.encodeUnknownEffect(form)

  const stamp = Effect.gen(function* () {
    const stored = yield* mesh.read(bucket.name, keySubject(bucket, key))
    const standing = yield* recordOf(key, stored)
    if (standing !== undefined && standing.slotEpoch > slotEpoch)
      return yield* new Fenced({ key, epoch: standing.epoch })
    const state = standing === undefined ? yield* Effect.orDie(encode(initial)) : standing.state
    const record: StateRecord = {
      format: 1,
      slotEpoch,
      epoch: (standing?.epoch ?? 0) + 1,
      owner,
      nonce: yield* randomId,
      state
    }
    const revision = yield* write(mesh, { bucket, key, record, expect: revisionOf(stored) })
    return { record, revision }
  })
  // another activation may stamp in between; the next look tells whether it is a later one
  let { record, revision } = yield* Effect.retry(stamp, { times: openTries, while: (error) => error._tag === "Fenced" })
  let state = yield* Effect.mapError(decode(record.state), (error) => malformed(key, error.message))

  const save = Effect.fnUntraced(function* (next: S) {
    const following = { ...record, nonce: yield* randomId, state: yield* Effect.orDie(encode(next)) }
    revision = yield* write(mesh, { bucket, key, record: following, expect: revision })
    record = following
    state = next
  })
  return { epoch: record.epoch, current: () => state, save } satisfies ActorState<S>
})
