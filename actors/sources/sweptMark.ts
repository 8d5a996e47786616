/**
 * Which is the oldest root that sweeps have left of a series?
 *
 * Noted before any root is deleted: a history that begins later than with its first root, and no later than with that
 * one, has lost nothing.
 */
import { Effect, Option, Schema } from "effect"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type * as LoggedRoot from "../../protocol/messages/LoggedRoot.ts"
import * as RootLog from "./RootLog.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"

const SweptMark = Schema.Struct({ format: Schema.Literal(1), version: Schema.Int, committedAt: Schema.Finite })
type SweptMark = typeof SweptMark.Type

const decode = Schema.decodeUnknownOption(SweptMark)

const subjectOf = (entry: CatalogEntry): string => Subject.audit(RootLog.keyOf(entry), "swept")

const stored = (entry: CatalogEntry) => Effect.flatMap(Mesh, (mesh) => mesh.read(Stream.audit.name, subjectOf(entry)))

/** The version with which the history of a series may begin: 1 where nothing of it was swept. */
export const keptFrom = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const bytes = Option.flatMap(yield* stored(entry), ({ value }) => value)
  const mark = Option.flatMap(Option.flatMap(bytes, Codec.fromJson), decode)
  return Option.match(mark, { onNone: () => 1, onSome: ({ version }) => version })
})

/** Notes that roots before this one are to be deleted. */
export const note = Effect.fnUntraced(function* (entry: CatalogEntry, { committedAt, version }: LoggedRoot.LoggedRoot) {
  if ((yield* keptFrom(entry)) >= version) return
  const mesh = yield* Mesh
  const before = yield* stored(entry)
  const mark: SweptMark = { format: 1, version, committedAt }
  // without an expected revision there is nothing to conflict with
  yield* Effect.catchTag(mesh.write(subjectOf(entry), Codec.toJson(mark)), "RevisionConflict", Effect.die)
  // one is enough; where the stream keeps all its entries, more of them do no harm
  if (Option.isSome(before)) yield* Effect.ignore(mesh.remove(Stream.audit.name, before.value.revision))
})
