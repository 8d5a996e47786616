/** What is said about backfill jobs? */
import { Context, type Effect, Option, Schema } from "effect"
import { BackfillJob } from "../history/BackfillJob.ts"
import * as Codec from "../wire/Codec.ts"

const decode = Schema.decodeUnknownOption(BackfillJob)
const encode = Schema.encodeSync(BackfillJob)

/** The job in a stored record; none where it is gone or can't be read. */
export const readJob = (value: Option.Option<Uint8Array>): Option.Option<BackfillJob> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), decode)

/** A job as it is stored. */
export const writeJob = (job: BackfillJob): Uint8Array => Codec.toJson(encode(job))

/** The jobs that run anywhere in the cluster, for those who wait for them. */
export class Backfill extends Context.Service<
  Backfill,
  {
    /**
     * Waits until the run of each job, or a later one, has ended; gives the records as they are then. The wait can be
     * ended at any time: the jobs go on.
     */
    readonly settled: (jobs: ReadonlyArray<BackfillJob>) => Effect.Effect<ReadonlyArray<BackfillJob>>
  }
>()("seamless/messages/Backfill") {}
