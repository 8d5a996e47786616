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
import { StateRecord, type Timer } from "../protocol/wire/StateRecord.ts"
import { type BucketSpec, keySubject } from "../protocol/wire/StreamSpec.ts"
import type { Wire } from "../protocol/wire/ActorMessage.ts"
import { compareAndSet, revisionOf } from "./compareAndSet.ts"
import { emptyRecord, type LedgerRecord } from "./Ledger.ts"
import * as Invariants from "./Invariants.ts"
import { headroomBytes, Mesh, type Stored } from "./Mesh.ts"
import { type Migrations, upgrade } from "./Migrations.ts"
import { randomId } from "./randomId.ts"

/** What is saved beside the state. */
export interface Book extends LedgerRecord {
  readonly timers: ReadonlyArray<Timer>
}

/** The state of one activation. */
export interface ActorState<S> {
  readonly epoch: number
  /** The state that was last saved. */
  readonly current: () => S
  /** What was last saved beside it. */
  readonly book: () => Book
  /** Bytes of the record. */
  readonly bytes: () => number
  /** Whether the record stands as it was written last: storage that was rolled back has an earlier one, or none. */
  readonly stands: Effect.Effect<boolean, MeshUnavailable>
  /** Replaces the state. After `MeshUnavailable` the outcome is unknown and the activation must step down. */
  readonly save: (next: S, book?: Book) => Effect.Effect<void, Fenced | MeshUnavailable>
}

/** Which record, and on whose behalf. */
export interface OpenOptions<S> {
  readonly bucket: BucketSpec
  readonly key: string
  /** The name of the slot: epochs are compared within one slot only. */
  readonly slot?: string
  readonly slotEpoch: number
  readonly owner: string
  readonly form: Wire<S>
  /** The state of an actor that has no record yet. */
  readonly initial: S
  /** How states of earlier forms become states of this one. */
  readonly migrations?: Migrations
}

const decodeRecord = Schema.decodeUnknownOption(StateRecord)

const malformed = (key: string, problem: string) => new MalformedMessage({ what: `state record ${key}`, problem })

/** The record that stands there; undefined where there is none. */
export const recordOf = (
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

const readRecord = ({ value }: Stored): StateRecord | undefined =>
  value.pipe(Option.flatMap(Codec.fromJson), Option.flatMap(decodeRecord), Option.getOrUndefined)

interface Write {
  readonly bucket: BucketSpec
  readonly key: string
  readonly record: StateRecord
  readonly expect: number
  /** Whether the record that it replaces is of the same epoch, in which then nobody else writes. */
  readonly isOwn?: boolean
}

interface Written {
  readonly record: StateRecord
  readonly revision: number
  readonly bytes: number
}

const tooLarge = (bytes: number, bytesMax: number): string =>
  `the actor's record would have ${bytes} bytes, and the server takes ${bytesMax}`

const named = (slot: string | undefined): { readonly slot?: string } => (slot === undefined ? {} : { slot })

/** Asserts that what stands in the way of a write is what may: a later epoch's record, or for a stamp the same's. */
const checkStanding = ({ isOwn = false, key, record }: Write, standing: StateRecord | undefined) => {
  if (standing === undefined) return Effect.void
  const details = () => ({
    key,
    epoch: record.epoch,
    owner: record.owner,
    standing: standing.epoch,
    by: standing.owner
  })
  // a stamp raises the epoch that it found
  const found = isOwn ? record.epoch : record.epoch - 1
  const grows = Invariants.check("epochGrows", standing.epoch >= found, details)
  return Effect.andThen(grows, Invariants.check("oneWriter", !isOwn || standing.epoch !== found, details))
}

/** Replaces the record of a key; `Fenced` where the expected one does not stand there any more. */
export const write = (mesh: Mesh["Service"], change: Write): Effect.Effect<Written, Fenced | MeshUnavailable> => {
  const { bucket, expect, key, record } = change
  let standing: StateRecord | undefined
  const data = Codec.toJson(record)
  const bytesMax = mesh.payloadBytesMax() - headroomBytes
  // no server will take it, now or later: a fault of whatever made it so large
  if (data.length > bytesMax) return Effect.die(new Error(tooLarge(data.length, bytesMax)))
  return compareAndSet(mesh, {
    stream: bucket.name,
    subject: keySubject(bucket, key),
    data,
    expect,
    isOurs: (stored) => {
      standing = readRecord(stored)
      return standing?.nonce === record.nonce
    }
  }).pipe(
    Effect.map((revision) => ({ record, revision, bytes: data.length })),
    Effect.catchTag("RevisionConflict", () =>
      Effect.andThen(checkStanding(change, standing), Effect.fail(new Fenced({ key, epoch: record.epoch })))
    )
  )
}

const openTries = 5

/** Stamps the record with the next epoch; `initial` is the state where there is none. */
const stamp = Effect.fnUntraced(function* (
  mesh: Mesh["Service"],
  {
    bucket,
    key,
    owner,
    slot,
    slotEpoch
  }: Pick<OpenOptions<unknown>, "bucket" | "key" | "owner" | "slot" | "slotEpoch">,
  initial: { readonly state: unknown; readonly schemaVersion: number }
) {
  const stored = yield* mesh.read(bucket.name, keySubject(bucket, key))
  const standing = yield* recordOf(key, stored)
  // a type that was given another label has other slots, whose epochs say nothing of these
  const isComparable = slot === undefined || standing?.slot === undefined || standing.slot === slot
  if (standing !== undefined && isComparable && standing.slotEpoch > slotEpoch) {
    return yield* new Fenced({ key, epoch: standing.epoch, slotEpoch: standing.slotEpoch })
  }
  const record: StateRecord = {
    // all or nothing: what stands there without a version is of version 1, not of this build's
    ...(standing ?? { format: 1, ...initial }),
    ...named(slot),
    slotEpoch,
    epoch: (standing?.epoch ?? 0) + 1,
    owner,
    nonce: yield* randomId
  }
  return yield* write(mesh, { bucket, key, record, expect: revisionOf(stored) })
})

const bookOf = ({ forgottenAt, operations = [], timers = [] }: StateRecord): Book => ({
  operations,
  forgottenAt,
  timers
})

/** What a record says of a book: nothing of what is empty. */
const written = ({ forgottenAt, operations, timers }: Book) => ({
  ...(operations.length === 0 ? {} : { operations }),
  ...(forgottenAt === undefined ? {} : { forgottenAt }),
  ...(timers.length === 0 ? {} : { timers })
})

/** A book with nothing in it. */
export const emptyBook: Book = { ...emptyRecord, timers: [] }

/**
 * Takes over the record: stamps it with a new epoch. Fails with `Fenced` where a later owner has stamped it, and with
 * `MalformedMessage` where its state can't be read, or was written by a later build.
 */
export const open = Effect.fnUntraced(function* <S>(options: OpenOptions<S>) {
  const mesh = yield* Mesh
  const { bucket, form, initial, key, migrations = { version: 1, steps: new Map() }, owner, slot, slotEpoch } = options
  const decode = Schema.decodeUnknownEffect(form)
  const encode = Schema.encodeUnknownEffect(form)
  const schemaVersion = migrations.version

  const first = { state: yield* Effect.orDie(encode(initial)), schemaVersion }
  // another activation may stamp in between; the next look tells whether it is a later one
  let last = yield* Effect.retry(stamp(mesh, { bucket, key, owner, slotEpoch, ...named(slot) }, first), {
    times: openTries,
    while: (error) => error._tag === "Fenced"
  })
  const upgraded = yield* Effect.mapError(
    Effect.fromResult(upgrade(migrations, { version: last.record.schemaVersion ?? 1, state: last.record.state })),
    (problem) => malformed(key, problem)
  )
  let state = yield* Effect.mapError(decode(upgraded), (error) => malformed(key, error.message))
  let book = bookOf(last.record)

  const save = Effect.fnUntraced(function* (next: S, nextBook: Book = book) {
    const { epoch } = last.record
    const record: StateRecord = {
      format: 1,
      ...named(slot),
      slotEpoch,
      epoch,
      owner,
      nonce: yield* randomId,
      schemaVersion,
      ...written(nextBook),
      state: yield* Effect.orDie(encode(next))
    }
    last = yield* write(mesh, { bucket, key, record, expect: last.revision, isOwn: true })
    state = next
    book = nextBook
  })
  return {
    epoch: last.record.epoch,
    current: () => state,
    book: () => book,
    bytes: () => last.bytes,
    stands: Effect.suspend(() => {
      const { revision } = last
      return Effect.map(mesh.read(bucket.name, keySubject(bucket, key)), (stored) => revisionOf(stored) >= revision)
    }),
    save
  } satisfies ActorState<S>
})
