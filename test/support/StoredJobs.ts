/**
 * What is stored about backfill jobs, read past every host?
 *
 * The record of each window that any client of NATS finds in the bucket.
 */
import { DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Option } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import { readJob } from "../../protocol/messages/Backfill.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keyOf } from "../../protocol/wire/StreamSpec.ts"

const read = async (nc: NatsConnection): Promise<ReadonlyMap<string, BackfillJob>> => {
  const jobs = new Map<string, BackfillJob>()
  const { state } = await (await jetstreamManager(nc)).streams.info(Stream.jobs.name)
  if (state.messages === 0) return jobs
  const consumer = await jetstream(nc).consumers.get(Stream.jobs.name, {
    deliver_policy: DeliverPolicy.LastPerSubject
  })
  const messages = await consumer.consume()
  for await (const message of messages) {
    const job = Option.getOrUndefined(readJob(Option.some(message.data)))
    if (job !== undefined) jobs.set(keyOf(Stream.jobs, message.subject), job)
    if (message.info.pending === 0) break
  }
  await messages.close()
  return jobs
}

/** The record of each window, by the window's key; none before the first host. */
export const all = (nc: NatsConnection): Effect.Effect<ReadonlyMap<string, BackfillJob>> =>
  Effect.promise(() => read(nc))
