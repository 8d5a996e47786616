/**
 * How is one series rid of what nothing names any more?
 *
 * Claims go before bytes: first the roots that no longer count, the oldest first, then what none of those names that
 * are left. So whatever can be found has its bytes, also where a root could not be deleted, or counts again some day.
 *
 * In batches. Each lists names with their sequences, *then* reads the roots that are left, and then deletes by sequence
 * what none of them names. So what is put while it goes on is not listed, and what was listed and is put afresh has
 * another sequence.
 */
import { Clock, Effect, Result } from "effect"
import { StoreDamaged } from "../../protocol/history/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { NamesPage } from "../../runtime/HistoryPage.ts"
import { Mesh, type Named } from "../../runtime/Mesh.ts"
import * as RootLog from "../sources/RootLog.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import * as sweptMark from "../sources/sweptMark.ts"
import { namedOf, openKept } from "./keptRoots.ts"
import {
  type Amount,
  type Candidate,
  isOld,
  nothing,
  planSweep,
  plus,
  type SweepMoment,
  superseded
} from "./planSweep.ts"

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
  /** Whose order it is: nobody's where it is time, or an operator's, about all series or about this one by name. */
  readonly order: "none" | "all" | "one"
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

/** A series that is swept, by which terms, and when: all of it is judged by one moment. */
interface Sweep {
  readonly entry: CatalogEntry
  readonly terms: SweepTerms
  readonly moment: SweepMoment
  /** The first revision of the log that is left: where it is only counted, roots before it are as if they were gone. */
  readonly leftFrom: number
  /** Is told what became of each batch. */
  readonly onShare: (kind: Kind, share: Share) => void
}

const shelfOf = (entry: CatalogEntry, kind: Kind): Shelf => {
  const key = RootLog.keyOf(entry)
  if (kind === "chunks") return { stream: Stream.chunks.name, subject: Subject.allOf("chunks", key) }
  if (kind === "pages") return { stream: Stream.pages.name, subject: Subject.allOf("pages", key) }
  return { stream: Stream.audit.name, subject: Subject.audit(key) }
}

/**
 * Now, by the server's clock, which says when each name came, or by this host's where that is behind it: nothing is
 * taken for older than it is.
 */
const momentOf = Effect.fnUntraced(function* (entry: CatalogEntry, { ageMs }: SweepTerms) {
  const mesh = yield* Mesh
  const { stream, subject } = shelfOf(entry, "roots")
  const page = yield* mesh.names(stream, subject, { max: 1 })
  return { nowMs: Math.min(page.nowMs, yield* Clock.currentTimeMillis), ageMs } satisfies SweepMoment
})

const candidateOf = ({ atMs, bytes, revision, subject }: Named): Candidate => ({
  id: subject.slice(subject.lastIndexOf(".") + 1),
  revision,
  bytes,
  atMs
})

/** The next candidates of a shelf; what is too young is only counted. */
const listBatch = Effect.fnUntraced(function* ({ stream, subject }: Shelf, fromRevision: number, moment: SweepMoment) {
  const mesh = yield* Mesh
  const candidates: Array<Candidate> = []
  let young = nothing
  let reach: Reach = { youngFrom: Infinity, lastRevision: fromRevision - 1 }
  let next: number | undefined = fromRevision
  while (next !== undefined && candidates.length < candidatesMax) {
    const page: NamesPage<Named> = yield* mesh.names(stream, subject, { fromRevision: next })
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

const deleteAll = Effect.fnUntraced(function* (
  stream: string,
  deletions: ReadonlyArray<Candidate>,
  concurrency = deletionConcurrency
) {
  const mesh = yield* Mesh
  for (let at = 0; at < deletions.length; at += deletionsAtOnce) {
    const lot = deletions.slice(at, at + deletionsAtOnce)
    yield* Effect.forEach(lot, ({ revision }) => mesh.remove(stream, revision), { concurrency, discard: true })
    if (at + deletionsAtOnce < deletions.length) yield* Effect.sleep(rest)
  }
})

/** For how long a root has not stood any more that goes. */
const keptMs = ({ ageMs, graceMs, rootsMs }: SweepTerms): number => Math.max(rootsMs, ageMs) + graceMs

/** All of a series would go where nothing says any more what is named: that is for a person to say. */
const rootless = (entry: CatalogEntry) =>
  new StoreDamaged({
    key: RootLog.keyOf(entry),
    problem:
      "has no root, neither one that stands nor any in its history: what is stored stays, unless a sweep of " +
      "this one series is ordered (seamless sweep NODE INTERVAL)"
  })

/** What of the candidates a root names that is left; nothing is asked where there are none. None where nobody knows. */
const keptOf = Effect.fnUntraced(function* (
  sweep: Sweep,
  kind: "chunks" | "pages",
  candidates: ReadonlyArray<Candidate>
) {
  if (candidates.length === 0) return new Set<string>()
  const { entry, leftFrom, terms } = sweep
  const kept = yield* openKept(entry)
  if (kept.isRootless && terms.order !== "one") return undefined
  return yield* namedOf(kept, {
    of: kind,
    open: new Set(candidates.map(({ id }) => id)),
    sinceMs: Math.min(...candidates.map(({ atMs }) => atMs)),
    fromRevision: leftFrom
  })
})

const sweepShelf = Effect.fnUntraced(function* (sweep: Sweep, kind: "chunks" | "pages") {
  const { entry, moment, onShare, terms } = sweep
  const shelf = shelfOf(entry, kind)
  let reach: Reach = { youngFrom: Infinity, lastRevision: terms.from[kind] - 1 }
  let from: number | undefined = terms.from[kind]
  while (from !== undefined) {
    const batch: Batch = yield* listBatch(shelf, from, moment)
    // read when the names are listed: what is named by then is kept, and what is put from now on is not listed
    const named = yield* keptOf(sweep, kind, batch.candidates)
    // of none of them anything is known: whoever looks next begins with the first
    const youngFrom = batch.candidates[0]?.revision ?? Infinity
    if (named === undefined) return { ...reach, youngFrom: Math.min(reach.youngFrom, youngFrom), isRootless: true }
    const plan = planSweep(batch.candidates, named, moment)
    if (!terms.isDry) yield* deleteAll(shelf.stream, plan.deletions)
    onShare(kind, { kept: plan.kept, young: plus(plan.young, batch.young), swept: plan.swept })
    reach = {
      youngFrom: Math.min(reach.youngFrom, batch.reach.youngFrom),
      lastRevision: Math.max(reach.lastRevision, batch.reach.lastRevision)
    }
    from = batch.next
  }
  return { ...reach, isRootless: false }
})

/**
 * Deletes the roots before the oldest that counts, the oldest first, so that what is left has no gap. By itself it
 * looks at nothing where none may go. A root goes when another has stood for so long by what both clocks say: that of
 * the host that committed it, and the server's. Gives the first revision that is left.
 */
const sweepRoots = Effect.fnUntraced(function* ({ entry, moment, onShare, terms }: Sweep) {
  const shelf = shelfOf(entry, "roots")
  const log = yield* RootLog.open(entry)
  const ageMs = keptMs(terms)
  const oldest = log && (yield* RootLog.lastUpTo(log, "committedAt", moment.nowMs - ageMs))
  const until = terms.order === "none" ? (oldest?.revision ?? 0) : Infinity
  let leftFrom = 1
  if (until <= (log?.first.revision ?? 0)) return leftFrom
  let held: ReadonlyArray<Candidate> = []
  let from: number | undefined = 1
  while (from !== undefined && from <= until) {
    const batch: Batch = yield* listBatch(shelf, from, { ...moment, ageMs: -Infinity })
    const listed = superseded([...held, ...batch.candidates])
    // what took the place of the last is in the next batch
    held =
      batch.next === undefined
        ? []
        : batch.candidates.slice(-1).map((last) => ({ ...last, atMs: listed.at(-2)?.atMs ?? last.atMs }))
    const ours = listed.slice(0, listed.length - held.length)
    const counting = ours.filter(({ revision }) => revision >= (oldest?.revision ?? 0))
    const plan = planSweep(ours, new Set(counting.map(({ id }) => id)), { ...moment, ageMs })
    if (!terms.isDry && oldest !== undefined && plan.deletions.length > 0) {
      yield* sweptMark.note(entry, oldest)
      // one after another: whichever can't be deleted, those behind it stay
      yield* deleteAll(shelf.stream, plan.deletions, 1)
    }
    onShare("roots", plan)
    leftFrom = (plan.deletions.at(-1)?.revision ?? leftFrom - 1) + 1
    from = batch.next
  }
  return leftFrom
})

/** Goes through a series; gives how far its chunks and pages were looked through, and what a person has to look at. */
export const sweepSeries = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  terms: SweepTerms,
  onShare: Sweep["onShare"]
) {
  const all: Sweep = { entry, terms, onShare, moment: yield* momentOf(entry, terms), leftFrom: 1 }
  const roots = yield* Effect.result(sweepRoots(all))
  // also where roots could not be deleted: what they name stays, and what nobody has named goes
  const sweep = { ...all, leftFrom: terms.isDry ? Result.getOrElse(roots, () => 1) : 1 }
  const chunks = yield* sweepShelf(sweep, "chunks")
  const pages = yield* sweepShelf(sweep, "pages")
  yield* Effect.fromResult(roots)
  return { chunks, pages, trouble: chunks.isRootless || pages.isRootless ? rootless(entry) : undefined }
})
