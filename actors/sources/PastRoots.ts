/**
 * What was covered of a series at a point of the past?
 *
 * The root that stood then, as the audit stream has it: whatever it names is kept as long as the root is. It is found
 * in a number of requests that grows with the logarithm of the history's length, and remembered, since it never
 * changes. How long roots count is a setting: one that is older is refused, whether or not it is there still.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { AsOf } from "../../protocol/history/AsOf.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import { UnknownPoint } from "../../protocol/history/UnknownPoint.ts"
import type { CoverageFailure, CoverageView } from "../../protocol/messages/Coverage.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import * as Cache from "./Cache.ts"
import type { ChunkStore } from "./ChunkStore.ts"
import * as LoggedRoot from "../../protocol/messages/LoggedRoot.ts"
import * as RootLog from "./RootLog.ts"
import type { CatalogEntry } from "./SeriesCatalog.ts"
import { wholeView } from "./wholeView.ts"

/** A root of the past as a reader sees it, and the moment by which it is judged what could be known. */
export interface PastView extends CoverageView {
  readonly atMs: number
}

/** The roots that series have had. */
export class PastRoots extends Context.Service<
  PastRoots,
  {
    /** How long roots count that no longer stand; infinite for ever. */
    readonly rootsMs: number
    readonly at: (entry: CatalogEntry, asOf: AsOf) => Effect.Effect<PastView, CoverageFailure | UnknownPoint>
  }
>()("seamless/sources/PastRoots") {}

/** Whole roots that are remembered, by about what they take. */
const cacheBytes = 8 * 1024 * 1024
const decodedFactor = 3

const zero: LoggedRoot.Mark = { version: 0, committedAt: 0 }

/** What a search has to go by. */
interface Search {
  readonly entry: CatalogEntry
  readonly asOf: AsOf
  readonly standing: CoverageRoot
  readonly nowMs: number
}

const markOf = ({ committedAt, version }: LoggedRoot.Mark): LoggedRoot.Mark => ({ version, committedAt })

const refuse = (search: Search, problem: UnknownPoint["problem"], oldest: LoggedRoot.Mark) =>
  new UnknownPoint({
    ...search.entry.series,
    asOf: search.asOf,
    problem,
    oldest,
    newest: markOf(search.standing)
  })

const make = Effect.fnUntraced(function* (rootsMs: number) {
  const provide = Effect.provide(yield* Effect.context<Mesh | ChunkStore>())
  const known = Cache.make<CoverageRoot>(cacheBytes)

  /** The first root that can still be read: the one that stood when the time began for which roots count. */
  const oldestOf = Effect.fnUntraced(function* ({ nowMs, standing }: Search, log: RootLog.RootLog | undefined) {
    if (log === undefined) return standing.version <= 1 ? zero : markOf(standing)
    const begin: LoggedRoot.Mark = log.first.version === 1 ? zero : log.first
    if (rootsMs === Infinity) return markOf(begin)
    const found = yield* RootLog.lastUpTo(log, "committedAt", nowMs - rootsMs)
    return markOf(found ?? begin)
  })

  const rootOf = Effect.fnUntraced(function* (entry: CatalogEntry, logged: LoggedRoot.LoggedRoot) {
    const name = `${RootLog.keyOf(entry)}/${logged.version}`
    const kept = known.get(name)
    if (kept !== undefined) return kept
    const root = yield* Effect.fromResult(LoggedRoot.whole(logged))
    known.put(name, root, logged.bytes.length * decodedFactor)
    return root
  })

  const find = Effect.fnUntraced(function* (search: Search) {
    const { asOf, entry, nowMs, standing } = search
    const { time = 0, version } = asOf
    const isFuture = version === undefined ? time > nowMs : version > standing.version
    const isStanding = version === undefined ? standing.committedAt <= time : version === standing.version
    if (isStanding && !isFuture) return standing
    const log = yield* RootLog.open(entry)
    const oldest = yield* oldestOf(search, log)
    if (isFuture) return yield* refuse(search, "future", oldest)
    const by = version === undefined ? "committedAt" : "version"
    const found = log && (yield* RootLog.lastUpTo(log, by, version ?? time))
    if ((found?.version ?? 0) < oldest.version) return yield* refuse(search, "notKept", oldest)
    if (log === undefined || found === undefined) {
      return version === undefined || version === 0
        ? RootLog.emptyRoot(entry, standing)
        : yield* refuse(search, "never", oldest)
    }
    if (version === found.version) return yield* rootOf(entry, found)
    // where roots are missing nobody knows which of them stood: those that are left of what was swept, not all of it
    const next = (yield* RootLog.nextOf(log, found)) ?? standing
    const isMissing = next.version > found.version && !LoggedRoot.follows(next, found)
    if (isMissing) return yield* refuse(search, "notKept", markOf(next))
    return version === undefined ? yield* rootOf(entry, found) : yield* refuse(search, "never", oldest)
  })

  const at = Effect.fnUntraced(function* (entry: CatalogEntry, asOf: AsOf) {
    const standing = yield* RootLog.standingRoot(entry)
    const nowMs = yield* Clock.currentTimeMillis
    const root = yield* find({ entry, asOf, standing, nowMs })
    // before its first version nobody had asked: what can be known of time is what is known now
    const atMs = asOf.time ?? (root.version === 0 ? nowMs : root.committedAt)
    return { ...(yield* wholeView(root)), atMs }
  })

  return PastRoots.of({ rootsMs, at: (entry, asOf) => provide(at(entry, asOf)) })
})

/** The roots of the past, as far back as roots count: `rootsMs` after another took their place. */
export const layer = (rootsMs: number): Layer.Layer<PastRoots, never, Mesh | ChunkStore> =>
  Layer.effect(PastRoots, make(rootsMs))
