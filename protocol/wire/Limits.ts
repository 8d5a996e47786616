/**
 * How much does a member take and send at once?
 *
 * Each number is in the table of the protocol's page. Those that a cluster sets for itself are in `Settings.ts`, and
 * those of the texts and lists of a request beside their forms.
 */
import { Schema } from "effect"

/** The limits of the wire. */
export const limits = {
  /** Bytes of a request: one that fills every field has a few hundred. */
  requestBytes: 64 * 1024,
  /** Bytes of a request for several reads: a thousand that fill every field fit into it. */
  batchBytes: 1024 * 1024,
  /** What of the largest payload is kept free for headers and the server's own framing. */
  headroomBytes: 4096,
  /** Requests under way on a member: reads are short, and more would only share the same two cores. */
  requests: 512,
  /** Of these, requests for several reads; half of them of one caller, whose reads are then as many as it may have. */
  batches: 16,
  batchesPerCaller: 8,
  /** Reads of one request that are worked on at once: more would only share the same cores. */
  readsAtOnce: 8,
  /** The same where its caller takes parts: each holds a few of them, or all rows of what one message may have. */
  partedReadsAtOnce: 4,
  /**
   * Answers to reads sent alone that go out in parts: each holds a few parts, or all rows of what one message may have.
   * Those of batches are as many again at most, by the limits above. A caller that has half of them leaves others room.
   */
  answersInParts: 64,
  answersInPartsPerCaller: 32,
  /** Parts of an answer that are on their way, whatever a reader grants. */
  credits: 64,
  /** A reader that grants nothing for so many milliseconds is gone, or comes back with a cursor. */
  creditIdleMs: 30_000,
  /** About the bytes of a part: its reader has something to do soon, and a message costs next to nothing beside it. */
  partBytes: 512 * 1024,
  /** Characters of a cursor: with the other headers of a part it fits into what is kept free for them. */
  cursorLength: 2048,
  /** Characters of the name of a caller that count, and of the name of a call. */
  nameLength: 128,
  /** Milliseconds in which requests under way are finished when a member stops. */
  finishMs: 5000
} as const

/** About the bytes of a row before any is encoded: no schema comes to more than a few parts' worth with it. */
export const rowBytesGuess = 128

/** What a host does only so much of at once: requests of any kind, batches of reads, answers that go out in parts. */
export const HostLimit = Schema.Literals(["requests", "batches", "answersInParts"])
export type HostLimit = typeof HostLimit.Type

/** How people say it. */
export const limitText: Readonly<Record<HostLimit, string>> = {
  requests: "requests",
  batches: "batches of reads",
  answersInParts: "answers in parts"
}
