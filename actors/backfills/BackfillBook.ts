/**
 * How are named backfills reached, and which are there?
 *
 * Each by asking its actor; which there are is read from the actors' records. A name under which nothing was created
 * has no record, and gets none by being asked for.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { UnknownBackfill } from "../../protocol/history/BackfillErrors.ts"
import type { BackfillSummary } from "../../protocol/history/NamedBackfill.ts"
import * as Messages from "../../protocol/messages/Backfills.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import { summaryOf } from "./reportOf.ts"

/** Backfills that are listed: more than anyone reads, and no more than one answer carries. */
const listedMax = 500
/** Records that are read before the host does something else. */
const decodedAtOnce = 50

const decode = Schema.decodeUnknownOption(Schema.Struct({ ...StateRecord.fields, state: Messages.BackfillState }))

const backfillIn = ({ value }: Stored) =>
  value.pipe(
    Option.flatMap(Codec.fromJson),
    Option.flatMap(decode),
    Option.flatMap(({ state }) => Option.fromNullOr(state))
  )

const subjectOf = (name: string): string =>
  keySubject(Stream.actors, ActorSubject.actorKey({ type: Messages.backfillActor, key: name }))

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const provided = Effect.provideService(ActorSystem, yield* ActorSystem)
  const askCreate = ask(Messages.createMessage)
  const askShow = ask(Messages.showMessage)
  const askChange = ask(Messages.changeMessage)

  const demandRecord = Effect.fnUntraced(function* (name: string) {
    const stored = yield* mesh.read(Stream.actors.name, subjectOf(name))
    if (Option.isNone(Option.flatMap(stored, backfillIn))) return yield* new UnknownBackfill({ backfill: name })
  })

  const list = Effect.gen(function* () {
    const all = keySubject(Stream.actors, ActorSubject.actorKeysOf(Messages.backfillActor))
    const stored = yield* mesh.readMany(Stream.actors.name, [all])
    const backfills: Array<BackfillSummary> = []
    for (const [index, record] of stored.entries()) {
      backfills.push(...Option.toArray(Option.map(backfillIn(record), summaryOf)))
      if (index % decodedAtOnce === 0) yield* Effect.yieldNow
    }
    const newestLast = backfills.toSorted((a, b) => a.createdAt - b.createdAt)
    return { backfills: newestLast.slice(-listedMax), total: backfills.length }
  })

  return Messages.Backfills.of({
    create: (name, order) => provided(askCreate(name, order)),
    show: (name) => Effect.andThen(demandRecord(name), provided(askShow(name, null))),
    change: (name, change) => Effect.andThen(demandRecord(name), provided(askChange(name, change))),
    list
  })
})

/** The named backfills of the cluster. */
export const layer: Layer.Layer<Messages.Backfills, never, Mesh | ActorSystem> = Layer.effect(Messages.Backfills, make)
