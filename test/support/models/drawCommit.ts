/**
 * Which commits is coverage tried on?
 *
 * Answers of two sources for windows on both sides of a page's end: planned on what stands, or on what stood once;
 * brought for the first time or again; and empty ones that say why.
 */
import * as fc from "fast-check"
import { sha256 } from "../../../protocol/frame/contentHash.ts"
import type { ChunkRef } from "../../../protocol/history/CoveragePage.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import type { Series } from "../../../protocol/history/Series.ts"
import type { Commit } from "../../../protocol/messages/Coverage.ts"
import * as Model from "./CoverageModel.ts"

/** How bars become time. */
export interface Scale {
  readonly series: Series
  readonly barMs: number
  readonly windowBars: number
}

/** Which bars of a window: every `step`th of a stretch. */
interface Shape {
  readonly from: number
  readonly length: number
  readonly step: number
}

interface PartDraw {
  readonly window: number
  readonly shape: Shape
  /** On what the part is planned. */
  readonly planned: "now" | "blindly" | "generationBefore"
}

/** A commit as drawn; what it is upon is known only when it is made. */
export interface CommitDraw {
  readonly source: string
  readonly parts: ReadonlyArray<PartDraw>
  /** Of which bars it is said that there is nothing to be had, and why. */
  readonly empty: { readonly window: number; readonly shape: Shape; readonly why: Model.Exception } | undefined
  /** Tells fetches of the same rows apart. */
  readonly fetch: number
}

/** Windows at the start of a page, at its end, and in the next. */
export const windows = [0, 1, 2, 255, 256] as const

const stretchIn = (windowBars: number, steps: ReadonlyArray<number>): fc.Arbitrary<Shape> =>
  fc.record({
    from: fc.nat(windowBars - 1),
    length: fc.integer({ min: 1, max: windowBars }),
    step: fc.constantFrom(...steps)
  })

const shapeIn = (windowBars: number): fc.Arbitrary<Shape> =>
  fc.oneof(
    stretchIn(windowBars, [1, 1, 2, 3]),
    // every other bar of the whole window: as many ranges as it can have
    fc.nat(1).map((from) => ({ from, length: windowBars, step: 2 }))
  )

/** Any commit. */
export const drawCommit = (windowBars: number): fc.Arbitrary<CommitDraw> => {
  const window = fc.constantFrom(...windows)
  const part = fc.record({
    window,
    shape: shapeIn(windowBars),
    planned: fc.constantFrom<Array<PartDraw["planned"]>>("now", "now", "now", "now", "blindly", "generationBefore")
  })
  return fc.record({
    source: fc.constantFrom("binance", "kraken"),
    parts: fc.uniqueArray(part, { maxLength: 3, selector: (each) => each.window }),
    empty: fc.option(
      fc.record({
        window,
        // in one piece: a root forgets the oldest of too many
        shape: stretchIn(windowBars, [1]),
        why: fc.constantFrom<Array<Model.Exception>>("deferred", "unavailable", "quarantined")
      }),
      { nil: undefined }
    ),
    fetch: fc.nat(1)
  })
}

/** In words, for whoever reads a failure. */
export const shown = ({ empty, fetch, parts, source }: CommitDraw): string =>
  JSON.stringify({ source, fetch, parts, empty })

const barsOf = (window: number, { from, length, step }: Shape, windowBars: number): ReadonlyArray<number> => {
  const bars: Array<number> = []
  const end = Math.min(from + length, windowBars)
  for (let bar = from; bar < end; bar += step) bars.push(window * windowBars + bar)
  return bars
}

const planPart = (model: Model.CoverageModel, draw: CommitDraw, part: PartDraw, windowBars: number) => {
  const { planned, shape, window } = part
  const base = planned === "blindly" ? undefined : Model.chunkOf(model, window, draw.source)
  const bars = new Set([...(base?.bars ?? []), ...barsOf(window, shape, windowBars)])
  const generation = Model.generationOf(model, window) - (planned === "generationBefore" ? 1 : 0)
  return { window, generation, base, chunk: { fetch: draw.fetch, bars } }
}

/** The commit as it comes to be upon what stands: rows are merged with those of the same source. */
export const planCommit = (model: Model.CoverageModel, draw: CommitDraw, windowBars: number): Model.CommitModel => {
  const parts = draw.parts.map((part) => planPart(model, draw, part, windowBars))
  const brought = new Set(parts.flatMap(({ chunk }) => [...chunk.bars]))
  const { empty, source } = draw
  const emptyBars = empty === undefined ? [] : barsOf(empty.window, empty.shape, windowBars)
  const exceptions = emptyBars.filter((bar) => !brought.has(bar)).map((bar) => [bar, empty!.why] as const)
  return { source, parts, exceptions: new Map(exceptions) }
}

/** The time of some bars. */
export const rangesOf = (bars: Iterable<number>, { barMs }: Pick<Scale, "barMs">): RangeSet.RangeSet =>
  RangeSet.make(Array.from(bars, (bar) => [bar * barMs, (bar + 1) * barMs] as const))

const refOf = (source: string, chunk: Model.ChunkModel, scale: Scale): ChunkRef => {
  const ranges = rangesOf(chunk.bars, scale)
  const rows = [...chunk.bars].filter(Model.hasRow).toSorted((a, b) => a - b)
  const last = rows.at(-1)
  return {
    source,
    id: sha256(`${source} ${chunk.fetch} ${JSON.stringify(toPairs(ranges))}`),
    ranges,
    contentHash: sha256(JSON.stringify(rows)),
    rows: rows.length,
    lastEventTime: last === undefined ? null : last * scale.barMs
  }
}

const retryAt = 1e15

const exceptionsOf = (exceptions: ReadonlyMap<number, Model.Exception>, scale: Scale): ReadonlyArray<MissingRange> =>
  [...Map.groupBy(exceptions, ([, why]) => why)].flatMap(([why, bars]) =>
    toPairs(
      rangesOf(
        bars.map(([bar]) => bar),
        scale
      )
    ).map(([start, end]) => ({ start, end, state: why, reason: why, retryAt: why === "deferred" ? retryAt : null }))
  )

/** The message that says so. */
export const messageOf = ({ exceptions, parts, source }: Model.CommitModel, scale: Scale): Commit => ({
  series: scale.series,
  windows: parts.map(({ base, chunk, generation, window }) => ({
    windowStart: window * scale.windowBars * scale.barMs,
    generation,
    base: base === undefined ? null : refOf(source, base, scale).id,
    chunk: refOf(source, chunk, scale)
  })),
  answered: rangesOf([...parts.flatMap(({ chunk }) => [...chunk.bars]), ...exceptions.keys()], scale),
  exceptions: exceptionsOf(exceptions, scale),
  jobs: [],
  source,
  cause: "model"
})
