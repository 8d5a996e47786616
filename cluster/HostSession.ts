/**
 * Does this host live, and who else does?
 *
 * A host is known by its incarnation, new at each start. Its session is one key with a time to live, renewed each
 * second. It is a hint: it says who is alive, never who may write.
 */
import { Clock, Context, Deferred, Effect, Layer, Option, Schedule, Schema, type Scope } from "effect"
import * as Announcement from "../protocol/wire/Announcement.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { ClusterDisagreement, InvalidLabel, type MeshUnavailable } from "../protocol/wire/Errors.ts"
import { protocolVersion, protocolVersionMin, SessionRecord } from "../protocol/wire/HostRecords.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keySubject } from "../protocol/wire/StreamSpec.ts"
import { revisionOf } from "../runtime/compareAndSet.ts"
import { clockMs } from "../runtime/Deadline.ts"
import { Mesh, type RevisionConflict, type Stored } from "../runtime/Mesh.ts"
import { patiently } from "../runtime/patiently.ts"
import { randomId } from "../runtime/randomId.ts"
import * as Heard from "./Heard.ts"
import { readOnce } from "./readOnce.ts"
import * as Touch from "./Touch.ts"

// a write gives up after 2 s, and each renewal may need a look and a second write: more at once help nobody
const renewalsMax = 4
const triesMax = 3
const lookWithin = "1 second"
// a moment that is over by so little is over for certain, whatever a timer rounds
const silenceSlackMs = 1
const leaveWithin = "1 second"
// how long others may take to hear that this host drains, before it begins without their knowing
const tellWithin = "2 seconds"
// the word that a host has left is kept as long as the marker of one that died
const leftTtlSeconds = 60

/** Who this host is. */
export interface HostOptions {
  /** A label for people. */
  readonly hostId: string
  /** Hosts of one cluster must run one configuration; empty for a host that has none. */
  readonly configurationHash: string
  /** Whose actors it takes, beside those that have no label; none unless told otherwise. */
  readonly labels?: ReadonlyArray<string>
  /** Whether it takes actors that have no label; it does unless told otherwise. */
  readonly unlabelled?: boolean
}

/** The session of this host. */
export class HostSession extends Context.Service<
  HostSession,
  {
    readonly incarnation: string
    readonly hostId: string
    readonly labels: ReadonlyArray<string>
    /** What this host says of itself. */
    readonly record: () => SessionRecord
    /** Whether the session certainly still stands: counted from when its last renewal was sent. */
    readonly isValidNow: () => boolean
    /** As `isValidNow`. */
    readonly isValid: Effect.Effect<boolean>
    /** Rises each time that the session is valid again after it was not. */
    readonly stretch: () => number
    /** How long ago the newest renewal was sent that was answered, in milliseconds. */
    readonly silentMs: () => number
    /** The hosts whose sessions stand, this one among them. */
    readonly live: Effect.Effect<ReadonlyArray<SessionRecord>, MeshUnavailable>
    /** Whether the session of that host stands, as was heard lately or as the leader says, and is renewed. */
    readonly isLive: (incarnation: string) => Effect.Effect<boolean, MeshUnavailable>
    /**
     * Whether a host that is absent from `live` may be taken for dead: not before one time to live of unbroken
     * renewals.
     */
    readonly mayBury: Effect.Effect<boolean>
    /** Whether slots may be handed over: as `mayBury`, but a host that has just started may at once. */
    readonly mayMove: Effect.Effect<boolean>
    /** Says from now on that this host drains; returns when the others can know, or after a while. */
    readonly setDraining: Effect.Effect<void>
    /** Waits until this host drains. */
    readonly draining: Effect.Effect<void>
    /** Runs `handler` each time that the session is valid again after it was not, until the scope ends. */
    readonly onRestored: (handler: () => void) => Effect.Effect<void, never, Scope.Scope>
    /**
     * Runs `handler` each time that a session's record was announced, its own among them, until the scope ends; the
     * bytes of one that has ended are none.
     */
    readonly onAnnounced: (
      handler: (incarnation: string, record: Uint8Array) => void
    ) => Effect.Effect<void, never, Scope.Scope>
    /** Runs `handler` each time that a host has not been heard of for too long, until the scope ends. */
    readonly onSilence: (handler: () => void) => Effect.Effect<void, never, Scope.Scope>
  }
>()("seamless/cluster/HostSession") {}

const decodeRecord = Schema.decodeUnknownOption(SessionRecord)

/** What a host says of itself, from the bytes of its record; none where they are none. */
export const parseSession = (bytes: Uint8Array): Option.Option<SessionRecord> =>
  Option.flatMap(Codec.fromJson(bytes), decodeRecord)

const parseStored = ({ value }: Stored): Option.Option<SessionRecord> => Option.flatMap(value, parseSession)

const subjectOf = (incarnation: string): string => keySubject(Stream.sessions, incarnation)

/** A session that stands, with the revision of its record. */
interface Standing {
  readonly host: SessionRecord
  readonly revision: number
}

const standingIn = (stored: Stored): ReadonlyArray<Standing> =>
  Option.match(parseStored(stored), { onNone: () => [], onSome: (host) => [{ host, revision: stored.revision }] })

/** Lists the sessions that stand: again and again, at the price of what has changed. */
const standingLister = (mesh: Mesh["Service"]): Effect.Effect<ReadonlyArray<Standing>, MeshUnavailable> => {
  const parse = readOnce(parseSession)
  return Effect.map(mesh.readMany(Stream.sessions.name, [Stream.sessions.subjects]), (stored) =>
    stored.flatMap(({ revision, subject, value }) =>
      Option.match(
        Option.flatMap(value, (bytes) => parse(subject, bytes)),
        { onNone: () => [], onSome: (host) => [{ host, revision }] }
      )
    )
  )
}

/** The sessions that stand. */
export const listLive = (mesh: Mesh["Service"]): Effect.Effect<ReadonlyArray<SessionRecord>, MeshUnavailable> =>
  Effect.suspend(() => Effect.map(standingLister(mesh), (standing) => standing.map(({ host }) => host)))

/** Follows what is announced of sessions, and calls when a host has become silent. */
const listen = Effect.fnUntraced(function* (mesh: Mesh["Service"], life: Life) {
  yield* mesh.subscribe(Announcement.changed("sessions"), (message) => {
    const incarnation = Option.getOrUndefined(Announcement.changedKey("sessions", message.subject))
    const revision = Number(message.headers.get("Nats-Sequence"))
    if (incarnation === undefined || !Number.isFinite(revision)) return
    // what has ended has no value, and what is said in it is of no interest here
    if (message.data.length > 0) life.heard.note(incarnation, revision, life.nowMs())
    else life.heard.forget(incarnation)
    for (const handler of life.announcedHandlers) handler(incarnation, message.data)
  })
  yield* Effect.suspend(() => {
    const nowMs = life.nowMs()
    if (life.heard.newlySilent(nowMs).length > 0) for (const handler of life.silenceHandlers) handler()
    return Effect.sleep(life.heard.nextSilenceAtMs(nowMs) - nowMs + silenceSlackMs)
  }).pipe(Effect.forever, Effect.forkScoped)
})

/** Of the sessions that stand, those whose hosts are heard of. */
const notSilent = (life: Life, standing: ReadonlyArray<Standing>): ReadonlyArray<SessionRecord> => {
  const nowMs = life.nowMs()
  for (const { host, revision } of standing) life.heard.note(host.incarnation, revision, nowMs)
  return standing
    .filter(({ host, revision }) => !life.heard.isSilent(host.incarnation, revision, nowMs))
    .map(({ host }) => host)
}

/** Calls a handler as long as the scope lives. */
const registered = <Handler>(handlers: Set<Handler>, handler: Handler) =>
  Effect.acquireRelease(
    Effect.sync(() => void handlers.add(handler)),
    () => Effect.sync(() => void handlers.delete(handler))
  )

/** What changes while a session lasts. */
interface Life {
  touch: Touch.Touch
  record: SessionRecord
  /** Whether it was said that touch is lost. */
  isMissed: boolean
  readonly restoredHandlers: Set<() => void>
  readonly silenceHandlers: Set<() => void>
  readonly announcedHandlers: Set<(incarnation: string, record: Uint8Array) => void>
  readonly heard: Heard.Heard
  readonly nowMs: () => number
}

const begin = Effect.fnUntraced(function* ({ configurationHash, hostId, labels = [], unlabelled = true }: HostOptions) {
  const record: SessionRecord = {
    incarnation: yield* randomId,
    hostId,
    configurationHash,
    protocolVersion,
    labels,
    unlabelled,
    startedAt: yield* Clock.currentTimeMillis
  }
  return {
    touch: Touch.none,
    record,
    isMissed: false,
    restoredHandlers: new Set(),
    silenceHandlers: new Set(),
    announcedHandlers: new Set(),
    heard: Heard.make(),
    nowMs: yield* clockMs
  } satisfies Life
})

const isInTouch = (life: Life): boolean => Touch.isInTouch(life.touch, life.nowMs())

const silentMs = (life: Life): number => life.nowMs() - life.touch.lastSentMs

const noteMissed = Effect.fnUntraced(function* (life: Life) {
  if (life.isMissed || isInTouch(life)) return
  life.isMissed = true
  yield* Effect.logWarning("touch with NATS is lost: nothing is handled until it is back", {
    silentMs: Math.round(silentMs(life))
  })
})

const send = Effect.fnUntraced(function* (mesh: Mesh["Service"], life: Life, expect: number) {
  const sentMs = life.nowMs()
  const revision = yield* mesh.write(subjectOf(life.record.incarnation), Codec.toJson(life.record), {
    expect,
    ttlSeconds: Touch.sessionTtlSeconds
  })
  const before = life.touch
  life.touch = Touch.renewed(before, { revision, sentMs, answeredMs: life.nowMs() })
  if (before.stretch === 0 || life.touch.stretch === before.stretch) return
  yield* Effect.logInfo("touch with NATS is back", { afterMs: Math.round(life.nowMs() - before.lastSentMs) })
  life.isMissed = false
  for (const handler of life.restoredHandlers) handler()
})

// the key may have run out, or an earlier write may have come through without its answer: see what stands
const look = Effect.fnUntraced(function* (mesh: Mesh["Service"], life: Life, expected: number) {
  // another renewal was answered meanwhile: it knows better
  if (life.touch.revision !== expected) return
  const stored = yield* mesh.read(Stream.sessions.name, subjectOf(life.record.incarnation))
  if (life.touch.revision === expected) life.touch = { ...life.touch, revision: revisionOf(stored) }
})

const retryingConflicts = (
  mesh: Mesh["Service"],
  life: Life,
  write: (expect: number) => Effect.Effect<void, RevisionConflict | MeshUnavailable>
): Effect.Effect<void, RevisionConflict | MeshUnavailable> =>
  Effect.suspend(() => {
    const expected = life.touch.revision
    return Effect.tapErrorTag(write(expected), "RevisionConflict", () =>
      Effect.ignore(Effect.timeoutOption(look(mesh, life, expected), lookWithin))
    )
  }).pipe(Effect.retry({ times: triesMax - 1, while: ({ _tag }) => _tag === "RevisionConflict" }))

/** Renews until the scope ends: never waiting for one that is slow before it sends the next. */
const keepRenewed = Effect.fnUntraced(function* (mesh: Mesh["Service"], life: Life) {
  const scope = yield* Effect.scope
  let underWay = 0
  const renew = retryingConflicts(mesh, life, (expect) => send(mesh, life, expect))
  const renewApart = Effect.suspend(() => {
    if (underWay >= renewalsMax) return Effect.void
    underWay += 1
    return renew.pipe(
      Effect.catchCause((cause) => Effect.logDebug("session not renewed", cause)),
      Effect.ensuring(Effect.sync(() => void (underWay -= 1))),
      Effect.forkIn(scope)
    )
  })
  const runFork = Effect.runForkWith(yield* Effect.context())
  yield* mesh.onReconnect(() => void runFork(renewApart))
  yield* Effect.andThen(noteMissed(life), renewApart).pipe(
    Effect.repeat(Schedule.spaced(Touch.renewEveryMs)),
    Effect.delay(Touch.renewEveryMs),
    Effect.forkScoped
  )
  return renew
})

const leave = (mesh: Mesh["Service"], life: Life): Effect.Effect<void> =>
  retryingConflicts(mesh, life, (expect) =>
    Effect.asVoid(
      mesh.write(subjectOf(life.record.incarnation), new Uint8Array(0), {
        expect,
        remove: true,
        ttlSeconds: leftTtlSeconds
      })
    )
  ).pipe(Effect.interruptible, Effect.timeoutOption(leaveWithin), Effect.ignore)

/** Labels stand in subjects and keys, and must not look like the number of a slot. */
const labelForm = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

const make = Effect.fnUntraced(function* (options: HostOptions) {
  const mesh = yield* Mesh
  const wrong = options.labels?.find((label) => !labelForm.test(label))
  if (wrong !== undefined) return yield* new InvalidLabel({ label: wrong })
  const life: Life = yield* begin(options)
  const { hostId, incarnation, labels = [] } = life.record
  // a first try whose answer got lost has made the record, which is then renewed
  const enter = retryingConflicts(mesh, life, (expect) => send(mesh, life, expect))
  yield* Effect.acquireRelease(Effect.catchTag(patiently(enter), "RevisionConflict", Effect.die), () =>
    leave(mesh, life)
  )
  yield* listen(mesh, life)
  yield* refuseDisagreement(yield* listLive(mesh), life.record)
  const renew = yield* keepRenewed(mesh, life)
  const draining = Deferred.makeUnsafe<void>()

  return HostSession.of({
    incarnation,
    hostId,
    labels,
    record: () => life.record,
    isValidNow: () => isInTouch(life),
    isValid: Effect.sync(() => isInTouch(life)),
    stretch: () => life.touch.stretch,
    silentMs: () => silentMs(life),
    live: Effect.map(standingLister(mesh), (standing) => [
      life.record,
      ...notSilent(life, standing).filter((host) => host.incarnation !== incarnation)
    ]),
    isLive: (other) =>
      Effect.suspend(() => {
        if (life.heard.isHeardOf(other, life.nowMs())) return Effect.succeed(true)
        return Effect.map(
          mesh.read(Stream.sessions.name, subjectOf(other)),
          (stored) => notSilent(life, Option.toArray(stored).flatMap(standingIn)).length > 0
        )
      }),
    mayBury: Effect.sync(() => Touch.mayBury(life.touch, life.nowMs())),
    mayMove: Effect.sync(() => Touch.isSteady(life.touch, life.nowMs())),
    setDraining: Effect.suspend(() => {
      if (life.record.draining === true) return Effect.void
      life.record = { ...life.record, draining: true }
      Deferred.doneUnsafe(draining, Effect.void)
      return Effect.ignore(Effect.timeoutOption(renew, tellWithin))
    }),
    draining: Deferred.await(draining),
    onRestored: (handler) => registered(life.restoredHandlers, handler),
    onAnnounced: (handler) => registered(life.announcedHandlers, handler),
    onSilence: (handler) => registered(life.silenceHandlers, handler)
  })
})

const isStranger = (version: number): boolean =>
  // a newer host gets along with the version before its own, as this one does
  version < protocolVersionMin || version - protocolVersion > protocolVersion - protocolVersionMin

const refuseDisagreement = (
  live: ReadonlyArray<SessionRecord>,
  me: SessionRecord
): Effect.Effect<void, ClusterDisagreement> => {
  const others = live.filter(({ incarnation }) => incarnation !== me.incarnation)
  const stranger = others.find((host) => isStranger(host.protocolVersion))
  if (stranger !== undefined) {
    return new ClusterDisagreement({
      about: "protocol version",
      ours: String(me.protocolVersion),
      theirs: `${stranger.protocolVersion} (host ${stranger.hostId})`
    })
  }
  const other = others.find(
    ({ configurationHash: theirs }) => theirs !== "" && me.configurationHash !== "" && theirs !== me.configurationHash
  )
  if (other === undefined) return Effect.void
  return new ClusterDisagreement({
    about: "configuration",
    ours: me.configurationHash.slice(0, 12),
    theirs: `${other.configurationHash.slice(0, 12)} (host ${other.hostId})`
  })
}

/** A session that is renewed as long as the layer lives, and given back at its end. */
export const layer = (
  options: HostOptions
): Layer.Layer<HostSession, MeshUnavailable | ClusterDisagreement | InvalidLabel, Mesh> =>
  Layer.effect(HostSession, make(options))
