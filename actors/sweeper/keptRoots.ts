/**
 * What do the roots of a series name that are kept?
 *
 * The root that stands is read first, then those of the log: a root that comes later names what the one before it does,
 * or what was put since. One that can't be read might name anything, so nothing is known then.
 */
import { Effect } from "effect"
import type { ChunkRef, CoveragePage } from "../../protocol/history/CoveragePage.ts"
import type { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import { StoreDamaged } from "../../protocol/history/Errors.ts"
import { revisionOf } from "../../runtime/compareAndSet.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import * as LoggedRoot from "../../protocol/messages/LoggedRoot.ts"
import * as RootLog from "../sources/RootLog.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"

/** Pages that are looked into at once. */
const pagesAtOnce = 16
/** Pages that are remembered to have been looked into: more are looked into again. */
const seenMax = 100_000
/** What was put is named within moments, or hours where everything stood still meanwhile. */
const namedWithinMs = 3_600_000

/** The roots that are kept of a series. */
export interface KeptRoots {
  readonly entry: CatalogEntry
  readonly standing: CoverageRoot
  readonly log: RootLog.RootLog | undefined
  /** The revision of the last entry of the log, whatever it is. */
  readonly end: number
  /** Whether nothing says what was ever named: neither a root that stands, nor any in the log. */
  readonly isRootless: boolean
}

/** The roots that a series has. */
export const openKept = Effect.fnUntraced(function* (entry: CatalogEntry) {
  // the root that stands before the end of the log: what is committed in between is in the log by then
  const standing = yield* RootLog.standingRoot(entry)
  const log = yield* RootLog.open(entry)
  const end = log?.end ?? revisionOf(yield* RootLog.endOf(entry))
  const isRootless = standing.version === 0 && log === undefined
  return { entry, standing, log, end, isRootless } satisfies KeptRoots
})

/** What is looked for: the ids that are open yet, and what a root says of them. */
export interface Search {
  readonly open: ReadonlySet<string>
  /** When the first of them was put. */
  readonly sinceMs: number
  readonly of: "chunks" | "pages"
  /** The first revision of the log that counts. */
  readonly fromRevision: number
}

const chunksIn = ({ windows }: CoveragePage): ReadonlyArray<ChunkRef> => windows.flatMap(({ chunks }) => chunks)

/** Marks what roots name of what is looked for. */
const makeMarker = Effect.fnUntraced(function* ({ series }: CatalogEntry, { of, open }: Search) {
  const store = yield* ChunkStore
  const left = new Set(open)
  let seen = new Set<string>()
  const take = (id: string): void => void left.delete(id)

  const lookInto = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    for (let at = 0; at < ids.length && left.size > 0; at += pagesAtOnce) {
      const pages = yield* store.pages(series, ids.slice(at, at + pagesAtOnce), { once: true })
      for (const { id } of pages.flatMap(chunksIn)) take(id)
      yield* Effect.yieldNow
    }
  })

  const mark = Effect.fnUntraced(function* ({ pages }: CoverageRoot) {
    const fresh = pages.map(({ id }) => id).filter((id) => !seen.has(id))
    if (seen.size + fresh.length > seenMax) seen = new Set()
    for (const id of fresh) seen.add(id)
    if (of === "chunks") yield* lookInto(fresh)
    else fresh.forEach(take)
    return left.size > 0
  })
  return { left, mark }
})

/** Each root of some entries of the log; fails where one can't be read that is a root. */
const wholeRoots = (entries: ReadonlyArray<LoggedRoot.LoggedRoot | StoreDamaged>) =>
  Effect.forEach(entries, (entry) =>
    entry instanceof StoreDamaged ? Effect.fail(entry) : Effect.fromResult(LoggedRoot.whole(entry))
  )

/** What of the ids is named by a root that counts. */
export const namedOf = Effect.fnUntraced(function* (kept: KeptRoots, search: Search) {
  const { end, entry, log, standing } = kept
  const { left, mark } = yield* makeMarker(entry, search)
  const go = (revisions: { readonly from: number; readonly to: number }) =>
    RootLog.follow(entry, revisions, (entries) =>
      Effect.gen(function* () {
        for (const root of yield* wholeRoots(entries)) if (!(yield* mark(root))) return false
        return true
      })
    )
  const isOpen = yield* mark(standing)
  if (isOpen && end > 0) {
    const from = search.fromRevision
    // what was put is named for the first time soon: only what is open then is looked for in what was before
    const near = log && (yield* RootLog.lastUpTo(log, "committedAt", search.sinceMs - namedWithinMs))
    const middle = Math.max(from, near?.revision ?? from)
    yield* go({ from: middle, to: end })
    if (left.size > 0) yield* go({ from, to: middle - 1 })
  }
  return new Set(Array.from(search.open).filter((id) => !left.has(id)))
})
