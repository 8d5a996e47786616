/** What was committed for the test's actors, by whom, from the beginning? */
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Option, Schema } from "effect"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { StateRecord } from "../../../protocol/wire/StateRecord.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keyOf } from "../../../protocol/wire/StreamSpec.ts"
import type { ActorCommit } from "../ActorHistory.ts"

const decode = Schema.decodeUnknownOption(StateRecord)

/** A commit, with the whole record. */
export interface RecordedCommit extends ActorCommit {
  readonly record: StateRecord
}

const commitOf = (subject: string, revision: number, bytes: Uint8Array): RecordedCommit => {
  const record = Option.getOrThrow(Option.flatMap(Codec.fromJson(bytes), decode))
  const { epoch, owner, slotEpoch, state } = record
  return { key: keyOf(Stream.actors, subject), revision, epoch, owner, slotEpoch, value: state, record }
}

/** Every commit that the stream of the actors' states has, in their order; dies where one is missing. */
export const recordedCommits = (nc: NatsConnection): Effect.Effect<ReadonlyArray<RecordedCommit>> =>
  Effect.promise(async () => {
    const manager = await jetstreamManager(nc)
    const { state } = await manager.streams.info(Stream.actors.name)
    const commits: Array<RecordedCommit> = []
    if (state.messages === 0) return commits
    const consumer = await jetstream(nc).consumers.get(Stream.actors.name)
    for await (const message of await consumer.consume()) {
      commits.push(commitOf(message.subject, message.seq, message.data))
      if (message.seq >= state.last_seq) break
    }
    if (commits.length !== state.last_seq) {
      return Promise.reject(new Error(`${commits.length} of ${state.last_seq} commits were kept`))
    }
    return commits
  })

/** The last record of each key. */
export const lastRecords = (commits: ReadonlyArray<RecordedCommit>): ReadonlyMap<string, StateRecord> =>
  new Map(commits.map(({ key, record }) => [key, record]))
