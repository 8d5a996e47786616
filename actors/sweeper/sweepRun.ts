/** How does a sweep go through the series, and what is told of it meanwhile? */
import { Effect, Result } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import type { SweepRun, SweepTally, SweeperState } from "../../protocol/messages/Sweep.ts"
import * as RootLog from "../sources/RootLog.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { nothing, plus } from "./planSweep.ts"
import { type Kind, type Reach, type Share, sweepSeries, type SweepTerms } from "./sweepSeries.ts"

/** Troubles that are told. */
const troublesMax = 10
const troubleLengthMax = 300

const noShare: Share = { kept: nothing, young: nothing, swept: nothing }

/** Nothing was looked at yet. */
export const noTally: SweepTally = { chunks: noShare, pages: noShare, roots: noShare }

/** The tally with one more share. */
export const added = (tally: SweepTally, kind: Kind, share: Share): SweepTally => {
  const { kept, swept, young } = tally[kind]
  const sum = { kept: plus(kept, share.kept), young: plus(young, share.young), swept: plus(swept, share.swept) }
  return { ...tally, [kind]: sum }
}

/** A run as it goes on. */
export interface Progress {
  run: SweepRun
  /** How far the streams were looked through: what lies before was looked at in every series. */
  reach: Readonly<Record<"chunks" | "pages", Reach>>
  isOver: boolean
  /** Whether there is something that it could not look at. */
  hasFailed: boolean
  /** Whether all of it is this progress's own, and nothing of it an earlier owner's. */
  readonly isOwn: boolean
}

/** A run that begins, or goes on where another host left it. */
export const begin = (run: SweepRun): Progress => {
  const none: Reach = { youngFrom: Infinity, lastRevision: 0 }
  return { run, reach: { chunks: none, pages: none }, isOver: false, hasFailed: false, isOwn: run.seriesDone === 0 }
}

const further = (a: Reach, b: Reach): Reach => ({
  youngFrom: Math.min(a.youngFrom, b.youngFrom),
  lastRevision: Math.max(a.lastRevision, b.lastRevision)
})

/** By which it is known that no series was added or left out. */
export const catalogOf = (entries: ReadonlyArray<CatalogEntry>): string =>
  sha256(JSON.stringify(entries.map(RootLog.keyOf).toSorted()))

const upTo = ({ lastRevision, youngFrom }: Reach): number => Math.min(youngFrom - 1, lastRevision)

/**
 * Up to where everything is named by roots that are kept for ever, when the run is over: nothing is known of that where
 * roots are not kept for ever, or where it did not look at all there is.
 */
export const sweptBy = (
  { hasFailed, isOwn, reach, run }: Progress,
  before: SweeperState["swept"],
  given: { readonly entries: ReadonlyArray<CatalogEntry>; readonly rootsMs: number }
): SweeperState["swept"] => {
  if (given.rootsMs !== Infinity) return null
  const isWhole = isOwn && !run.isDry && run.series === null && !hasFailed
  if (!isWhole) return before
  return { chunks: upTo(reach.chunks), pages: upTo(reach.pages), catalog: catalogOf(given.entries) }
}

const orderOf = (a: CatalogEntry, b: CatalogEntry): number => (RootLog.keyOf(a) < RootLog.keyOf(b) ? -1 : 1)

/** The series that a run is about, in the order in which it goes through them. */
export const wantedBy = ({ series }: Pick<SweepRun, "series">, all: ReadonlyArray<CatalogEntry>) =>
  all
    .filter(
      (entry) => series === null || (entry.series.nodeId === series.nodeId && entry.series.interval === series.interval)
    )
    .toSorted(orderOf)

const withTrouble = (run: SweepRun, trouble: string): SweepRun => ({
  ...run,
  troubles: [...run.troubles, trouble.slice(0, troubleLengthMax)].slice(0, troublesMax)
})

/** Ends a run that broke. */
export const fail = (progress: Progress, trouble: string): void => {
  progress.run = withTrouble(progress.run, trouble)
  progress.hasFailed = true
  progress.isOver = true
}

/** Goes through the series from the first that is not done; what can't be swept is told, and the others are. */
export const goOn = Effect.fnUntraced(function* (
  progress: Progress,
  entries: ReadonlyArray<CatalogEntry>,
  terms: SweepTerms
) {
  for (const entry of entries.slice(progress.run.seriesDone)) {
    const swept = yield* Effect.result(
      sweepSeries(entry, terms, (kind, share) => {
        progress.run = { ...progress.run, tally: added(progress.run.tally, kind, share) }
      })
    )
    if (Result.isSuccess(swept)) {
      const { chunks, pages } = swept.success
      progress.reach = { chunks: further(progress.reach.chunks, chunks), pages: further(progress.reach.pages, pages) }
    } else progress.hasFailed = true
    const { interval, nodeId } = entry.series
    const trouble = Result.isSuccess(swept) ? swept.success.trouble : swept.failure
    const { run } = progress
    const told = trouble === undefined ? run : withTrouble(run, `${nodeId} ${interval}: ${trouble.message}`)
    progress.run = { ...told, seriesDone: run.seriesDone + 1 }
  }
  progress.isOver = true
})
