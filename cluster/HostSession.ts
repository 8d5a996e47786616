/**
 * Does this host live, and who else does?
 *
 * A host is known by its incarnation, new at each start. Its session is one key with a time to live, renewed each
 * second. It is a hint: it says who is alive, never who may write.
 */
import { Clock, Context, Effect, Layer, Option, Ref, Schedule, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import { ClusterDisagreement } from "../protocol/wire/Errors.ts"
import { protocolVersion, SessionRecord } from "../protocol/wire/HostRecords.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keySubject } from "../protocol/wire/StreamSpec.ts"
import { revisionOf } from "../runtime/compareAndSet.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import { Mesh, type Stored } from "../runtime/Mesh.ts"
import { randomId } from "../runtime/randomId.ts"

/** Seconds after which a host that stopped renewing is taken for dead. */
export const sessionTtlSeconds = 3
const renewEvery = "1 second"
const ttlMs = sessionTtlSeconds * 1000

/** Who this host is. */
export interface HostOptions {
  /** A label for people. */
  readonly hostId: string
  /** Hosts of one cluster must run one configuration. */
  readonly configurationHash: string
}

/** The session of this host. */
export class HostSession extends Context.Service<
  HostSession,
  {
    readonly incarnation: string
    readonly hostId: string
    /** Whether the session certainly still stands: counted from when its last renewal was sent. */
    readonly isValid: Effect.Effect<boolean>
    /** The hosts whose sessions stand, this one among them. */
    readonly live: Effect.Effect<ReadonlyArray<SessionRecord>, MeshUnavailable>
    /**
     * Whether a host that is absent from `live` may be taken for dead: not before one time to live of unbroken
     * renewals.
     */
    readonly mayBury: Effect.Effect<boolean>
  }
>()("seamless/cluster/HostSession") {}

const decodeRecord = Schema.decodeUnknownOption(SessionRecord)

const parse = ({ value }: Stored): Option.Option<SessionRecord> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), decodeRecord)

/** When renewals were sent, on the monotonic clock. */
interface Renewals {
  readonly revision: number
  readonly lastSentMs: number
  /** The first renewal since the last time that the session was lost. */
  readonly unbrokenSinceMs: number
}

const listLive = (mesh: Mesh["Service"]): Effect.Effect<ReadonlyArray<SessionRecord>, MeshUnavailable> =>
  Effect.map(mesh.readMany(Stream.sessions.name, [Stream.sessions.subjects]), (stored) =>
    stored
      .map(parse)
      .filter(Option.isSome)
      .map((found) => found.value)
  )

const make = Effect.fnUntraced(function* ({ configurationHash, hostId }: HostOptions) {
  const mesh = yield* Mesh
  const incarnation = yield* randomId
  const subject = keySubject(Stream.sessions, incarnation)
  const startedAt = yield* Clock.currentTimeMillis
  const bytes = Codec.toJson({ incarnation, hostId, configurationHash, protocolVersion, startedAt })
  const renewals = yield* Ref.make<Renewals>({ revision: 0, lastSentMs: -Infinity, unbrokenSinceMs: Infinity })

  const isValidAt = (nowMs: number, { lastSentMs }: Renewals): boolean => nowMs - lastSentMs < ttlMs

  const send = Effect.fnUntraced(function* (expect: number) {
    const sentMs = yield* monotonicMs
    const revision = yield* mesh.write(subject, bytes, { expect, ttlSeconds: sessionTtlSeconds })
    yield* Ref.update(renewals, (before) => ({
      revision,
      lastSentMs: sentMs,
      unbrokenSinceMs: isValidAt(sentMs, before) ? before.unbrokenSinceMs : sentMs
    }))
  })

  // the key may have run out, or an earlier renewal may have come through without its answer: look and write again
  const recreate = Effect.gen(function* () {
    const stored = yield* mesh.read(Stream.sessions.name, subject)
    yield* send(revisionOf(stored))
  })

  const renew = Effect.gen(function* () {
    yield* Effect.catchTag(send((yield* Ref.get(renewals)).revision), "RevisionConflict", () => recreate)
  })

  const leave = Effect.gen(function* () {
    const { revision } = yield* Ref.get(renewals)
    yield* mesh.write(subject, new Uint8Array(0), { expect: revision, remove: true })
  }).pipe(Effect.timeoutOption("1 second"), Effect.ignore)

  yield* Effect.acquireRelease(Effect.catchTag(send(0), "RevisionConflict", Effect.die), () => leave)
  yield* refuseDisagreement(yield* listLive(mesh), { incarnation, configurationHash })
  yield* renew.pipe(
    Effect.catchCause((cause) => Effect.logWarning("session not renewed", cause)),
    Effect.repeat(Schedule.spaced(renewEvery)),
    Effect.delay(renewEvery),
    Effect.forkScoped
  )

  return HostSession.of({
    incarnation,
    hostId,
    isValid: Effect.gen(function* () {
      return isValidAt(yield* monotonicMs, yield* Ref.get(renewals))
    }),
    live: listLive(mesh),
    mayBury: Effect.gen(function* () {
      const now = yield* Ref.get(renewals)
      const nowMs = yield* monotonicMs
      return isValidAt(nowMs, now) && nowMs - now.unbrokenSinceMs >= ttlMs
    })
  })
})

const refuseDisagreement = (
  live: ReadonlyArray<SessionRecord>,
  me: Pick<SessionRecord, "incarnation" | "configurationHash">
): Effect.Effect<void, ClusterDisagreement> => {
  const other = live.find(
    ({ configurationHash, incarnation }) => incarnation !== me.incarnation && configurationHash !== me.configurationHash
  )
  return other === undefined
    ? Effect.void
    : Effect.fail(
        new ClusterDisagreement({
          about: "configuration",
          ours: me.configurationHash.slice(0, 12),
          theirs: `${other.configurationHash.slice(0, 12)} (host ${other.hostId})`
        })
      )
}

/** A session that is renewed as long as the layer lives, and given back at its end. */
export const layer = (options: HostOptions): Layer.Layer<HostSession, MeshUnavailable | ClusterDisagreement, Mesh> =>
  Layer.effect(HostSession, make(options))
