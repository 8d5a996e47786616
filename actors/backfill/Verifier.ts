/**
 * How is what is stored compared with what its source gives now?
 *
 * The source is asked for the stored time of one window, under the budget of its account and behind everything else.
 * What its answer proves is compared; what it does not prove, or does not answer in time, says nothing about what is
 * stored. A repair commits what differs as a revision, unless the bars have been revised since. A source that is named
 * is asked about all that any has stored of the window: what it has not stored itself is extra, and a repair stores it
 * beside what others have.
 */
import { Clock, Effect, Layer } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { JobFailure } from "../../protocol/history/BackfillJob.ts"
import { type ChunkRef, emptyEntry } from "../../protocol/history/CoveragePage.ts"
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
import { storedRows } from "./storedRows.ts"

/** A source has so long, its turn in the budget included: an operator waits for the answer. */
const sourceWithinMs = 8000
/** More than a series has sources, as a rule: beyond that they would wait longer than an operator does. */
const sourcesAtOnce = 16

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
  { entry, view }: Pick<Looked, "entry" | "view">,
  source: AutoBackfiller,
  time: RangeSet.RangeSet
) {
  const upstream = yield* Upstream
  const store = yield* ChunkStore
  const nowMs = yield* Clock.currentTimeMillis
  const series = Subject.series(entry.series.nodeId, entry.series.interval)
  const wish = { source: source.name, series, jobClass: "verify", patienceMs: sourceWithinMs } as const
  const steps: Array<Step> = []
  const known = Effect.succeed({
    covered: RangeSet.empty,
    shut: Reach.untraded(entry),
    finalUntil: Reach.finalUntil(entry, nowMs),
    byBarsAlone: true
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

/** The window that is looked at. */
interface Looked {
  readonly entry: CatalogEntry
  readonly view: CoverageView
  readonly windowStart: number
  readonly generation: number
}

/** What is asked of one source: the time, and its chunk, where it has one. */
interface Asked {
  readonly source: string
  readonly time: RangeSet.RangeSet
  readonly chunk: ChunkRef | undefined
}

/**
 * Commits what differs: of time that the source had stored as a revision, and of other time as rows of its own, beside
 * those of others. Gives the version that has it.
 */
const repair = Effect.fnUntraced(function* (
  { entry, generation, windowStart }: Looked,
  { chunk, source }: Asked,
  { findings, proven, rows }: Given,
  {
    askedAtMs,
    cause,
    differing
  }: { readonly askedAtMs: number; readonly cause: string; readonly differing: RangeSet.RangeSet }
) {
  const before = chunk?.ranges ?? RangeSet.empty
  const kinds = [
    { isRevision: true, proven: RangeSet.intersect(proven, before) },
    { isRevision: false, proven: RangeSet.subtract(proven, before) }
  ].filter((kind) => !isEmpty(RangeSet.intersect(kind.proven, differing)))
  const upon = new Map([[windowStart, { generation, chunk }]])
  const brought = { entry, source, rows: [rows], findings, exceptions: [], upon, askedAtMs, jobs: new Map(), cause }
  const versions = yield* Effect.forEach(kinds, (kind) =>
    // nothing that is known of missing time changes by it
    commitRows({ ...brought, ...kind, answered: kind.isRevision ? kind.proven : RangeSet.empty })
  )
  return Math.max(0, ...versions)
})

/** Compares what one source has of the window; gives what was found, and how many bars were repaired, and when. */
const verifyPart = Effect.fnUntraced(function* ({ repairCause }: VerifyOrder, looked: Looked, asked: Asked) {
  const { entry, windowStart } = looked
  const { chunk, source: name, time } = asked
  const source = (yield* AutoBackfillers).get(name)
  const askedAtMs = yield* Clock.currentTimeMillis
  const forgotten = Reach.forgotten(source?.capabilities.retentionMs, entry.interval, askedAtMs)
  const given =
    source === undefined ? unknownSource(name) : yield* askAgain(looked, source, RangeSet.subtract(time, forgotten))
  const revision = mergeRevision(yield* storedRows(entry, windowStart, chunk), given.rows, given.proven)
  const part = toldOf(name, revision, {
    compared: given.proven,
    unproven: RangeSet.subtract(time, given.proven),
    failure: given.failure
  })
  const differing = timeOfRevised(revision, entry.interval.lengthMs)
  if (repairCause === undefined || isEmpty(differing)) return { part, repairedBars: 0, version: 0 }
  const version = yield* repair(looked, asked, given, { askedAtMs, cause: repairCause, differing })
  return { part, repairedBars: bars(differing, entry.interval.lengthMs), version }
})

/** What is asked of whom: each source about what it has stored; one that is named about all that any has. */
const askedIn = (
  { range, source: named }: VerifyOrder,
  covered: RangeSet.RangeSet,
  chunks: ReadonlyArray<ChunkRef>
): ReadonlyArray<Asked> => {
  const within = (ranges: RangeSet.RangeSet): RangeSet.RangeSet => RangeSet.clip(ranges, ...range)
  const all: ReadonlyArray<Asked> =
    named === undefined
      ? chunks.map((chunk) => ({ source: chunk.source, time: within(chunk.ranges), chunk }))
      : [{ source: named, time: within(covered), chunk: chunks.find(({ source }) => source === named) }]
  return all.filter(({ time }) => !isEmpty(time))
}

const verify = Effect.fnUntraced(function* (order: VerifyOrder) {
  const { interval, nodeId } = order.series
  const entry = yield* Effect.orDie((yield* SeriesCatalog).find(nodeId, interval))
  const view = yield* (yield* Coverage).of(entry.series, { fresh: true })
  const { covered, root } = view
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const windowStart = Window.windowStart(grid, order.range[0])
  const [{ chunks, generation } = emptyEntry(windowStart)] = yield* standingEntries(root, grid, [windowStart])
  // together: an operator waits no longer for two sources than for one
  const found = yield* Effect.forEach(
    askedIn(order, covered, chunks),
    (asked) => verifyPart(order, { entry, view, windowStart, generation }, asked),
    { concurrency: sourcesAtOnce }
  )
  return {
    windowStart,
    version: Math.max(root.version, ...found.map(({ version }) => version)),
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
