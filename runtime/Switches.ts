/**
 * What is turned on and off in this cluster, as far as this host knows?
 *
 * One record, which every host keeps and follows: by its announcements, when the connection is back, and now and then.
 * While NATS is away what was known last holds. A host reads it without waiting.
 */
import { Clock, Context, Effect, Layer, Option, Queue, Schema } from "effect"
import { MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Announcement from "../protocol/wire/Announcement.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { settings } from "../protocol/wire/SettingsBucket.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keySubject } from "../protocol/wire/StreamSpec.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import {
  isOn,
  SwitchChange,
  type SwitchName,
  SwitchRecord,
  switchesKey,
  type SwitchWord,
  untouched
} from "../protocol/Switches.ts"
import * as AuditLog from "./AuditLog.ts"
import { compareAndSet, revisionOf } from "./compareAndSet.ts"
import { Mesh, type Stored } from "./Mesh.ts"
import { patiently } from "./patiently.ts"
import { randomId } from "./randomId.ts"

/** Announcements can get lost: the record is looked at this often at the least. */
const lookEvery = "5 seconds"
/** An earlier record than the one that is known, this often in a row, is what stands: storage was rolled back. */
const sightingsMin = 3
/** Others may turn switches at the same time. */
const turnTries = 10

const subject = keySubject(settings, switchesKey)
const decode = Schema.decodeUnknownOption(SwitchRecord)
const encode = Schema.encodeSync(SwitchRecord)

const recordIn = (value: Option.Option<Uint8Array>): Option.Option<SwitchRecord> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), decode)

/** What is turned on and off, as this host knows it now; of who is in no cluster nothing is turned. */
export const Switches = Context.Reference<() => SwitchRecord>("seamless/runtime/Switches", {
  defaultValue: () => () => untouched
})

/** What an operator says of a switch. */
export interface Turn extends Pick<SwitchWord, "on" | "by" | "reason"> {
  readonly name: SwitchName
}

/** The record after a change, and whether it is another than before. */
export interface Turned {
  readonly record: SwitchRecord
  readonly changed: boolean
}

/** Turns switches for the whole cluster. */
export class SwitchBoard extends Context.Service<
  SwitchBoard,
  {
    readonly current: () => SwitchRecord
    /** Turns a switch; it holds on this host when this ends, and on the others as soon as they hear of it. */
    readonly turn: (turn: Turn) => Effect.Effect<Turned, MeshUnavailable>
  }
>()("seamless/runtime/SwitchBoard") {}

/** The record with one more word. Pure. */
const withWord = (
  record: SwitchRecord,
  { by, name, on, reason }: Turn,
  { at, nonce }: { readonly at: number; readonly nonce: string }
): SwitchRecord => ({
  format: 1,
  version: record.version + 1,
  changed: name,
  words: { ...record.words, [name]: { on, by, at, reason } },
  nonce
})

/** What the newest change of a record was; none where there was none. Pure. */
export const changeIn = ({ changed, version, words }: SwitchRecord): Option.Option<SwitchChange> => {
  const word = words[changed]
  return word === undefined ? Option.none() : Option.some({ format: 1, version, name: changed, ...word })
}

/** The record that is known here: the newest, unless what stands is an earlier one again and again. */
const makeKnown = () => {
  let record = untouched
  let revision = 0
  let sightings = 0
  const set = (next: SwitchRecord, at: number): void => {
    record = next
    revision = at
    sightings = 0
  }
  return {
    current: () => record,
    heard: (next: SwitchRecord, at: number): void => {
      if (at > revision) set(next, at)
    },
    /** What the stream's leader says stands there. */
    seen: (next: SwitchRecord, at: number): void => {
      sightings = at < revision ? sightings + 1 : 0
      if (at > revision || sightings === sightingsMin) set(next, at)
    }
  }
}

const standingOf = (stored: Option.Option<Stored>): Option.Option<SwitchRecord> =>
  Option.match(stored, { onNone: () => Option.some(untouched), onSome: ({ value }) => recordIn(value) })

/** Notes the newest change where that has not been done: whoever made it may have died in between. */
const noteChange = Effect.fnUntraced(function* (record: SwitchRecord) {
  const change = changeIn(record)
  if (Option.isNone(change)) return
  const log = yield* AuditLog.open(Subject.audit(switchesKey), Stream.audit.name)
  // whoever has turned another since has noted this one before
  yield* Effect.catchTag(log.append(record.version, SwitchChange, change.value), "Fenced", () => Effect.void)
})

const notNoted = (name: SwitchName, { message: reason }: MeshUnavailable) =>
  Effect.logWarning("a turned switch is not in the audit stream yet", { name, reason })

const turnWith = (mesh: Mesh["Service"], known: ReturnType<typeof makeKnown>) =>
  Effect.fnUntraced(function* (asked: Turn) {
    for (let tries = 0; tries < turnTries; tries++) {
      const stored = yield* mesh.read(settings.name, subject)
      const standing = standingOf(stored)
      if (Option.isNone(standing)) {
        return yield* new MeshUnavailable({ operation: `read ${subject}`, reason: "this build can't read the record" })
      }
      yield* noteChange(standing.value)
      if (isOn(standing.value, asked.name) === asked.on) return { record: standing.value, changed: false }
      const at = { at: yield* Clock.currentTimeMillis, nonce: yield* randomId }
      const record = withWord(standing.value, asked, at)
      const written = yield* compareAndSet(mesh, {
        stream: settings.name,
        subject,
        data: Codec.toJson(encode(record)),
        expect: revisionOf(stored),
        isOurs: ({ value }) => Option.exists(recordIn(value), ({ nonce }) => nonce === record.nonce)
      }).pipe(
        Effect.map(Option.some),
        Effect.catchTag("RevisionConflict", () => Effect.succeed(Option.none<number>()))
      )
      if (Option.isNone(written)) continue
      known.heard(record, written.value)
      // it holds, noted or not: the next change makes up for what is not
      yield* noteChange(record).pipe(Effect.catch((error) => notNoted(asked.name, error)))
      return { record, changed: true }
    }
    return yield* new MeshUnavailable({ operation: `write ${subject}`, reason: "others keep turning switches" })
  })

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const known = makeKnown()
  const wakes = yield* Queue.sliding<void>(1)

  const look = Effect.gen(function* () {
    const stored = yield* mesh.read(settings.name, subject)
    const standing = standingOf(stored)
    if (Option.isSome(standing)) return known.seen(standing.value, revisionOf(stored))
    yield* Effect.logWarning("switches are as they were: this build can't read their record")
  })

  yield* mesh.subscribe(Announcement.changed("settings"), ({ data, headers, subject: told }) => {
    const key = Announcement.changedKey("settings", told)
    const revision = Number(headers.get("Nats-Sequence"))
    if (!Option.contains(key, switchesKey) || !Number.isFinite(revision)) return
    Option.map(recordIn(Option.some(data)), (record) => known.heard(record, revision))
  })
  yield* mesh.onReconnect(() => void Queue.offerUnsafe(wakes, undefined))
  // nothing begins here before it is known what is turned off
  yield* patiently(look)
  yield* Effect.raceFirst(Queue.take(wakes), Effect.sleep(lookEvery)).pipe(
    Effect.andThen(Effect.ignore(look)),
    Effect.forever,
    Effect.forkScoped
  )
  const turn = turnWith(mesh, known)
  return SwitchBoard.of({
    current: known.current,
    turn: (asked) => Effect.provideService(turn(asked), Mesh, mesh)
  })
})

/** The switches of the cluster, followed as long as the layer lives. */
export const layer: Layer.Layer<SwitchBoard, MeshUnavailable, Mesh> = Layer.provideMerge(
  Layer.effect(
    Switches,
    Effect.map(SwitchBoard, ({ current }) => current)
  ),
  Layer.effect(SwitchBoard, make)
)
