/**
 * Is what a commit changes what it says, and nothing else?
 *
 * The pure step against a set of bars: stale commits, repeats, several sources, and answers without rows.
 */
import * as fc from "fast-check"
import { Effect, Result } from "effect"
import { assert } from "vitest"
import * as Coverage from "../../../actors/coverage/Coverage.ts"
import { entryOf, withEntry } from "../../../protocol/history/CoveragePage.ts"
import { initial, rootHash } from "../../../protocol/history/CoverageRoot.ts"
import * as MissingRange from "../../../protocol/history/MissingRange.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import type { Commit } from "../../../protocol/messages/Coverage.ts"
import { series } from "../../support/jobs.ts"
import * as Model from "../../support/models/CoverageModel.ts"
import {
  drawCommit,
  messageOf,
  planCommit,
  rangesOf,
  type Scale,
  shown,
  windows
} from "../../support/models/drawCommit.ts"
import { type Move, modelLaw } from "../../support/models/modelLaw.ts"

const scale: Scale = { series, barMs: 1, windowBars: 12 }
const grid: Window.Grid = { intervalMs: 1, anchorMs: 0, windowBars: scale.windowBars }
const at = { grid, nowMs: 1000 }

interface Real {
  state: Coverage.State
}

type CoverageMove = Move<Model.CoverageModel, Real>

/** What is known of each bar that is not covered, bar by bar. */
const exceptionsIn = ({ covered, root }: Coverage.State): ReadonlyMap<number, string> =>
  new Map(
    MissingRange.without(root.exceptions, covered).flatMap(({ end, start, state }) =>
      Array.from({ length: end - start }, (_, bar) => [start + bar, state] as const)
    )
  )

const claim = (model: Model.CoverageModel, { state }: Real): void => {
  assert.strictEqual(state.root.version, model.version)
  assert.deepStrictEqual(toPairs(state.covered), toPairs(rangesOf(model.covered, scale)))
  assert.deepStrictEqual(new Map([...exceptionsIn(state)].toSorted(([a], [b]) => a - b)), sorted(model.exceptions))
}

const sorted = <A>(byBar: ReadonlyMap<number, A>) => new Map([...byBar].toSorted(([a], [b]) => a - b))

const claimStep = (before: Coverage.State, step: Coverage.Step, added: ReadonlyArray<number>): void => {
  const { committedAt, diff, previousRootHash, watermarks } = step.state.root
  assert.deepStrictEqual(toPairs(diff.added), toPairs(rangesOf(added, scale)))
  assert.deepStrictEqual(toPairs(diff.removed), [])
  assert.strictEqual(previousRootHash, before.root.version === 0 ? "" : rootHash(before.root))
  assert.isAbove(committedAt, before.root.committedAt)
  assert.isAtLeast(watermarks.eventTimeHigh ?? -1, before.root.watermarks.eventTimeHigh ?? -1)
}

const claimRepeat = (state: Coverage.State, message: Commit): void => {
  assert.deepStrictEqual(Coverage.commit(state, message, at), Result.succeed({ state, pages: [], changed: false }))
}

const commit = drawCommit(scale.windowBars).map((draw): CoverageMove => ({
  name: `commit ${shown(draw)}`,
  make: (model, real) =>
    Effect.sync(() => {
      const planned = planCommit(model, draw, scale.windowBars)
      const message = messageOf(planned, scale)
      const expected = Model.commit(model, planned)
      const before = real.state
      const stepped = Coverage.commit(before, message, at)
      if (Result.isFailure(stepped)) assert.strictEqual(expected._tag, "stale")
      else {
        assert.strictEqual(stepped.success.changed ? "new" : "there", expected._tag)
        assert.deepStrictEqual(Coverage.narrowed(before, message, grid), [])
        if (stepped.success.changed) claimStep(before, stepped.success, expected.added)
        real.state = stepped.success.state
        claimRepeat(real.state, message)
      }
      claim(model, real)
    })
}))

const invalidate = fc.constantFrom(...windows).map((window): CoverageMove => ({
  name: `the generation of window ${window} is raised`,
  make: (model, real) =>
    Effect.sync(() => {
      Model.raiseGeneration(model, window)
      const windowStart = window * scale.windowBars
      const index = Window.pageIndex(grid, windowStart)
      const page = real.state.pages.get(index) ?? { format: 1, index, windows: [] }
      const entry = entryOf(page, windowStart)
      const raised = withEntry(page, { ...entry, generation: entry.generation + 1 })
      real.state = { ...real.state, pages: new Map([...real.state.pages, [index, raised]]) }
    })
}))

const nothing: Coverage.State = {
  root: initial(series, { windowBars: scale.windowBars, schemaVersion: 1 }),
  covered: RangeSet.empty,
  pages: new Map()
}

modelLaw("commit() changes what it brought, raises the version by one, and repeated changes nothing", {
  begin: Effect.sync(() => ({ model: Model.make(), real: { state: nothing } })),
  moves: [commit, commit, commit, commit, invalidate],
  numRuns: 300,
  movesMax: 30
})
