/**
 * Which streams and buckets does a cluster keep, and how?
 *
 * All state is in JetStream, under these names. A bucket is a stream of the shape that NATS gives its key-value
 * buckets, so that every NATS client can read it as one.
 */
import * as Subject from "./Subject.ts"
import { bucketSpec } from "./bucketSpec.ts"
import { deadLetters } from "./DeadLetter.ts"
import { settings } from "./SettingsBucket.ts"
import type { StreamSpec } from "./StreamSpec.ts"

/** What can't differ between hosts; one record. */
export const cluster = bucketSpec("cluster", "state", undefined)
/** A key for each host that lives, gone when it stops renewing. */
export const sessions = bucketSpec("sessions", "lease", { headersOnly: false })
/** Who owns each slot of actor addresses. */
export const slots = bucketSpec("slots", "state", { headersOnly: false })
/** State of the actors whose types have no bucket of their own. */
export const actors = bucketSpec("actors", "state", undefined)
/** When actors that may be asleep have to be woken. */
export const timers = bucketSpec("timers", "expiring", undefined)
/** Coverage roots by series. Public: outsiders watch it. */
export const coverage = bucketSpec("coverage", "state", { headersOnly: true })
/** Backfill job records by window. */
export const jobs = bucketSpec("jobs", "expiring", { headersOnly: false })
/** Rows of windows. */
export const chunks: StreamSpec = { name: "seamless-chunks", subjects: Subject.all("chunks"), kind: "blob" }
/** Runs of window entries. */
export const pages: StreamSpec = { name: "seamless-pages", subjects: Subject.all("pages"), kind: "blob" }
/** Every root that a series has had, and every turn of a switch. */
export const audit: StreamSpec = { name: "seamless-audit", subjects: Subject.all("audit"), kind: "log" }
/** Jobs that wait for a worker. */
export const queue: StreamSpec = { name: "seamless-jobs", subjects: Subject.all("jobs"), kind: "queue" }

/** Everything that has to be there before a host serves. */
export const every: ReadonlyArray<StreamSpec> = [
  cluster,
  sessions,
  slots,
  actors,
  timers,
  coverage,
  jobs,
  settings,
  chunks,
  pages,
  audit,
  deadLetters,
  queue
]
