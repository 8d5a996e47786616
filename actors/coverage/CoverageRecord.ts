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
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { Commit, Committed, StaleCommit } from "../../protocol/messages/Coverage.ts"
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
  readonly root: () => CoverageRoot
  readonly covered: () => RangeSet
  /** The grid of what is stored, whatever the configuration says by now. */
  readonly grid: Window.Grid
  /** The generation of each of the windows, by its start. */
  readonly generations: (windowStarts: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, number>, Stopped>
  /** Fails where the root does not stand any more: what this activation believes covered may not be. */
  readonly checkStanding: Effect.Effect<void, Fenced | MeshUnavailable>
  readonly commit: (message: Commit) => Effect.Effect<Committed, StaleCommit | Stopped>
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
  given: { readonly key: string; readonly covered: RangeSet }
) {
  const root = state.current()
  const audited = { version: audit.version(), entry: audit.found }
  const judgement = judgeHistory(root, audited)
  const details = { series: given.key, version: root.version, audited: audited.version }
  yield* Invariants.check("auditContinues", judgement !== "broken", () => details)
  if (judgement !== "rolledBack") return
  const raised = raiseVersion(root, audited, { ...given, nowMs: yield* Clock.currentTimeMillis })
  yield* Invariants.check("storageKept", false, () => ({
    ...details,
    alarm: "StorageRolledBack",
    goesOnAs: raised.version
  }))
  yield* state.save(raised)
})

const checkStanding = (state: ActorState.ActorState<CoverageRoot>, { address }: Activation) =>
  Effect.gen(function* () {
    if (!(yield* state.stands)) return yield* new Fenced({ key: address.key, epoch: state.epoch })
  })

/** Takes over the coverage of a series. */
export const open = Effect.fnUntraced(function* (entry: CatalogEntry, activation: Activation) {
  const store = yield* ChunkStore
  const state = yield* openState(entry, activation)
  const audit = yield* AuditLog.open(Subject.audit(activation.address.key), Stream.audit.name)
  const grid = Window.makeGrid(entry.interval, state.current().windowBars)

  const loadPages = Effect.fnUntraced(function* (indexes: ReadonlySet<number> | "all") {
    const wanted = state.current().pages.filter(({ index }) => indexes === "all" || indexes.has(index))
    const pages = yield* store.pages(
      entry.series,
      wanted.map(({ id }) => id)
    )
    return new Map<number, CoveragePage>(pages.map((page) => [page.index, page]))
  }, Effect.mapError(unreadable))

  const auditRoot = Effect.suspend(() => {
    const root = state.current()
    return root.version === 0 ? Effect.void : audit.append(root.version, CoverageRoot, root)
  })

  let covered = state.current().covered
  if (state.current().coveredInPagesBefore !== null) {
    covered = InlineCoverage.whole(state.current(), Array.from((yield* loadPages("all")).values()))
  }
  yield* continueHistory(state, audit, { key: activation.address.key, covered })
  yield* auditRoot

  const generations = Effect.fnUntraced(function* (windowStarts: ReadonlyArray<number>) {
    const pages = yield* loadPages(new Set(windowStarts.map((start) => Window.pageIndex(grid, start))))
    return new Map(
      windowStarts.map((start) => [start, entryOf(pages.get(Window.pageIndex(grid, start)), start).generation])
    )
  })

  const commit = Effect.fn(Span.coverageCommit)(function* (message: Commit) {
    yield* auditRoot
    const touched = new Set(message.windows.map(({ windowStart }) => Window.pageIndex(grid, windowStart)))
    const before = { root: state.current(), covered, pages: yield* loadPages(touched) }
    const step = Coverage.commit(before, message, { grid, nowMs: yield* Clock.currentTimeMillis })
    if (Result.isFailure(step)) return yield* step.failure
    if (!step.success.changed) return { version: before.root.version }
    const narrowed = Coverage.narrowed(before, message, grid)
    yield* Invariants.check("coverageKept", narrowed.length === 0, () => ({
      series: activation.address.key,
      source: message.source,
      jobs: message.jobs,
      windows: narrowed
    }))
    const stored = yield* Effect.forEach(step.success.pages, (page) =>
      Effect.map(store.putPage(entry.series, page), (id) => ({ index: page.index, id }))
    )
    yield* state.save(Coverage.withPages(step.success.state.root, stored))
    covered = step.success.state.covered
    yield* auditRoot
    return { version: state.current().version }
  })

  return {
    root: state.current,
    covered: () => covered,
    grid,
    generations,
    checkStanding: checkStanding(state, activation),
    commit
  } satisfies CoverageRecord
})
