/**
 * Which roots has a series had?
 *
 * The one that stands is in its record, those before it are in the audit stream: a log, in which the later root has the
 * higher version and the later time. The end of the log is what its leader says; what lies before it is read from any
 * replica, and asked for again where that one is behind.
 */
import { Effect, Option } from "effect"
import { type CoverageRoot, initial } from "../../protocol/history/CoverageRoot.ts"
import { StoreDamaged } from "../../protocol/history/Errors.ts"
import { readRoot } from "../../protocol/messages/readRoot.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { revisionOf } from "../../runtime/compareAndSet.ts"
import { Mesh, type Stored } from "../../runtime/Mesh.ts"
import * as LoggedRoot from "../../protocol/messages/LoggedRoot.ts"
import { type Log, type Ranked, searchLog } from "../../runtime/searchLog.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"

// a replica catches up within milliseconds
const behindTries = 50
const behindPause = "50 millis"
// what is no root was written by somebody else, and is passed over: so many in a row at most
const foreignMax = 100

/** The key of a series. */
export const keyOf = ({ series }: Pick<CatalogEntry, "series">): string =>
  Subject.series(series.nodeId, series.interval)

/** The root that a series has before its first: of the grid and schema that it is configured with, unless told. */
export const emptyRoot = (
  { grid, schema, series }: Pick<CatalogEntry, "grid" | "schema" | "series">,
  { schemaVersion = schema.version, windowBars = grid.windowBars }: Partial<CoverageRoot> = {}
): CoverageRoot => initial(series, { windowBars, schemaVersion })

/** The root that stands, from the leader, and the revision of its record; none where the series has none. */
export const standing = Effect.fnUntraced(function* (of: Pick<CatalogEntry, "series">) {
  const mesh = yield* Mesh
  const key = keyOf(of)
  const stored = yield* mesh.read(Stream.coverage.name, keySubject(Stream.coverage, key))
  const value = Option.flatMap(stored, (record) => record.value)
  return { root: yield* Effect.fromResult(readRoot(key, value)), revision: revisionOf(stored) }
})

/** The root that stands, from the leader; version 0 where the series has none. */
export const standingRoot = (entry: CatalogEntry) =>
  Effect.map(standing(entry), ({ root }) => Option.getOrElse(root, () => emptyRoot(entry)))

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

/** The log of a series, up to the last entry that its leader knows. */
export interface RootLog {
  readonly subject: string
  readonly first: LoggedRoot.LoggedRoot
  /** Undefined where the last entry is no root: somebody else's, or one of a form that this build does not know. */
  readonly last: LoggedRoot.LoggedRoot | undefined
  /** The revision of the last entry. */
  readonly end: number
}

/** The first root of a revision or a later one; undefined where there is none up to the end. */
const firstFrom = Effect.fnUntraced(function* (subject: string, revision: number, end: number) {
  let from = revision
  for (let passed = 0; from <= end; passed++) {
    if (passed === foreignMax) {
      const problem = `has no root in ${foreignMax} entries from revision ${revision} on`
      return yield* new StoreDamaged({ key: subject, problem })
    }
    const [entry] = yield* entriesFrom(subject, from, 1)
    const logged = Option.flatMap(Option.fromUndefinedOr(entry), LoggedRoot.fromStored)
    if (Option.isSome(logged)) return logged.value
    from = (entry?.revision ?? from) + 1
  }
  return undefined
})

/** The last entry of a series' log, whatever it is. */
export const endOf = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const mesh = yield* Mesh
  return yield* mesh.read(Stream.audit.name, Subject.audit(keyOf(entry)))
})

/** The log of a series; undefined where no root is in it. */
export const open = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const subject = Subject.audit(keyOf(entry))
  const stored = yield* endOf(entry)
  if (Option.isNone(stored)) return undefined
  const { revision: end } = stored.value
  const first = yield* firstFrom(subject, 1, end)
  const last = Option.getOrUndefined(LoggedRoot.fromStored(stored.value))
  return first && ({ subject, first, last, end } satisfies RootLog)
})

/** The first root of the log behind another; undefined behind the last. */
export const nextOf = ({ end, subject }: RootLog, { revision }: LoggedRoot.LoggedRoot) =>
  firstFrom(subject, revision + 1, end)

/** The last root of the log that is not beyond the version, or the time of its commit; undefined where all are. */
export const lastUpTo = Effect.fnUntraced(function* (
  { end, first, last, subject }: RootLog,
  by: keyof LoggedRoot.Mark,
  value: number
) {
  const ranked = (logged: LoggedRoot.LoggedRoot): Ranked<LoggedRoot.LoggedRoot> => ({
    revision: logged.revision,
    rank: logged[by],
    entry: logged
  })
  // what is behind the last root is as good as beyond every point
  const beyond: Ranked<LoggedRoot.LoggedRoot> = { revision: end, rank: Infinity, entry: first }
  const log: Log<LoggedRoot.LoggedRoot, MeshUnavailable | StoreDamaged, Mesh> = {
    first: ranked(first),
    last: last === undefined ? beyond : ranked(last),
    from: (revision) =>
      Effect.map(firstFrom(subject, revision, end), (found) => (found === undefined ? beyond : ranked(found)))
  }
  const found = yield* searchLog(log, value)
  return found?.entry
})

/** Revisions of a log, both ends among them. */
interface Revisions {
  readonly from: number
  readonly to: number
}

/** Tells what the log has of a range of revisions, in order and a page at a time; ends early where told `false`. */
export const followEntries = Effect.fnUntraced(function* <E, R>(
  entry: CatalogEntry,
  revisions: Revisions,
  onEntries: (entries: ReadonlyArray<Stored>) => Effect.Effect<boolean, E, R>
) {
  const subject = Subject.audit(keyOf(entry))
  let { from } = revisions
  while (from <= revisions.to) {
    const entries = yield* entriesFrom(subject, from, Number.MAX_SAFE_INTEGER)
    if (!(yield* onEntries(entries.filter(({ revision }) => revision <= revisions.to)))) return
    from = (entries.at(-1)?.revision ?? from) + 1
  }
})

/** The same of its roots alone. */
export const follow = <E, R>(
  entry: CatalogEntry,
  revisions: Revisions,
  onRoots: (roots: ReadonlyArray<LoggedRoot.LoggedRoot | StoreDamaged>) => Effect.Effect<boolean, E, R>
) => followEntries(entry, revisions, (entries) => onRoots(entries.flatMap(LoggedRoot.orStrange)))
