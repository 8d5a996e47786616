/**
 * Which roots has a series had?
 *
 * The one that stands is in its record, those before it are in the audit stream: a log, in which the later root has the
 * higher version and the later time. The end of the log is what its leader says; what lies before it is read from any
 * replica, and asked for again where that one is behind.
 */
import { Effect, Option, Schema } from "effect"
import { CoverageRoot, initial } from "../../protocol/history/CoverageRoot.ts"
import { StoreDamaged } from "../../protocol/history/Errors.ts"
import { readRoot } from "../../protocol/messages/readRoot.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import { type Log, type Ranked, searchLog } from "./searchLog.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"

// a replica catches up within milliseconds
const behindTries = 50
const behindPause = "50 millis"
// what is no root was written by somebody else, and is passed over: so many in a row at most
const foreignMax = 100

/** Which root it is, without what is in it. */
const Mark = Schema.Struct({ version: Schema.Int, committedAt: Schema.Finite })
type Mark = typeof Mark.Type

const decodeMark = Schema.decodeUnknownOption(Schema.Struct({ format: Schema.Literal(1), ...Mark.fields }))
const decodeRoot = Schema.decodeUnknownOption(CoverageRoot)

/** A root in the log that nobody has read whole yet. */
export interface LoggedRoot extends Mark {
  readonly revision: number
  readonly bytes: Uint8Array
}

const loggedOf = ({ revision, value }: Stored): Option.Option<LoggedRoot> =>
  Option.flatMap(value, (bytes) =>
    Option.map(Option.flatMap(Codec.fromJson(bytes), decodeMark), ({ committedAt, version }) => ({
      version,
      committedAt,
      revision,
      bytes
    }))
  )

/** The root of an entry. */
export const wholeRoot = ({ bytes, version }: LoggedRoot): Effect.Effect<CoverageRoot, StoreDamaged> =>
  Effect.mapError(
    Effect.fromOption(Option.flatMap(Codec.fromJson(bytes), decodeRoot)),
    () => new StoreDamaged({ key: `version ${version}`, problem: "is no coverage root of format 1" })
  )

/** The key of a series. */
export const keyOf = ({ series }: Pick<CatalogEntry, "series">): string =>
  Subject.series(series.nodeId, series.interval)

/** The root that stands, from the leader; version 0 where the series has none. */
export const standingRoot = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const mesh = yield* Mesh
  const key = keyOf(entry)
  const stored = yield* mesh.read(Stream.coverage.name, keySubject(Stream.coverage, key))
  const found = yield* Effect.fromResult(
    readRoot(
      key,
      Option.flatMap(stored, ({ value }) => value)
    )
  )
  return Option.getOrElse(found, () =>
    initial(entry.series, { windowBars: entry.grid.windowBars, schemaVersion: entry.schema.version })
  )
})

/** The next entries from a revision on that is known to be followed by some, asked for until a replica has them. */
const entriesFrom = Effect.fnUntraced(function* (subject: string, fromRevision: number, max: number) {
  const mesh = yield* Mesh
  for (let tries = 1; ; tries++) {
    const { entries } = yield* mesh.history(Stream.audit.name, subject, { fromRevision, max })
    if (entries.length > 0) return entries
    if (tries === behindTries) {
      const reason = `no replica has what its leader has, from revision ${fromRevision} on`
      return yield* new MeshUnavailable({ operation: `read history of ${subject}`, reason })
    }
    yield* Effect.sleep(behindPause)
  }
})

/** The log of a series from its first root to the last one that its leader knows; none where it is empty. */
export interface RootLog {
  readonly first: LoggedRoot
  readonly last: LoggedRoot
}

const firstFrom = Effect.fnUntraced(function* (subject: string, revision: number) {
  let from = revision
  for (let passed = 0; passed < foreignMax; passed++) {
    const [entry] = yield* entriesFrom(subject, from, 1)
    const logged = Option.flatMap(Option.fromUndefinedOr(entry), loggedOf)
    if (Option.isSome(logged)) return logged.value
    from = (entry?.revision ?? from) + 1
  }
  return yield* new StoreDamaged({ key: subject, problem: `has no root in ${foreignMax} entries from ${revision} on` })
})

/** The log of a series. */
export const open = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const mesh = yield* Mesh
  const subject = Subject.audit(keyOf(entry))
  const end = yield* mesh.read(Stream.audit.name, subject)
  const last = Option.flatMap(end, loggedOf)
  if (Option.isNone(last)) return undefined
  return { first: yield* firstFrom(subject, 1), last: last.value } satisfies RootLog
})

/** What is looked for: a version, or what stood at a time. */
export type Sought = keyof Mark

/** The last root of the log that is not beyond the version, or the time of its commit; undefined where all are. */
export const lastUpTo = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  { first, last }: RootLog,
  by: Sought,
  value: number
) {
  const subject = Subject.audit(keyOf(entry))
  const ranked = (logged: LoggedRoot): Ranked<LoggedRoot> => ({
    revision: logged.revision,
    rank: logged[by],
    entry: logged
  })
  const log: Log<LoggedRoot, MeshUnavailable | StoreDamaged, Mesh> = {
    first: ranked(first),
    last: ranked(last),
    from: (revision) => Effect.map(firstFrom(subject, revision), ranked)
  }
  const found = yield* searchLog(log, value)
  return found?.entry
})

/** Tells the roots of the log of a range of revisions, in order and a page at a time; ends early where told `false`. */
export const follow = Effect.fnUntraced(function* <E, R>(
  entry: CatalogEntry,
  revisions: { readonly from: number; readonly to: number },
  onRoots: (roots: ReadonlyArray<LoggedRoot>) => Effect.Effect<boolean, E, R>
) {
  const subject = Subject.audit(keyOf(entry))
  let { from } = revisions
  while (from <= revisions.to) {
    const entries = yield* entriesFrom(subject, from, Number.MAX_SAFE_INTEGER)
    const within = entries.filter(({ revision }) => revision <= revisions.to)
    const roots = within.flatMap((stored) => Option.toArray(loggedOf(stored)))
    if (!(yield* onRoots(roots))) return
    from = (entries.at(-1)?.revision ?? from) + 1
  }
})
