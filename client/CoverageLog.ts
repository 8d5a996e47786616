/**
 * Where are the versions of a series' coverage read?
 *
 * The newest is a record of the public bucket, and all before it are in the audit stream. Both are read from any
 * replica, which may be a moment behind: nothing has a gap, but the newest may be absent.
 */
import { Effect, Option, Result, Schema } from "effect"
import { CoverageRoot } from "../protocol/history/CoverageRoot.ts"
import { readRoot } from "../protocol/messages/readRoot.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../protocol/wire/StreamSpec.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import type { CallerMesh } from "../runtime/CallerMesh.ts"
import type { Stored } from "../runtime/Mesh.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { malformed } from "./Session.ts"

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

const decodeRoot = Schema.decodeUnknownOption(CoverageRoot)

/** A root in the audit stream, with where it is there. */
interface Logged {
  readonly revision: number
  readonly root: CoverageRoot
}

// what is no root was written by somebody else
const loggedOf = ({ revision, value }: Stored): ReadonlyArray<Logged> =>
  Option.toArray(Option.flatMap(Option.flatMap(value, Codec.fromJson), decodeRoot)).map((root) => ({ revision, root }))

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

// so many steps halve a stream of any length
const stepsMax = 60

/** Where in the audit a version of a series is, or the first one behind it. */
export const placeOf = (
  mesh: CallerMesh,
  key: string,
  version: number
): Effect.Effect<number, MeshUnavailable | SeamlessError> =>
  Effect.gen(function* () {
    const [last] = yield* mesh.readMany(Stream.audit.name, [Subject.audit(key)])
    let [low, high] = [1, last?.revision ?? 1]
    for (let steps = 0; low < high && steps < stepsMax; steps++) {
      const middle = Math.floor((low + high) / 2)
      const { roots } = yield* pastFrom(mesh, key, middle)
      const first = roots[0]
      if (first === undefined || first.root.version >= version) high = middle
      else low = first.revision + 1
    }
    return low
  })
