/**
 * Where are the versions of a series' coverage read?
 *
 * The newest is a record of the public bucket, and all before it are in the audit stream. Both are read from any
 * replica, which may be a moment behind: nothing has a gap, but the newest may be absent.
 */
import { Effect, Option, Result } from "effect"
import type { CoverageRoot } from "../protocol/history/CoverageRoot.ts"
import * as LoggedRoot from "../protocol/messages/LoggedRoot.ts"
import { readRoot } from "../protocol/messages/readRoot.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../protocol/wire/StreamSpec.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import type { CallerMesh } from "../runtime/CallerMesh.ts"
import type { Stored } from "../runtime/Mesh.ts"
import * as searchLog from "../runtime/searchLog.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { malformed } from "./failures.ts"

/** Roots that are held at once: each is 256 KiB at most. */
const pageMax = 64

/** The newest root of a series. */
export interface Standing {
  readonly key: string
  readonly revision: number
  readonly root: CoverageRoot
}

const standingOf = ({ revision, subject, value }: Stored): Effect.Effect<ReadonlyArray<Standing>, SeamlessError> => {
  const key = keyOf(Stream.coverage, subject)
  return Result.match(readRoot(key, value), {
    onFailure: ({ message }) => Effect.fail(malformed("the coverage", message)),
    onSuccess: (root) => Effect.succeed(Option.toArray(root).map((found) => ({ key, revision, root: found })))
  })
}

const eachStanding = (entries: ReadonlyArray<Stored>) =>
  Effect.map(Effect.forEach(entries, standingOf), (found) => found.flat())

/** The newest roots of the series that `keys` (which may hold wildcards) name, whose records changed since. */
export const changedSince = Effect.fnUntraced(function* (mesh: CallerMesh, keys: string, fromRevision: number) {
  const subject = keySubject(Stream.coverage, keys)
  const { entries, isLast } = yield* mesh.history(Stream.coverage.name, subject, { fromRevision, max: pageMax })
  return { roots: yield* eachStanding(entries), lastRevision: entries.at(-1)?.revision, isLast }
})

/** The newest roots of these series. */
export const newestOf = Effect.fnUntraced(function* (mesh: CallerMesh, keys: ReadonlyArray<string>) {
  const subjects = keys.map((key) => keySubject(Stream.coverage, key))
  return yield* eachStanding(yield* mesh.readMany(Stream.coverage.name, subjects))
})

/** A root in the audit stream, with where it is there. */
interface Logged {
  readonly revision: number
  readonly root: CoverageRoot
}

/** The root in an entry; nothing of what is none, or is one of a form that this build does not know. */
const loggedOf = (stored: Stored): ReadonlyArray<Logged> =>
  Option.toArray(LoggedRoot.fromStored(stored)).flatMap((logged) =>
    Option.toArray(Result.getSuccess(LoggedRoot.whole(logged))).map((root) => ({ revision: logged.revision, root }))
  )

/** The next roots of a series that lie in its audit at a place or behind it, and the place behind them. */
export const pastFrom = Effect.fnUntraced(function* (mesh: CallerMesh, key: string, place: number) {
  const options = { fromRevision: place, max: pageMax }
  const { entries } = yield* mesh.history(Stream.audit.name, Subject.audit(key), options)
  return {
    roots: entries.flatMap(loggedOf),
    next: (entries.at(-1)?.revision ?? place - 1) + 1,
    isEmpty: entries.length === 0
  }
})

type Ranked = searchLog.Ranked<undefined>

/** The first root at a place of the audit or behind it, up to its end, where no replica has more. */
const rankedFrom = Effect.fnUntraced(function* (mesh: CallerMesh, key: string, revision: number, end: number) {
  for (let place = revision; place <= end;) {
    const { entries } = yield* mesh.history(Stream.audit.name, Subject.audit(key), { fromRevision: place, max: 1 })
    const [stored] = entries
    if (stored === undefined) break
    const found = LoggedRoot.fromStored(stored)
    if (Option.isSome(found)) return { revision: stored.revision, rank: found.value.version, entry: undefined }
    place = stored.revision + 1
  }
  const none: Ranked = { revision: end, rank: Infinity, entry: undefined }
  return none
})

/** Where in the audit a version of a series is, or the first one behind it. */
export const placeOf = Effect.fnUntraced(function* (mesh: CallerMesh, key: string, version: number) {
  const [last] = yield* mesh.readMany(Stream.audit.name, [Subject.audit(key)])
  if (last === undefined) return 1
  const from = (revision: number) => rankedFrom(mesh, key, revision, last.revision)
  const before = yield* searchLog.searchLog(
    { first: yield* from(1), last: yield* from(last.revision), from },
    version - 1
  )
  return before === undefined ? 1 : before.revision + 1
})
