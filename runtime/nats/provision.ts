/**
 * How are streams set up?
 *
 * As many replicas of each as asked for. Servers that have just started, or have lost their leader, take seconds to
 * choose one; until then nobody answers, so it is tried again for a while. What the servers refuse for good is told at
 * once.
 */
import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo
} from "@nats-io/jetstream"
import { nanos, TimeoutError } from "@nats-io/transport-node"
import { Effect, Schedule } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { StreamKind, StreamSpec } from "../../protocol/wire/StreamSpec.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import type { MeshShape } from "../Mesh.ts"
import type { Streams } from "./Streams.ts"

/** A worker that says nothing for this long has lost its message to the next one. */
const ackWaitMs = 4000
// messages whose job runs elsewhere wait unacknowledged: the bound must never be what stops the others
const pendingMax = 5000
const markerTtlMs = 60_000
// a name is claimed for as long as a publisher might repeat itself: the queue's own rule does the rest
const duplicateWindowMs = 100

// long enough for a person to come back from a holiday
const letterDays = 30
// so many are more than anyone looks at; the oldest go first, and the disk is not theirs alone
const lettersMax = 100_000

const lastOfSubject = { max_msgs_per_subject: 1, allow_direct: true, deny_delete: true, deny_purge: true }

const configOf: Readonly<Record<StreamKind, Partial<StreamConfig>>> = {
  state: lastOfSubject,
  expiring: { ...lastOfSubject, allow_msg_ttl: true },
  lease: {
    ...lastOfSubject,
    deny_purge: false,
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanos(markerTtlMs),
    allow_rollup_hdrs: true
  },
  blob: { max_msgs_per_subject: 1, allow_direct: true },
  // what is old is removed one by one, and never all at once
  log: { allow_direct: true, deny_purge: true },
  letters: {
    max_msgs_per_subject: 1,
    allow_direct: true,
    max_age: nanos(letterDays * 24 * 3_600_000),
    max_msgs: lettersMax,
    discard: DiscardPolicy.Old
  },
  queue: {
    retention: RetentionPolicy.Workqueue,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    duplicate_window: nanos(duplicateWindowMs)
  }
}

const streamConfig = (spec: StreamSpec, replicas: number): Partial<StreamConfig> & { name: string } => ({
  name: spec.name,
  num_replicas: replicas,
  subjects: [spec.subjects],
  storage: StorageType.File,
  ...configOf[spec.kind],
  ...(spec.announce === undefined
    ? {}
    : { republish: { src: spec.subjects, dest: spec.announce.to, headers_only: spec.announce.headersOnly } })
})

// 10058: a stream of the name exists, with other settings: those of whoever runs the server stand
const nameInUse = 10058

/** A stream that is there, and that nobody can write to yet. */
class Leaderless extends Error {
  override readonly message = "the stream has no leader"
}

/**
 * Sets up what an earlier version did not, or fewer replicas did not need. Who runs the server may have given a stream
 * more than we ask for: it is never taken away.
 */
const catchUp = async ({ jsm }: Streams, spec: StreamSpec, replicas: number): Promise<StreamInfo> => {
  const { republish } = streamConfig(spec, replicas)
  const info = await jsm.streams.info(spec.name)
  const changes: Partial<StreamConfig> = {
    ...(republish === undefined || info.config.republish !== undefined ? {} : { republish }),
    ...(info.config.num_replicas < replicas ? { num_replicas: replicas } : {})
  }
  return Object.keys(changes).length === 0 ? info : jsm.streams.update(spec.name, changes)
}

const provisionStream = async (connection: Streams, spec: StreamSpec, replicas: number): Promise<void> => {
  const { jsm } = connection
  const { cluster } = await jsm.streams.add(streamConfig(spec, replicas)).catch((cause: unknown) => {
    if (!(cause instanceof JetStreamApiError && cause.code === nameInUse)) return Promise.reject(cause)
    return catchUp(connection, spec, replicas)
  })
  // a server alone tells of no cluster; one that stood already may have lost its leader just now
  if (cluster !== undefined && (cluster.leader ?? "") === "") return Promise.reject(new Leaderless())
  if (spec.kind !== "queue") return
  for (const jobClass of QueueSubject.queuedClasses) {
    await jsm.consumers.add(spec.name, {
      durable_name: jobClass,
      filter_subject: QueueSubject.queuedClass(jobClass),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      max_ack_pending: pendingMax,
      max_deliver: -1
    })
  }
}

// several times what servers take to choose a leader after a crash: 4 to 9 s
const leaderWithin = "30 seconds"

const untilLeader = Schedule.upTo(Schedule.spaced("500 millis"), { duration: leaderWithin })

// 10005: too few servers for so many replicas; those that have just started are not counted yet
const tooFewServers = 10005
const unavailableStatus = 503

/** Whether it may be otherwise in a moment. */
const isPassing = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError
    ? cause.code === tooFewServers || cause.status === unavailableStatus
    : cause instanceof TimeoutError || cause instanceof Leaderless

const reasonOf = (cause: unknown, replicas: number): string => {
  if (!isPassing(cause)) return String(cause)
  if (cause instanceof JetStreamApiError && cause.code === tooFewServers) {
    return `there are too few servers for ${replicas} replicas (${cause.message})`
  }
  return `there was no leader for ${leaderWithin} (${String(cause)})`
}

/** The setting up of streams, with so many replicas of each. */
export const provision =
  (connection: Streams, replicas: number): MeshShape["provision"] =>
  (streams) =>
    Effect.forEach(
      streams,
      (spec) =>
        Effect.tryPromise({
          try: () => provisionStream(connection, spec, replicas),
          catch: (cause) => ({ cause, operation: `set up stream ${spec.name}` })
        }),
      { discard: true }
    ).pipe(
      // what is there already is set up again in a blink
      Effect.retry({ schedule: untilLeader, while: ({ cause }) => isPassing(cause) }),
      Effect.mapError(({ cause, operation }) => new MeshUnavailable({ operation, reason: reasonOf(cause, replicas) }))
    )
