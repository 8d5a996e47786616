/** Is what is known to be named only what roots name that are kept for ever? */
import { describe, expect, it } from "vitest"
import type { SweepRun } from "../../../protocol/messages/Sweep.ts"
import * as sweepRun from "../../../actors/sweeper/sweepRun.ts"

const run: SweepRun = {
  id: "1",
  by: "seamless",
  isDry: false,
  series: null,
  startedAt: 0,
  endedAt: null,
  seriesDone: 0,
  seriesTotal: 0,
  tally: sweepRun.noTally,
  troubles: []
}

const progress: sweepRun.Progress = {
  ...sweepRun.begin(run),
  reach: { chunks: { youngFrom: 8, lastRevision: 9 }, pages: { youngFrom: Infinity, lastRevision: 5 } }
}
const before = { chunks: 3, pages: 3, catalog: "c" }

describe("sweptBy()", () => {
  it("sweptBy() goes as far as everything is named or gone", () => {
    const swept = sweepRun.sweptBy(progress, before, { entries: [], rootsMs: Infinity })
    expect(swept).toEqual({ chunks: 7, pages: 5, catalog: sweepRun.catalogOf([]) })
  })

  it("sweptBy() stays where it was after a run that did not look at all, or only counted", () => {
    for (const changes of [{ isDry: true }, { series: { nodeId: "a", interval: "1m" } }]) {
      const partly = { ...progress, run: { ...run, ...changes } }
      expect(sweepRun.sweptBy(partly, before, { entries: [], rootsMs: Infinity })).toBe(before)
    }
    const failed = { ...progress }
    sweepRun.fail(failed, "t")
    expect(sweepRun.sweptBy(failed, before, { entries: [], rootsMs: Infinity })).toBe(before)
    // what is told of a series that was gone through is no reason to look again
    const told = { ...progress, run: { ...run, troubles: ["t"] } }
    expect(sweepRun.sweptBy(told, before, { entries: [], rootsMs: Infinity })).toMatchObject({ chunks: 7, pages: 5 })
  })

  it("sweptBy() knows nothing any more once roots were not kept for ever", () => {
    expect(sweepRun.sweptBy(progress, before, { entries: [], rootsMs: 86_400_000 })).toBeNull()
  })
})
