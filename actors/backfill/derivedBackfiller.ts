/**
 * How is a stretch of time refilled that is rolled up from a finer series?
 *
 * The finer series is asked to have the time, as any reader asks; what it has is loaded and rolled up. A worker waits
 * for it no longer than a moment: the jobs below need workers, too, and may be behind this one. What is not there by
 * then is tried again a little later, while those jobs go on.
 */
import { Clock, type Context, Effect, Layer, Option } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import { type BackfillJob, isFinal } from "../../protocol/history/BackfillJob.ts"
import { urgentClasses } from "../../protocol/history/classShares.ts"
import { outward } from "../../protocol/history/alignRanges.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Backfill } from "../../protocol/messages/Backfill.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { demandedWindowsMax, followMessage } from "../../protocol/messages/Derived.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { type ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { traceParent } from "../../runtime/telemetry/Propagation.ts"
import { mergeStored } from "../conformance/mergeStored.ts"
import { type Proof, proveBars } from "../conformance/proveBars.ts"
import { rollUpBars } from "../conformance/rollUpBars.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import type { Capabilities } from "../sources/DataSource.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, derivedSource, SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { findingsIn, loadWindows } from "../sources/storedWindows.ts"
import { type AutoBackfiller, AutoBackfillers, NoAnswer, type Refill, type Step } from "./AutoBackfiller.ts"

/** How long a worker waits for the finer series. Readers have waited for it before they have this asked for. */
const waitMs = 250
/** How long until what was not there is looked for again, where nobody waits. */
const lookAgainMs = 5000
/** How long it may take until an actor answers: longer than it takes until another host has it. */
const askWithinMs = 10_000
/** Finer bars that are in memory at once. */
const loadedBarsMax = 100_000

/** Nothing leaves for the outside: what the finer series may be asked for is its own affair. */
const capabilities: Capabilities = {
  barsPerRequest: loadedBarsMax,
  maxEmptyBars: 0,
  finalityDelayMs: 0,
  attemptsMax: 1
}

type Services = Coverage | Backfill | ChunkStore | SeriesCatalog | ActorSystem

/** What the bars of a stretch are made of. */
interface Below {
  readonly finer: CatalogEntry
  readonly stretch: RangeSet.RangeSet
  readonly refill: Refill
}

const later = ({ entry, work }: Refill, reason: string, retryAfterMs = 0): NoAnswer =>
  new NoAnswer({
    tag: "SourceUnavailable",
    source: entry.sources[0] ?? "",
    reason,
    isLocal: true,
    retryAfterMs: Math.max(retryAfterMs, urgentClasses.includes(work.jobClass) ? 0 : lookAgainMs)
  })

const askFollow = ask(followMessage)

/** Has somebody follow the finer series from before it is read: no bar is made of what may change unseen. */
const follow = ({ refill }: Below) => {
  const { interval, nodeId } = refill.entry.series
  return askFollow(Subject.series(nodeId, interval), null).pipe(
    withBudget(askWithinMs),
    Effect.mapError(({ message }) => later(refill, `nobody follows what it is made of: ${message}`))
  )
}

/** What of the stretch the finer series could bring now. */
const askable = ({ finer, stretch }: Below, { covered, root }: CoverageView, nowMs: number): RangeSet.RangeSet =>
  Reach.askable(finer, RangeSet.subtract(stretch, covered), root.exceptions, nowMs)

/** Asks the finer series to have the time, and waits a moment for it; gives the jobs as they are then. */
const demand = Effect.fnUntraced(function* (below: Below, ranges: RangeSet.RangeSet) {
  const coverage = yield* Coverage
  const backfill = yield* Backfill
  const { finer, refill } = below
  const { series, sources } = finer
  const request = { series, ranges, sources, ...refill.work, traceParent: yield* traceParent }
  const { jobs } = yield* coverage.ensure(request).pipe(
    withBudget(askWithinMs),
    Effect.mapError(({ message }) => later(refill, `its ${series.interval} bars could not be asked for: ${message}`))
  )
  const settled = yield* Effect.timeoutOption(backfill.settled(jobs), waitMs)
  return Option.getOrElse(settled, () => jobs)
})

/** Why bars could not be made yet: what keeps the finer ones away, or that they are under way. */
const reasonFor = ({ finer, refill }: Below, jobs: ReadonlyArray<BackfillJob>, nowMs: number): NoAnswer => {
  const bars = `its ${finer.series.interval} bars`
  const failed = jobs.flatMap(({ failure, nextAttemptAt, state }) =>
    failure === null || state === "SUCCEEDED" ? [] : [{ ...failure, inMs: (nextAttemptAt ?? nowMs) - nowMs }]
  )
  const [first] = failed.toSorted((a, b) => a.inMs - b.inMs)
  if (first === undefined || !jobs.every(isFinal)) return later(refill, `${bars} are being filled`)
  return later(refill, `${bars}: ${first.source}: ${first.message}`, first.inMs)
}

/** What can be made of what the finer series has, and what is known of the rest. */
const prove = ({ finer, refill, stretch }: Below, { covered, root }: CoverageView, nowMs: number): Proof => {
  const { interval } = finer.series
  const untraded = RangeSet.intersect(Reach.untraded(finer), stretch)
  const known = RangeSet.union(RangeSet.intersect(covered, stretch), untraded)
  const missing = Reach.classify(finer, RangeSet.subtract(stretch, known), root.exceptions, nowMs)
  return proveBars(stretch, refill.entry.interval, { covered: known, missing, interval }, nowMs)
}

/** Proven time in parts of which the finer bars have room in memory. */
const partsOf = (proven: RangeSet.RangeSet, { finer, refill }: Below): ReadonlyArray<Range> => {
  const { lengthMs } = refill.entry.interval
  const ratio = lengthMs / finer.interval.lengthMs
  const partMs = Math.max(1, Math.floor(loadedBarsMax / ratio)) * lengthMs
  return toPairs(proven).flatMap(([start, end]) =>
    Array.from({ length: Math.ceil((end - start) / partMs) }, (_, part): Range => {
      const from = start + part * partMs
      return [from, Math.min(end, from + partMs)]
    })
  )
}

/** The bars of proven time, signed as rolled up now; and what was found in any of the rows that they are made of. */
const barsOf = Effect.fnUntraced(function* ({ finer, refill }: Below, view: CoverageView, [start, end]: Range) {
  const { entry } = refill
  const empty = Frame.empty(finer.schema)
  const { windows } = yield* loadWindows(
    { entry: finer, sources: finer.sources },
    view,
    RangeSet.clip(view.covered, start, end)
  )
  const merged = windows.map(({ ranges, rows }) => mergeStored(rows, ranges, empty, finer))
  const below = Frame.concat([empty, ...merged.map(({ frame }) => frame)])
  const bars = rollUpBars(below, entry.interval, finer.schema.fields)
  const rows = Frame.length(bars)
  const origin = { source: entry.sources[0] ?? "", ingestAtMs: yield* Clock.currentTimeMillis, jobId: "" }
  const found = Findings.unionAll(windows.map((window, index) => findingsIn(window, merged[index]!.contributions)))
  return {
    rows: { ...bars, lineage: rows === 0 ? [] : [{ rows, ...origin }] },
    findings: Findings.make(
      Object.entries(found).map(([rule, ranges]) => [rule, outward(ranges, entry.interval)] as const)
    )
  }
})

/** Makes the bars that can be made, and says what is known of the others; fails where some are still to come. */
const rollUp = Effect.fnUntraced(function* <E, R>(refill: Refill, onStep: (step: Step) => Effect.Effect<void, E, R>) {
  const coverage = yield* Coverage
  const { entry, stretch } = refill
  const { nodeId } = entry.series
  const finer = yield* Effect.orDie((yield* SeriesCatalog).find(nodeId, entry.derivedFrom ?? ""))
  const below: Below = { finer, refill, stretch: RangeSet.of(...stretch) }
  yield* follow(below)
  let view = yield* coverage.of(finer.series, { fresh: true })
  const wanted = askable(below, view, yield* Clock.currentTimeMillis)
  let jobs: ReadonlyArray<BackfillJob> = []
  if (!isEmpty(wanted)) {
    const finerGrid = Window.makeGrid(finer.interval, view.root.windowBars)
    jobs = yield* demand(below, Window.firstOf(finerGrid, wanted, demandedWindowsMax))
    view = yield* coverage.of(finer.series, { fresh: true })
  }
  const nowMs = yield* Clock.currentTimeMillis
  const { exceptions, pending, proven } = prove(below, view, nowMs)
  let done = RangeSet.empty
  for (const part of partsOf(proven, below)) {
    done = RangeSet.union(done, RangeSet.of(...part))
    yield* onStep({ ...(yield* barsOf(below, view, part)), proven: done, answered: done })
  }
  if (exceptions.length > 0) {
    const answered = RangeSet.union(done, MissingRange.timeOf(exceptions))
    yield* onStep({ rows: Frame.empty(entry.schema), proven: done, answered, exceptions })
  }
  if (!isEmpty(pending)) return yield* reasonFor(below, jobs, nowMs)
})

/** Whoever rolls up bars of that interval. */
const derivedBackfiller = (finer: string, services: Context.Context<Services>): AutoBackfiller => ({
  name: derivedSource(finer),
  capabilities,
  refill: <E, R>(refill: Refill, onStep: (step: Step) => Effect.Effect<void, E, R>) =>
    Effect.flatMap(Effect.context<R>(), (own) =>
      Effect.provide(
        rollUp(refill, (step) => Effect.provide(onStep(step), own)),
        services
      )
    )
})

/** The intervals that other series of a configuration are rolled up from. */
const finerIntervals = ({ series }: Configuration): ReadonlyArray<string> => [
  ...new Set(
    series.flatMap(({ derivedFrom = "" }) =>
      Option.toArray(Option.map(Interval.parse(derivedFrom), ({ text }) => text))
    )
  )
]

/** The backfillers that there are, and those of the series that are derived. */
export const layer = (configuration: Configuration): Layer.Layer<AutoBackfillers, never, AutoBackfillers | Services> =>
  Layer.effect(
    AutoBackfillers,
    Effect.gen(function* () {
      const services = yield* Effect.context<Services>()
      const derived = finerIntervals(configuration).map((finer) => derivedBackfiller(finer, services))
      return new Map([...(yield* AutoBackfillers), ...derived.map((each) => [each.name, each] as const)])
    })
  )
