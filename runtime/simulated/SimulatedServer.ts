/**
 * What does a nats-server do, seen from its clients?
 *
 * A model without sockets, clocks and chance of its own: time, alarms and choices are given from outside, so that the
 * same run comes out of the same seed. One suite of claims holds for it and for the real one (test/suites).
 */
import type { Option } from "effect"
import type { StreamSpec } from "../../protocol/wire/StreamSpec.ts"
import type { HistoryOptions, HistoryPage, NamesPage } from "../HistoryPage.ts"
import type { Headers, Named, Stored, WriteOptions } from "../Mesh.ts"
import { announcer } from "./announce.ts"
import { type Answer, done, nobody, refused, silence } from "./Answer.ts"
import type { Form } from "./History.ts"
import * as JobQueue from "./JobQueue.ts"
import * as Records from "./Records.ts"
import * as SubjectIndex from "./SubjectIndex.ts"
import * as Subscriptions from "./Subscriptions.ts"

/** A message that a stream has accepted: what a checker of histories goes by. */
export interface StoredEntry {
  readonly stream: string
  readonly subject: string
  readonly revision: number
  /** The revision of the subject that stood before; 0 where none did. */
  readonly previous: number
  readonly form: "value" | "removed" | "marker"
  readonly data: Uint8Array
  readonly atMs: number
  /** The client that wrote it; undefined for the server's own. */
  readonly by: string | undefined
}

/** A message that was removed by its sequence. */
export type RemovedEntry = Pick<StoredEntry, "stream" | "subject" | "revision" | "atMs">

/** What stands in a stream, for a checker to look at. */
interface StandingEntry {
  readonly subject: string
  readonly revision: number
  readonly form: Form
  readonly data: Uint8Array
  readonly atMs: number
  readonly endsAtMs: number
}

/** What the world around the server gives it. */
export interface ServerOptions {
  readonly nowMs: () => number
  /** What its clock shows when that is 0, where it tells of times; 0 without it. */
  readonly beginsAtMs?: number
  readonly schedule: (afterMs: number, run: () => void) => void
  /** How late the end of a record's time comes: up to 250 ms on a real server; 0 without it. */
  readonly expiryLagMs?: () => number
  /** Which of so many members of a group gets a message; in turn without it. */
  readonly pick?: (count: number) => number
  readonly onStored?: (entry: StoredEntry) => void
  readonly onRemoved?: (entry: RemovedEntry) => void
  /** How far back stale reads and lost tails go, in milliseconds; two minutes without it. */
  readonly historyMs?: number
  /** Streams that are there from the beginning. */
  readonly streams?: ReadonlyArray<StreamSpec>
}

/** What it is like when streams have no leader for a while. */
interface Outage {
  /** What becomes of writes and takes, none of which takes effect: refused at once without it. */
  readonly writes?: "refused" | "unanswered"
  /** Whether reads from the leader go without an answer, too; they are answered without it. */
  readonly reads?: "unanswered"
  /** Which streams; all without it. */
  readonly streams?: ReadonlyArray<string>
}

/** A message or a write as it comes in. */
interface Sent {
  readonly client: string
  readonly subject: string
  readonly data: Uint8Array
  readonly headers?: Headers
}

/** A question: where its answers go. */
interface Asked extends Sent {
  readonly replyTo: string
}

/** Which streams to read, and of when. */
interface ReadAt {
  readonly stream: string
  readonly lagMs: number
}

/** Takes each answer to a request; undefined where nobody listens. */
type OnAnswer = (answer: { readonly data: Uint8Array; readonly headers: Headers } | undefined) => void

/** A server: what its clients do, and what is done to it. */
export interface SimulatedServer extends Pick<
  Subscriptions.Subscriptions,
  "say" | "disconnect" | "reconnect" | "forget"
> {
  readonly payloadBytesMax: number
  readonly provision: (streams: ReadonlyArray<StreamSpec>) => Answer<void>
  readonly write: (sent: Sent, options: WriteOptions) => Answer<number>
  readonly read: (where: ReadAt, subject: string) => Answer<Option.Option<Stored>>
  readonly readMany: (where: ReadAt, subjects: ReadonlyArray<string>) => Answer<ReadonlyArray<Stored>>
  readonly history: (where: ReadAt, subject: string, options: HistoryOptions) => Answer<HistoryPage<Stored>>
  readonly names: (where: ReadAt, subject: string, options: HistoryOptions) => Answer<NamesPage<Named>>
  readonly remove: (stream: string, revision: number) => Answer<void>
  /** Gives 0 where the subject's work is there already, which is as good. */
  readonly enqueue: (sent: Sent) => Answer<number>
  readonly dequeue: (stream: string, subject: string) => Answer<void>
  /** Answers at once whether the question is taken; the pull itself is answered when there is something to say. */
  readonly take: (stream: string, pull: JobQueue.Pull) => Answer<void>
  readonly subscribe: (subscription: Subscriptions.Subscription) => void
  readonly unsubscribe: (subscription: Subscriptions.Subscription) => void
  readonly publish: (sent: Sent) => void
  readonly request: (asked: Asked, onAnswer: OnAnswer) => void
  /** Begins an outage in the place of the one before, or ends it. */
  readonly setWritable: (isWritable: boolean, outage?: Outage) => void
  /** Whether there is no more room: what is there can still be removed, and replaced by what is no larger. */
  readonly setFull: (isFull: boolean, streams?: ReadonlyArray<string>) => void
  /** Loses what streams have accepted after a moment, as a power failure does; all buckets without names. */
  readonly rollBack: (tail: { readonly streams?: ReadonlyArray<string>; readonly keepUntilMs: number }) => void
  /** What stands in a stream, in the order of its sequences. */
  readonly entries: (stream: string) => ReadonlyArray<StandingEntry>
  readonly queued: (stream: string) => ReadonlyArray<JobQueue.QueueEntry>
  readonly lastSequence: (stream: string) => number
}

// as the embedded server has it
const payloadBytesMax = 8 * 1024 * 1024
// what is written is forced to the disk so often
const syncIntervalMs = 120_000
const noHeaders: Headers = new Map()
const noLag = (): number => 0

interface Kept {
  readonly spec: StreamSpec
  readonly records: Records.Records
  /** Of a queue alone. */
  readonly queue: JobQueue.JobQueue | undefined
}

interface State {
  readonly given: ServerOptions
  readonly subscriptions: Subscriptions.Subscriptions
  readonly streams: Map<string, Kept>
  readonly bySubject: SubjectIndex.SubjectIndex<Kept, Kept | "none">
  outage: Outage | undefined
}

const isHit = ({ outage }: State, stream: string): boolean =>
  outage !== undefined && (outage.streams === undefined || outage.streams.includes(stream))

/** What an outage makes of something that only a leader does. */
const atOutage = (state: State, stream: string): Answer<never> | undefined => {
  if (state.outage === undefined || !isHit(state, stream)) return undefined
  return state.outage.writes === "unanswered" ? silence : nobody
}

const addStream = (state: State, spec: StreamSpec): void => {
  const { given, streams, subscriptions } = state
  // a stream of the name exists: its settings stand
  if (streams.has(spec.name)) return
  const { expiryLagMs = noLag, historyMs = syncIntervalMs, nowMs, onStored, schedule } = given
  const announce = announcer(spec, subscriptions.publish)
  const records = Records.make({
    spec,
    nowMs,
    schedule,
    expiryLagMs,
    historyMs,
    isHeld: () => isHit(state, spec.name),
    onAccepted: (accepted) => {
      const { by, previous, version } = accepted
      const { data, form, revision, sinceMs, subject } = version
      if (onStored !== undefined && form !== "gone") {
        onStored({ stream: spec.name, subject, revision, previous, form, data, atMs: sinceMs, by })
      }
      announce?.(accepted)
    }
  })
  const onAccepted: JobQueue.JobQueueOptions["onAccepted"] = ({ data, revision, subject }, by) =>
    onStored?.({ stream: spec.name, subject, revision, previous: 0, form: "value", data, atMs: nowMs(), by })
  const queue = spec.kind === "queue" ? JobQueue.make({ spec, schedule, onAccepted }) : undefined
  const kept = { spec, records, queue }
  streams.set(spec.name, kept)
  state.bySubject.add(spec.subjects, kept)
}

/** Hands a message that is also stored to who listens on its subject. */
const handOn = (state: State, { data, headers = noHeaders, subject }: Sent): boolean =>
  state.subscriptions.publish(subject, () => ({ subject, data, headers: () => headers, reply: undefined }))

const appendTo = (kept: Kept, { client, data, subject }: Sent, options: WriteOptions): Answer<number> => {
  const message = { subject, data, options, by: client }
  return kept.queue === undefined ? kept.records.append(message) : kept.queue.enqueue(message)
}

const write = (state: State, sent: Sent, options: WriteOptions): Answer<number> => {
  const kept = state.bySubject.of(sent.subject)
  const isHeard = handOn(state, sent)
  // one who listens could answer, and doesn't
  if (kept === "none") return isHeard ? silence : nobody
  return atOutage(state, kept.spec.name) ?? appendTo(kept, sent, options)
}

const read = (state: State, { lagMs, stream }: ReadAt, subject: string): Answer<Option.Option<Stored>> => {
  const kept = state.streams.get(stream)
  if (kept === undefined) return refused("StreamNotFoundError: stream not found")
  if (state.outage?.reads === "unanswered" && isHit(state, stream)) return silence
  return done(kept.queue === undefined ? kept.records.read(subject, lagMs) : kept.queue.read(subject))
}

/** What any replica of a stream tells; a queue is read from its leader alone. */
const fromReplica = <A>({ streams }: State, stream: string, tell: (records: Records.Records) => A): Answer<A> => {
  const kept = streams.get(stream)
  return kept === undefined || kept.queue !== undefined ? refused("Error: 503 ") : done(tell(kept.records))
}

/** A page of names with times as the server's clock shows them. */
const byClock = ({ beginsAtMs = 0 }: ServerOptions, page: NamesPage<Named>): NamesPage<Named> => ({
  ...page,
  nowMs: beginsAtMs + page.nowMs,
  entries: page.entries.map((named) => ({ ...named, atMs: beginsAtMs + named.atMs }))
})

const request = (state: State, sent: Asked, onAnswer: OnAnswer): void => {
  const { client, data, headers = noHeaders, replyTo, subject } = sent
  const { say, publish } = state.subscriptions
  const kept = state.bySubject.of(subject)
  const send = (answer: Uint8Array, replyHeaders: Headers): void =>
    say(client, () => onAnswer({ data: answer, headers: replyHeaders }))
  const reply = { to: replyTo, send }
  const isHeard = publish(subject, () => ({ subject, data, headers: () => headers, reply }))
  if (kept === "none") {
    if (!isHeard) say(client, () => onAnswer(undefined))
    return
  }
  if (atOutage(state, kept.spec.name) !== undefined) return
  const answer = appendTo(kept, sent, {})
  if (answer._tag !== "Done") return
  send(new TextEncoder().encode(JSON.stringify({ stream: kept.spec.name, seq: answer.value })), noHeaders)
}

const publish = (state: State, sent: Sent): void => {
  handOn(state, sent)
  const kept = state.bySubject.of(sent.subject)
  if (kept !== "none" && atOutage(state, kept.spec.name) === undefined) appendTo(kept, sent, {})
}

const take = (state: State, stream: string, pull: JobQueue.Pull): Answer<void> => {
  const kept = state.streams.get(stream)
  if (kept === undefined) return refused("StreamNotFoundError: stream not found")
  if (kept.queue === undefined) return refused("ConsumerNotFoundError: consumer not found")
  return atOutage(state, stream) ?? kept.queue.take(pull)
}

const dequeue = (state: State, stream: string, subject: string): Answer<void> => {
  const kept = state.streams.get(stream)
  if (kept === undefined) return refused("StreamNotFoundError: stream not found")
  return atOutage(state, stream) ?? (kept.queue ?? { dequeue: kept.records.purge }).dequeue(subject)
}

const removeStored = (state: State, stream: string, revision: number): Answer<void> => {
  const kept = state.streams.get(stream)
  if (kept === undefined || kept.queue !== undefined) return refused("StreamNotFoundError: stream not found")
  const outage = atOutage(state, stream)
  if (outage !== undefined) return outage
  const { nowMs, onRemoved } = state.given
  const standing = onRemoved && kept.records.entries().find((entry) => entry.revision === revision)
  const answer = kept.records.remove(revision)
  if (standing !== undefined && answer._tag === "Done") {
    onRemoved?.({ stream, subject: standing.subject, revision, atMs: nowMs() })
  }
  return answer
}

type Faults = Pick<SimulatedServer, "setWritable" | "setFull" | "rollBack">

const faultsOf = (state: State): Faults => {
  const named = (names: ReadonlyArray<string> | undefined): ReadonlyArray<Kept> =>
    Array.from(state.streams.values()).filter(({ spec }) => names === undefined || names.includes(spec.name))
  return {
    setWritable: (isWritable, outage = {}) => {
      state.outage = isWritable ? undefined : outage
      for (const { records } of state.streams.values()) records.wake()
    },
    setFull: (isFull, streams) => {
      for (const { queue, records } of named(streams)) {
        records.setFull(isFull)
        queue?.setFull(isFull)
      }
    },
    rollBack: ({ keepUntilMs, streams }) => {
      for (const { records, spec } of named(streams)) {
        if (streams !== undefined || spec.name.startsWith("KV_")) records.rollBack(keepUntilMs)
      }
    }
  }
}

type Views = Pick<SimulatedServer, "entries" | "queued" | "lastSequence">

const viewsOf = ({ streams }: State): Views => ({
  entries: (stream) =>
    (streams.get(stream)?.records.entries() ?? []).map(({ data, endsAtMs, form, revision, sinceMs, subject }) => ({
      subject,
      revision,
      form,
      data,
      atMs: sinceMs,
      endsAtMs
    })),
  queued: (stream) => streams.get(stream)?.queue?.entries() ?? [],
  lastSequence: (stream) => streams.get(stream)?.records.lastSequence() ?? 0
})

/** One after the other. */
const inTurn = (): ((count: number) => number) => {
  let turn = 0
  return (count) => turn++ % count
}

/** A server without anything in it but the streams that it is given. */
export const make = (given: ServerOptions): SimulatedServer => {
  const subscriptions = Subscriptions.make(given.pick ?? inTurn())
  const state: State = {
    given,
    subscriptions,
    streams: new Map(),
    bySubject: SubjectIndex.make(([first]) => first ?? "none"),
    outage: undefined
  }
  const provision = (streams: ReadonlyArray<StreamSpec>): Answer<void> => {
    for (const spec of streams) addStream(state, spec)
    return done(undefined)
  }
  provision(given.streams ?? [])
  const { add, disconnect, forget, reconnect, remove, say } = subscriptions
  const stopTaking = (client: string): void => {
    for (const { queue } of state.streams.values()) queue?.forget(client)
  }
  return {
    payloadBytesMax,
    say,
    provision,
    write: (sent, options) => write(state, sent, options),
    read: (where, subject) => read(state, where, subject),
    readMany: ({ lagMs, stream }, subjects) =>
      fromReplica(state, stream, (records) => records.readMany(subjects, lagMs)),
    history: ({ lagMs, stream }, subject, options) =>
      fromReplica(state, stream, (records) => records.history(subject, lagMs, options)),
    names: ({ lagMs, stream }, subject, options) =>
      fromReplica(state, stream, (records) => byClock(given, records.names(subject, lagMs, options))),
    remove: (stream, revision) => removeStored(state, stream, revision),
    enqueue: (sent) => {
      const answer = write(state, sent, {})
      return answer === JobQueue.queuedAlready ? done(0) : answer
    },
    dequeue: (stream, subject) => dequeue(state, stream, subject),
    take: (stream, pull) => take(state, stream, pull),
    subscribe: add,
    unsubscribe: remove,
    publish: (sent) => publish(state, sent),
    request: (sent, onAnswer) => request(state, sent, onAnswer),
    disconnect: (client) => {
      disconnect(client)
      stopTaking(client)
    },
    reconnect,
    forget: (client) => {
      forget(client)
      stopTaking(client)
    },
    ...faultsOf(state),
    ...viewsOf(state)
  }
}
