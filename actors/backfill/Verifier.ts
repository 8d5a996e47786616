/**
 * How is what is stored compared with what its source gives now?
 *
 * The source is asked for the stored time of one window, under the budget of its account and behind everything else.
 * What its answer proves is compared; what it does not prove, or does not answer in time, says nothing about what is
 * stored. A repair commits what differs as a revision, upon whatever chunk stands by then.
 */
import { Clock, Effect, Layer } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { JobFailure } from "../../protocol/history/BackfillJob.ts"
import type { ChunkRef } from "../../protocol/history/CoveragePage.ts"
import { bars, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import { Upstream } from "../../protocol/messages/Upstream.ts"
import { Verifier, type VerifiedPart, type VerifyOrder } from "../../protocol/messages/Verify.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { mergeFrames, rowsIn } from "../conformance/mergeFrames.ts"
import { mergeRevision, type Revision } from "../conformance/mergeRevision.ts"
import { tellRevised, timeOfRevised } from "../conformance/tellRevised.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { type AutoBackfiller, AutoBackfillers, type Step } from "./AutoBackfiller.ts"
import { budgetGate } from "./budgetGate.ts"
import { commitRows } from "./commitRows.ts"
import { standingEntries } from "./standingEntries.ts"
import { storedBefore } from "./storedBefore.ts"

/** A source has so long, its turn in the budget included: an operator waits for the answer. */
const sourceWithinMs = 8000

/** What a source has given of some stored time. */
interface Given {
  readonly rows: Frame.Frame
  readonly proven: RangeSet.RangeSet
  readonly findings: Findings.Findings
  readonly failure: JobFailure | null
}

const late = (source: string): JobFailure => ({
  tag: "SourceUnavailable",
  message: `it gave no answer within ${sourceWithinMs} ms, its turn in the budget included`,
  source
})

/** Asks the source for the time, as far as it gets. */
const askAgain = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  source: AutoBackfiller,
  view: CoverageView,
  time: RangeSet.RangeSet
) {
  const upstream = yield* Upstream
  const store = yield* ChunkStore
  const nowMs = yield* Clock.currentTimeMillis
  const series = Subject.series(entry.series.nodeId, entry.series.interval)
  const wish = { source: source.name, series, jobClass: "verify", patienceMs: sourceWithinMs } as const
  const steps: Array<Step> = []
  const known = Effect.succeed({
    covered: view.covered,
    shut: RangeSet.empty,
    finalUntil: Reach.finalUntil(entry, nowMs)
  })
  const gate = budgetGate(upstream, () => wish)
  const rowsBefore = ([start]: Range) =>
    storedBefore({ entry, source: source.name, view }, start).pipe(Effect.provideService(ChunkStore, store))
  const work = { jobClass: wish.jobClass, cause: "verify" }
  const failure = yield* Effect.forEach(
    toPairs(time),
    (stretch) =>
      source.refill(
        { entry, stretch, known, before: rowsBefore(stretch), gate, work, onRequest: () => undefined },
        (step) => Effect.sync(() => void steps.push(step))
      ),
    { discard: true }
  ).pipe(
    Effect.as(null),
    Effect.catchTag("NoAnswer", ({ reason, source, tag }) =>
      Effect.succeed<JobFailure>({ tag, message: reason, source })
    ),
    Effect.timeoutOrElse({ duration: sourceWithinMs, orElse: () => Effect.succeed(late(source.name)) })
  )
  return {
    rows: mergeFrames([Frame.empty(entry.schema), ...steps.map(({ rows }) => rows)]),
    proven: RangeSet.intersect(RangeSet.unionAll(steps.map(({ proven }) => proven)), time),
    findings: Findings.unionAll(steps.map(({ findings }) => findings ?? Findings.none)),
    failure
  } satisfies Given
})

const toldOf = (
  source: string,
  { after, before, frame }: Revision,
  {
    compared,
    failure,
    unproven
  }: { readonly compared: RangeSet.RangeSet; readonly unproven: RangeSet.RangeSet } & Pick<Given, "failure">
): VerifiedPart => {
  const fresh = new Set(after.eventTimeMs)
  const changedBars = before.eventTimeMs.filter((time) => fresh.has(time)).length
  const rows = rowsIn(frame, compared).reduce((sum, part) => sum + Frame.length(part), 0)
  return {
    source,
    compared: toPairs(compared),
    sameBars: rows - Frame.length(after),
    changedBars,
    absentBars: Frame.length(before) - changedBars,
    extraBars: Frame.length(after) - changedBars,
    bars: tellRevised({ after, before }, source),
    unproven: toPairs(unproven),
    failure
  }
}

const unknownSource = (source: string): Given => ({
  rows: { eventTimeMs: new Float64Array(0), columns: [], flags: new Uint32Array(0), lineage: [] },
  proven: RangeSet.empty,
  findings: Findings.none,
  failure: { tag: "SourceUnavailable", message: "the configuration of this host has no such source", source }
})

/** Compares one source's chunk of the window; gives what was found, and how many bars were repaired, and when. */
const verifyChunk = Effect.fnUntraced(function* (
  { range, repairCause }: VerifyOrder,
  {
    entry,
    view,
    windowStart
  }: { readonly entry: CatalogEntry; readonly view: CoverageView; readonly windowStart: number },
  { id, ranges, source: name }: ChunkRef
) {
  const store = yield* ChunkStore
  const source = (yield* AutoBackfillers).get(name)
  const askedAtMs = yield* Clock.currentTimeMillis
  const forgotten = Reach.forgotten(source?.capabilities.retentionMs, entry.interval, askedAtMs)
  const time = RangeSet.subtract(RangeSet.clip(ranges, ...range), forgotten)
  const given = source === undefined ? unknownSource(name) : yield* askAgain(entry, source, view, time)
  const stored = (yield* store.chunks(entry.series, [{ windowStart, id }])).frames.get(id) ?? Frame.empty(entry.schema)
  const revision = mergeRevision(stored, given.rows, given.proven)
  const part = toldOf(name, revision, {
    compared: given.proven,
    unproven: RangeSet.subtract(RangeSet.clip(ranges, ...range), given.proven),
    failure: given.failure
  })
  const differing = timeOfRevised(revision, entry.interval.lengthMs)
  if (repairCause === undefined || isEmpty(differing)) return { part, repairedBars: 0, version: 0 }
  const version = yield* commitRows({
    entry,
    source: name,
    rows: given.rows,
    proven: given.proven,
    answered: given.proven,
    exceptions: [],
    findings: given.findings,
    isRevision: true,
    askedAtMs,
    jobs: new Map(),
    cause: repairCause
  })
  return { part, repairedBars: bars(differing, entry.interval.lengthMs), version }
})

const verify = Effect.fnUntraced(function* (order: VerifyOrder) {
  const { interval, nodeId } = order.series
  const entry = yield* Effect.orDie((yield* SeriesCatalog).find(nodeId, interval))
  const view = yield* (yield* Coverage).of(entry.series, { fresh: true })
  const grid = Window.makeGrid(entry.interval, view.root.windowBars)
  const windowStart = Window.windowStart(grid, order.range[0])
  const [standing] = yield* standingEntries(view.root, grid, [windowStart])
  const chunks = (standing?.chunks ?? []).filter(
    ({ ranges, source }) => (order.source ?? source) === source && !isEmpty(RangeSet.clip(ranges, ...order.range))
  )
  const found = yield* Effect.forEach(chunks, (chunk) => verifyChunk(order, { entry, view, windowStart }, chunk))
  return {
    windowStart,
    version: Math.max(view.root.version, ...found.map(({ version }) => version)),
    parts: found.map(({ part }) => part),
    repairedBars: found.reduce((sum, { repairedBars }) => sum + repairedBars, 0)
  }
})

type Services = Coverage | Upstream | ChunkStore | AutoBackfillers | SeriesCatalog

/** The verifier of this host. */
export const layer: Layer.Layer<Verifier, never, Services> = Layer.effect(
  Verifier,
  Effect.map(Effect.context<Services>(), (services) =>
    Verifier.of({ verify: (order) => Effect.provide(verify(order), services) })
  )
)
