/**
 * How is the coverage of a series saved, and how does it leave its trace?
 *
 * Pages first, then the root by compare-and-set, then the root into the audit stream. The history of roots has no gap:
 * before there is another root, the one that stands is in it.
 */
import { Clock, Effect, Result } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { type CoveragePage, entryOf } from "../../protocol/history/CoveragePage.ts"
import { CoverageRoot, initial } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { Commit, Committed, StaleCommit } from "../../protocol/messages/Coverage.ts"
import type { Invalidated } from "../../protocol/messages/Operate.ts"
import { Fenced, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { Activation, Stopped } from "../../runtime/Actor.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import * as AuditLog from "../../runtime/AuditLog.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import * as Coverage from "./Coverage.ts"
import { judgeHistory, raiseVersion } from "./judgeHistory.ts"

/** The coverage of a series in the hands of its one activation. */
export interface CoverageRecord {
  /** What is configured of the series. */
  readonly entry: CatalogEntry
  readonly root: () => CoverageRoot
  readonly covered: () => RangeSet.RangeSet
  /** The grid of what is stored, whatever the configuration says by now. */
  readonly grid: Window.Grid
  /** The generation of each of the windows, by its start. */
  readonly generations: (windowStarts: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, number>, Stopped>
  /** Fails where the root does not stand any more: what this activation believes covered may not be. */
  readonly checkStanding: Effect.Effect<void, Fenced | MeshUnavailable>
  /**
   * Writes the root once more as it is: no version, and nothing in the audit stream. Whoever owns the series no longer
   * fails at it, so what it gives stood when it was written.
   */
  readonly confirm: Effect.Effect<Committed, Stopped>
  readonly commit: (message: Commit) => Effect.Effect<Committed, StaleCommit | Stopped>
  /** Makes one change of the root of commits that came together; gives what became of each. */
  readonly commitAll: (
    messages: ReadonlyArray<Commit>
  ) => Effect.Effect<ReadonlyArray<Result.Result<Committed, StaleCommit>>, Stopped>
  /** Makes a version of what an operator says of time that is not covered. */
  readonly note: (word: Coverage.Word) => Effect.Effect<Committed, Stopped>
  /** Takes time out of the coverage, and raises the generation of these windows and of those that had some of it. */
  readonly invalidate: (
    ranges: RangeSet.RangeSet,
    windows: ReadonlyArray<number>,
    why: { readonly cause: string; readonly source?: string }
  ) => Effect.Effect<Invalidated, Stopped>
}

// what is named and can't be read stops the activation: to go on would be to forget it
const unreadable = (error: { readonly message: string }) =>
  new MeshUnavailable({ operation: "read pages", reason: error.message })

const openState = (entry: CatalogEntry, { address, owner, slot, slotEpoch }: Activation) =>
  ActorState.open({
    bucket: Stream.coverage,
    key: address.key,
    slot,
    slotEpoch,
    owner,
    form: CoverageRoot,
    initial: initial(entry.series, { windowBars: entry.grid.windowBars, schemaVersion: entry.schema.version })
  })

/** Goes on where the audit stream says that it stood, with a version that none had before where roots are lost. */
const continueHistory = Effect.fnUntraced(function* (
  state: ActorState.ActorState<CoverageRoot>,
  audit: AuditLog.AuditLog,
  given: {
    readonly key: string
    readonly covered: RangeSet.RangeSet
    readonly auditRoot: Effect.Effect<boolean, Stopped>
  }
) {
  const root = state.current()
  const audited = { version: audit.version(), entry: audit.found }
  const judgement = judgeHistory(root, audited)
  const details = { series: given.key, version: root.version, audited: audited.version }
  // what was read may be old: only where nothing stands behind it is the root appended to it
  const isBroken = judgement === "broken" && (yield* given.auditRoot)
  yield* Invariants.check("auditContinues", !isBroken, () => details)
  if (judgement !== "rolledBack") return
  const { covered } = given
  const raised = raiseVersion(root, audited, { covered, nowMs: yield* Clock.currentTimeMillis })
  // nobody who has been followed by another meanwhile gets by here: to that one's entries nothing was lost
  yield* state.save(raised)
  yield* Invariants.check("storageKept", false, () => ({
    ...details,
    alarm: "StorageRolledBack",
    goesOnAs: raised.version
  }))
})

const checkStanding = (state: ActorState.ActorState<CoverageRoot>, { address }: Activation) =>
  Effect.gen(function* () {
    if (!(yield* state.stands)) return yield* new Fenced({ key: address.key, epoch: state.epoch })
  })

/** The pages of the root that stands. */
const pageLoader =
  (entry: CatalogEntry, store: ChunkStore["Service"], state: ActorState.ActorState<CoverageRoot>) =>
  (indexes: ReadonlySet<number> | "all") => {
    const wanted = state.current().pages.filter(({ index }) => indexes === "all" || indexes.has(index))
    return store
      .pages(
        entry.series,
        wanted.map(({ id }) => id)
      )
      .pipe(
        Effect.map((pages) => new Map<number, CoveragePage>(pages.map((page) => [page.index, page]))),
        Effect.mapError(unreadable)
      )
  }

/** What changes of a record rest on. */
interface Ground {
  readonly key: string
  readonly grid: Window.Grid
  readonly schemaVersion: number
  /** What stands, with the pages of these windows. */
  readonly standing: (windows: ReadonlyArray<number>) => Effect.Effect<Coverage.State, Stopped>
  readonly save: (step: Coverage.Step) => Effect.Effect<Committed, Stopped>
  readonly checkStanding: CoverageRecord["checkStanding"]
}

/** The ways to change a record. */
const changesOf = ({ checkStanding, grid, key, save, schemaVersion, standing }: Ground) => {
  const place = Effect.map(Clock.currentTimeMillis, (nowMs) => ({ grid, nowMs, schemaVersion }))

  const checkKept = (before: Coverage.State, messages: ReadonlyArray<Commit>) =>
    Effect.forEach(messages, (message) => {
      const narrowed = Coverage.narrowed(before, message, grid)
      return Invariants.check("coverageKept", narrowed.length === 0, () => ({
        series: key,
        source: message.source,
        jobs: message.jobs,
        windows: narrowed
      }))
    })

  const commitAll = Effect.fn(Span.coverageCommit)(function* (messages: ReadonlyArray<Commit>) {
    const before = yield* standing(messages.flatMap(({ windows }) => windows.map(({ windowStart }) => windowStart)))
    const step = Coverage.commitAll(before, messages, yield* place)
    yield* checkKept(
      before,
      messages.filter((_, index) => step.refused[index] === undefined)
    )
    const { version } = step.changed ? yield* save(step) : before.root
    // who planned upon something else is late, or knows better: storage may have been rolled back
    if (!step.changed && step.refused.some((stale) => stale !== undefined)) yield* checkStanding
    return step.refused.map((stale) => (stale === undefined ? Result.succeed({ version }) : Result.fail(stale)))
  })

  const note = Effect.fnUntraced(function* (word: Coverage.Word) {
    return yield* save(Coverage.note(yield* standing([]), word, yield* place))
  })

  const invalidate = Effect.fn(Span.coverageCommit)(function* (
    ranges: RangeSet.RangeSet,
    windows: ReadonlyArray<number>,
    { cause, ...by }: { readonly cause: string; readonly source?: string }
  ) {
    const { covered } = yield* standing([])
    const removed = RangeSet.intersect(covered, ranges)
    const touched = new Set([...windows, ...Window.split(grid, removed).map(({ windowStart }) => windowStart)])
    const before = yield* standing(Array.from(touched))
    const step = Coverage.invalidate(before, { ranges, windows: Array.from(touched), ...by }, cause, yield* place)
    return { ...(yield* save(step)), removed }
  })

  return { commitAll, note, invalidate }
}

/** Takes over the coverage of a series. */
export const open = Effect.fnUntraced(function* (entry: CatalogEntry, activation: Activation) {
  const store = yield* ChunkStore
  const state = yield* openState(entry, activation)
  const audit = yield* AuditLog.open(Subject.audit(activation.address.key), Stream.audit.name)
  const grid = Window.makeGrid(entry.interval, state.current().windowBars)

  const loadPages = pageLoader(entry, store, state)

  const auditRoot = Effect.suspend(() => {
    const root = state.current()
    return root.version === 0 ? Effect.succeed(false) : audit.append(root.version, CoverageRoot, root)
  })

  let covered = state.current().covered
  if (state.current().coveredInPagesBefore !== null) {
    covered = InlineCoverage.whole(state.current(), Array.from((yield* loadPages("all")).values()))
  }
  yield* continueHistory(state, audit, { key: activation.address.key, covered, auditRoot })
  yield* auditRoot

  const generations = Effect.fnUntraced(function* (windowStarts: ReadonlyArray<number>) {
    const pages = yield* loadPages(new Set(windowStarts.map((start) => Window.pageIndex(grid, start))))
    return new Map(
      windowStarts.map((start) => [start, entryOf(pages.get(Window.pageIndex(grid, start)), start).generation])
    )
  })

  const standing = Effect.fnUntraced(function* (windows: ReadonlyArray<number>) {
    yield* auditRoot
    const touched = new Set(windows.map((windowStart) => Window.pageIndex(grid, windowStart)))
    return { root: state.current(), covered, pages: yield* loadPages(touched) }
  })

  const save = Effect.fnUntraced(function* (step: Coverage.Step) {
    const stored = yield* Effect.forEach(step.pages, (page) =>
      Effect.map(store.putPage(entry.series, page), (id) => ({ index: page.index, id }))
    )
    yield* state.save(Coverage.withPages(step.state.root, stored))
    covered = step.state.covered
    yield* auditRoot
    return { version: state.current().version }
  })

  const checkRoot = checkStanding(state, activation)
  const changes = changesOf({
    key: activation.address.key,
    grid,
    schemaVersion: entry.schema.version,
    standing,
    save,
    checkStanding: checkRoot
  })
  return {
    entry,
    root: state.current,
    covered: () => covered,
    grid,
    generations,
    checkStanding: checkRoot,
    confirm: Effect.suspend(() => {
      const root = state.current()
      return Effect.as(state.save(root), { version: root.version })
    }),
    commit: (message) => Effect.flatMap(changes.commitAll([message]), ([only]) => Effect.fromResult(only!)),
    ...changes
  } satisfies CoverageRecord
})
