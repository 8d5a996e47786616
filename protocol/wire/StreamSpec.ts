/** What is a stream, and what is a bucket? */

/** How a stream keeps what is in it. */
export type StreamKind =
  /** The newest record of each key, changed by compare-and-set alone; nothing expires, nothing can be purged. */
  | "state"
  /** As state, and a record may carry a time to live. */
  | "expiring"
  /** As expiring, and the end of a record's time leaves a marker. */
  | "lease"
  /** Immutable values by name. */
  | "blob"
  /** Every message of a subject, in order. */
  | "log"
  /** Messages that somebody has to look at: removed one by one, kept for a month, and the newest 100,000 at most. */
  | "letters"
  /** Work: one message a subject, gone when it is done. */
  | "queue"

/** One stream: its name, what it captures, and how it keeps it. */
export interface StreamSpec {
  readonly name: string
  readonly subjects: string
  readonly kind: StreamKind
  /** Announces each change on core NATS: the whole message, or only its headers. */
  readonly announce?: { readonly to: string; readonly headersOnly: boolean }
}

/** A bucket: a stream whose subjects are `$KV.<bucket>.<key>`. */
export interface BucketSpec extends StreamSpec {
  readonly bucket: string
}

/** The subject of a bucket's record. */
export const keySubject = (of: BucketSpec, key: string): string => `$KV.${of.bucket}.${key}`

/** The key of a bucket's record, from its subject. */
export const keyOf = (of: BucketSpec, subject: string): string => subject.slice(`$KV.${of.bucket}.`.length)
