/**
 * What does Seamless need of NATS?
 *
 * The one port: messages, records changed by compare-and-set, immutable values, and a work queue. Everything that a
 * cluster remembers goes through `write` and is read back by subject, since a bucket, a log and a store of values are
 * all streams of which the last message of a subject counts.
 */
import { Context, Data, type Effect, type Option, type Scope } from "effect"
import type { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import { limits } from "../protocol/wire/Limits.ts"
import type { StreamSpec } from "../protocol/wire/StreamSpec.ts"
import type { HistoryOptions, HistoryPage, NamesPage } from "./HistoryPage.ts"

/** What of the largest payload is kept free for headers and the server's own framing. */
export const { headroomBytes } = limits

/** Header names and values of a message. */
export type Headers = ReadonlyMap<string, string>

/** A message that came in. */
export interface Message {
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: Headers
  /** Where its answers go; empty where none is awaited. Questions over one connection begin with the same tokens. */
  readonly replyTo: string
  /** Answers it, as often as is liked; does nothing where no answer is awaited. Never throws. */
  readonly respond: (data: Uint8Array, headers?: Headers) => void
}

/** The last message of a stream's subject. */
export interface Stored {
  readonly subject: string
  /** The message's sequence in its stream: what the next compare-and-set on the subject expects. */
  readonly revision: number
  /** None where the message says that the subject has ended: deleted, or its time is over. */
  readonly value: Option.Option<Uint8Array>
}

/** A message of a stream without what is in it. */
export interface Named {
  readonly subject: string
  /** By which it can be removed. */
  readonly revision: number
  /** How much is in it. */
  readonly bytes: number
  /** When the stream accepted it, in epoch milliseconds of the server. */
  readonly atMs: number
}

/** How a record is written. */
export interface WriteOptions {
  /** The revision of the subject that this write replaces, 0 for none; without it nothing is compared. */
  readonly expect?: number
  /** Ends the record after this long; 1 at the least. */
  readonly ttlSeconds?: number
  /** Writes the end of the subject instead of a value. */
  readonly remove?: boolean
}

/** How a request is sent. */
export interface RequestOptions {
  readonly headers?: Headers
  readonly timeoutMs: number
  /** Is given what ends the wait early, as if nobody had listened, and gives what takes that back. */
  readonly abandonOn?: (abandon: () => void) => () => void
}

/** A unit of work that was taken from a queue and is nobody else's until its time is over. */
export interface Delivery {
  readonly subject: string
  /** Tells the queue that work goes on: the time starts again. */
  readonly working: Effect.Effect<void>
  /** Gives it back for now: it comes again in a second or so, to whoever takes it then. */
  readonly later: Effect.Effect<void>
  /**
   * Removes it, as who knows that nothing of it is left to do; what is lost on the way comes again. Who has lost it
   * removes it all the same.
   */
  readonly done: Effect.Effect<void>
}

/** A request's outcome when nobody listens on its subject. */
export class NoResponders extends Data.TaggedError("NoResponders")<{ readonly subject: string }> {}

/** The subject's revision is not the expected one. */
export class RevisionConflict extends Data.TaggedError("RevisionConflict")<{ readonly subject: string }> {}

/** The port. Every operation ends within a bound of its own; a write without an answer has an unknown outcome. */
export interface MeshShape {
  /** Creates what is missing of the streams. */
  readonly provision: (streams: ReadonlyArray<StreamSpec>) => Effect.Effect<void, MeshUnavailable>
  readonly publish: (subject: string, data: Uint8Array, headers?: Headers) => Effect.Effect<void, MeshUnavailable>
  readonly request: (
    subject: string,
    data: Uint8Array,
    options: RequestOptions
  ) => Effect.Effect<Message, NoResponders | DeadlineExceeded | MeshUnavailable>
  /**
   * Asks, ends with the first answer, and hands on each that comes until the scope ends, the first one too. How many
   * come is for asker and answerer to agree; those that a lost connection had under way are lost.
   */
  readonly requestMany: (
    subject: string,
    data: Uint8Array,
    options: Omit<RequestOptions, "abandonOn"> & { readonly onAnswer: (answer: Message) => void }
  ) => Effect.Effect<void, NoResponders | DeadlineExceeded | MeshUnavailable, Scope.Scope>
  /** Calls `handler` for each message until the scope ends; with a group, one member of the group gets it. */
  readonly subscribe: (
    subject: string,
    handler: (message: Message) => void,
    options?: { readonly group?: string }
  ) => Effect.Effect<void, MeshUnavailable, Scope.Scope>
  /** Appends to the stream that captures the subject; gives the revision. */
  readonly write: (
    subject: string,
    data: Uint8Array,
    options?: WriteOptions
  ) => Effect.Effect<number, RevisionConflict | MeshUnavailable>
  /** The last message of a subject, from the stream's leader. */
  readonly read: (stream: string, subject: string) => Effect.Effect<Option.Option<Stored>, MeshUnavailable>
  /**
   * The last messages of subjects, which may hold wildcards; from any replica, so perhaps old. Absent ones are left
   * out.
   */
  readonly readMany: (
    stream: string,
    subjects: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Stored>, MeshUnavailable>
  /**
   * All that was written to a subject of a log, which may hold wildcards, page by page: the next begins behind the last
   * entry's revision. From any replica, so the newest entries may be absent; what is there has no gap. Of a bucket it
   * is what stands, the last changed last: a record that is changed meanwhile comes again.
   */
  readonly history: (
    stream: string,
    subject: string,
    options?: HistoryOptions
  ) => Effect.Effect<HistoryPage<Stored>, MeshUnavailable>
  /**
   * What a stream keeps of a subject, which may hold wildcards, by name: the oldest first, page by page as a history.
   * From any replica, so the newest may be absent.
   */
  readonly names: (
    stream: string,
    subject: string,
    options?: HistoryOptions
  ) => Effect.Effect<NamesPage<Named>, MeshUnavailable>
  /**
   * Removes the one message of this revision, if it is there: what was put under its name since then stays. Records
   * can't be removed so.
   */
  readonly remove: (stream: string, revision: number) => Effect.Effect<void, MeshUnavailable>
  /** Puts work into the queue unless the subject's work is there already, which is as good. */
  readonly enqueue: (subject: string, data: Uint8Array) => Effect.Effect<void, MeshUnavailable>
  /** Removes a subject's work, taken or not. */
  readonly dequeue: (stream: string, subject: string) => Effect.Effect<void, MeshUnavailable>
  /** The next unit of work of a class; none when there was none for a while, or now for who is not patient. */
  readonly take: (
    stream: string,
    jobClass: string,
    options?: { readonly isPatient?: boolean }
  ) => Effect.Effect<Option.Option<Delivery>, MeshUnavailable>
  /** Runs `handler` each time the connection is back after it was lost, until the scope ends. */
  readonly onReconnect: (handler: () => void) => Effect.Effect<void, never, Scope.Scope>
  /** The largest payload that the server takes, in bytes. */
  readonly payloadBytesMax: () => number
  /** Whether the connection stands. */
  readonly connected: () => boolean
  /** Ends when all has come in that the server had for this process at that moment; after a while in any case. */
  readonly caughtUp: Effect.Effect<void>
}

/** The port to NATS. */
export class Mesh extends Context.Service<Mesh, MeshShape>()("seamless/runtime/Mesh") {}
