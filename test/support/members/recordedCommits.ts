/** What was committed for the test's actors, by whom, from the beginning? */
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Option, Schema } from "effect"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { StateRecord } from "../../../protocol/wire/StateRecord.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { type BucketSpec, keyOf } from "../../../protocol/wire/StreamSpec.ts"
import type { ActorCommit } from "../ActorHistory.ts"

const decode = Schema.decodeUnknownOption(StateRecord)

/** A commit, with the whole record. */
export interface RecordedCommit extends ActorCommit {
  readonly record: StateRecord
}

/** A record as a bucket got it. */
export interface Recorded {
  readonly key: string
  readonly revision: number
  readonly value: unknown
  /** When the server stored it, in epoch milliseconds. */
  readonly atMs: number
}

/**
 * Every record that a bucket has had, in their order; dies where one is missing, as in a bucket that keeps the last of
 * each key alone.
 */
export const recorded = (nc: NatsConnection, bucket: BucketSpec): Effect.Effect<ReadonlyArray<Recorded>> =>
  Effect.promise(async () => {
    const manager = await jetstreamManager(nc)
    const { state } = await manager.streams.info(bucket.name)
    const records: Array<Recorded> = []
    if (state.messages === 0) return records
    const consumer = await jetstream(nc).consumers.get(bucket.name)
    for await (const { data, info, seq, subject } of await consumer.consume()) {
      const value = Option.getOrThrow(Codec.fromJson(data))
      records.push({ key: keyOf(bucket, subject), revision: seq, value, atMs: info.timestampNanos / 1e6 })
      if (seq >= state.last_seq) break
    }
    if (records.length !== state.last_seq) {
      return Promise.reject(new Error(`${records.length} of ${state.last_seq} records of ${bucket.name} were kept`))
    }
    return records
  })

const commitOf = ({ key, revision, value }: Recorded): RecordedCommit => {
  const record = Option.getOrThrow(decode(value))
  const { epoch, owner, slotEpoch, state } = record
  return { key, revision, epoch, owner, slotEpoch, value: state, record }
}

/** Every commit that the stream of the actors' states has, or of others', in their order; dies where one is missing. */
export const recordedCommits = (
  nc: NatsConnection,
  bucket: BucketSpec = Stream.actors
): Effect.Effect<ReadonlyArray<RecordedCommit>> => Effect.map(recorded(nc, bucket), (records) => records.map(commitOf))

/** The last record of each key. */
export const lastRecords = (commits: ReadonlyArray<RecordedCommit>): ReadonlyMap<string, StateRecord> =>
  new Map(commits.map(({ key, record }) => [key, record]))
