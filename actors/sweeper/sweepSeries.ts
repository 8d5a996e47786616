/**
 * How is one series rid of what nothing names any more?
 *
 * In batches. Each lists names with their sequences, *then* reads the roots that are kept, and then deletes by sequence
 * what none of them names. So what is put while it goes on is not listed, and what was listed and is put afresh has
 * another sequence. Roots that no longer count go last, the oldest first.
 */
import { Clock, Effect } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { HistoryPage } from "../../runtime/HistoryPage.ts"
import { Mesh, type Named } from "../../runtime/Mesh.ts"
import * as RootLog from "../sources/RootLog.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { type KeptRoots, namedOf, openKept } from "./keptRoots.ts"
import { type Amount, type Candidate, isOld, nothing, planSweep, plus } from "./planSweep.ts"

/** Candidates of one batch: their names take some 15 MB, and all kept roots are gone through once for them. */
const candidatesMax = 50_000
/** Deletions between two rests; so the streams serve others in between. */
const deletionsAtOnce = 100
const deletionConcurrency = 8
const rest = "20 millis"

/** What is swept. */
export type Kind = "chunks" | "pages" | "roots"

/** How a sweep goes about it. */
export interface SweepTerms {
  /** Whether it only counts. */
  readonly isDry: boolean
  /** How long a root counts that no longer stands. */
  readonly rootsMs: number
  /** How long it stays beyond that: who has found it in time is done with its chunks by then. */
  readonly graceMs: number
  /** How old has to be what is deleted. */
  readonly ageMs: number
  /** Where to begin: what was put before is known to be named. */
  readonly from: Readonly<Record<"chunks" | "pages", number>>
}

/** What was made of what was looked at. */
export interface Share {
  readonly kept: Amount
  readonly young: Amount
  readonly swept: Amount
}

/** How far a stream was looked through: the first that was too young, and the last that was there. */
export interface Reach {
  readonly youngFrom: number
  readonly lastRevision: number
}

interface Batch {
  readonly candidates: ReadonlyArray<Candidate>
  readonly young: Amount
  readonly reach: Reach
  /** Where the next one begins; undefined behind the last. */
  readonly next: number | undefined
}

interface Shelf {
  readonly stream: string
  readonly subject: string
}

const shelfOf = (entry: CatalogEntry, kind: Kind): Shelf => {
  const key = RootLog.keyOf(entry)
  if (kind === "chunks") return { stream: Stream.chunks.name, subject: Subject.allOf("chunks", key) }
  if (kind === "pages") return { stream: Stream.pages.name, subject: Subject.allOf("pages", key) }
  return { stream: Stream.audit.name, subject: Subject.audit(key) }
}

const candidateOf = ({ atMs, bytes, revision, subject }: Named): Candidate => ({
  id: subject.slice(subject.lastIndexOf(".") + 1),
  revision,
  bytes,
  atMs
})

/** The next candidates of a shelf; what is too young is only counted. */
const listBatch = Effect.fnUntraced(function* ({ stream, subject }: Shelf, fromRevision: number, ageMs: number) {
  const mesh = yield* Mesh
  const moment = { nowMs: yield* Clock.currentTimeMillis, ageMs }
  const candidates: Array<Candidate> = []
  let young = nothing
  let reach: Reach = { youngFrom: Infinity, lastRevision: fromRevision - 1 }
  let next: number | undefined = fromRevision
  while (next !== undefined && candidates.length < candidatesMax) {
    const page: HistoryPage<Named> = yield* mesh.names(stream, subject, { fromRevision: next })
    for (const named of page.entries) {
      const candidate = candidateOf(named)
      if (isOld(candidate, moment)) candidates.push(candidate)
      else {
        young = plus(young, { count: 1, bytes: candidate.bytes })
        reach = { ...reach, youngFrom: Math.min(reach.youngFrom, candidate.revision) }
      }
    }
    reach = { ...reach, lastRevision: page.entries.at(-1)?.revision ?? reach.lastRevision }
    next = page.isLast ? undefined : reach.lastRevision + 1
  }
  return { candidates, young, reach, next } satisfies Batch
})

const deleteAll = Effect.fnUntraced(function* (stream: string, deletions: ReadonlyArray<Candidate>) {
  const mesh = yield* Mesh
  for (let at = 0; at < deletions.length; at += deletionsAtOnce) {
    const lot = deletions.slice(at, at + deletionsAtOnce)
    yield* Effect.forEach(lot, ({ revision }) => mesh.remove(stream, revision), {
      concurrency: deletionConcurrency,
      discard: true
    })
    if (at + deletionsAtOnce < deletions.length) yield* Effect.sleep(rest)
  }
})

/** When what is kept has to have stood. */
const keptSince = (terms: SweepTerms) =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => nowMs - Math.max(terms.rootsMs, terms.ageMs) - terms.graceMs)

const namedIn = (kept: KeptRoots, kind: "chunks" | "pages", candidates: ReadonlyArray<Candidate>) =>
  candidates.length === 0
    ? Effect.succeed(new Set<string>())
    : namedOf(kept, {
        of: kind,
        open: new Set(candidates.map(({ id }) => id)),
        sinceMs: Math.min(...candidates.map(({ atMs }) => atMs))
      })

/** Is told what became of each batch. */
type OnShare = (kind: Kind, share: Share) => void

const sweepShelf = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  kind: "chunks" | "pages",
  terms: SweepTerms,
  onShare: OnShare
) {
  const shelf = shelfOf(entry, kind)
  let reach: Reach = { youngFrom: Infinity, lastRevision: terms.from[kind] - 1 }
  let from: number | undefined = terms.from[kind]
  while (from !== undefined) {
    const batch: Batch = yield* listBatch(shelf, from, terms.ageMs)
    // read when the names are listed: what is named by then is kept, and what is put from now on is not listed
    const kept = yield* openKept(entry, yield* keptSince(terms))
    const named = yield* namedIn(kept, kind, batch.candidates)
    const moment = { nowMs: yield* Clock.currentTimeMillis, ageMs: terms.ageMs }
    const plan = planSweep(batch.candidates, named, moment)
    if (!terms.isDry) yield* deleteAll(shelf.stream, plan.deletions)
    onShare(kind, { kept: plan.kept, young: plus(plan.young, batch.young), swept: plan.swept })
    reach = {
      youngFrom: Math.min(reach.youngFrom, batch.reach.youngFrom),
      lastRevision: Math.max(reach.lastRevision, batch.reach.lastRevision)
    }
    from = batch.next
  }
  return reach
})

/** Deletes the roots before the oldest that is kept, the oldest first, so that what is left has no gap. */
const sweepRoots = Effect.fnUntraced(function* (entry: CatalogEntry, terms: SweepTerms, onShare: OnShare) {
  const shelf = shelfOf(entry, "roots")
  const { oldest } = yield* openKept(entry, yield* keptSince(terms))
  let from: number | undefined = 1
  while (from !== undefined) {
    const batch: Batch = yield* listBatch(shelf, from, terms.ageMs)
    const moment = { nowMs: yield* Clock.currentTimeMillis, ageMs: terms.ageMs }
    const ours = batch.candidates.map((candidate) => ({ ...candidate, id: String(candidate.revision) }))
    const counting = ours.filter(({ revision }) => revision >= (oldest?.revision ?? 0))
    const plan = planSweep(ours, new Set(counting.map(({ id }) => id)), moment)
    if (!terms.isDry) yield* deleteAll(shelf.stream, plan.deletions)
    onShare("roots", { kept: plan.kept, young: plus(plan.young, batch.young), swept: plan.swept })
    from = batch.next
  }
})

/** Goes through a series; gives how far its chunks and pages were looked through. */
export const sweepSeries = Effect.fnUntraced(function* (entry: CatalogEntry, terms: SweepTerms, onShare: OnShare) {
  const chunks = yield* sweepShelf(entry, "chunks", terms, onShare)
  const pages = yield* sweepShelf(entry, "pages", terms, onShare)
  yield* sweepRoots(entry, terms, onShare)
  return { chunks, pages }
})
