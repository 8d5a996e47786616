/** Which coverage are changes tried on? What some commits have made of nothing. */
import * as fc from "fast-check"
import { Result } from "effect"
import * as Coverage from "../../../actors/coverage/Coverage.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { at, grid, nothing } from "../commits.ts"
import { series } from "../jobs.ts"
import * as Model from "./CoverageModel.ts"
import { type CommitDraw, drawCommit, messageOf, planCommit, type Scale } from "./drawCommit.ts"

/** The bars and windows of the drawn commits. */
export const scale: Scale = { series, barMs: grid.intervalMs, windowBars: grid.windowBars }

/** Commits as they are drawn. */
export const commitDraw: fc.Arbitrary<CommitDraw> = drawCommit(scale.windowBars)

/** A coverage beside what it must be. */
export interface Drawn {
  readonly model: Model.CoverageModel
  readonly state: Coverage.State
}

const madeBy = (draws: ReadonlyArray<CommitDraw>): Drawn => {
  const model = Model.make()
  let state = nothing
  for (const draw of draws) {
    const planned = planCommit(model, draw, scale.windowBars)
    Model.commit(model, planned)
    const step = Coverage.commit(state, messageOf(planned, scale), at(1000))
    if (Result.isSuccess(step)) state = step.success.state
  }
  return { model, state }
}

/** Any coverage that commits can make. */
export const drawnCoverage: fc.Arbitrary<Drawn> = fc.array(commitDraw, { maxLength: 4 }).map(madeBy)

/** What the chunks of all windows cover. */
export const timeOfChunks = ({ pages }: Coverage.State): RangeSet.RangeSet =>
  RangeSet.unionAll(
    Array.from(pages.values(), ({ windows }) => windows)
      .flat()
      .flatMap(({ chunks }) => chunks.map(({ ranges }) => ranges))
  )
