/** Does each stretch of time come from the first source that covers it, and from no other? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { mergeBySource, type SourceRows } from "../../../actors/conformance/mergeBySource.ts"
import { mergeByWriter } from "../../../actors/conformance/mergeByWriter.ts"
import { mergeRevision } from "../../../actors/conformance/mergeRevision.ts"
import { mergeFrames, rowsIn } from "../../../actors/conformance/mergeFrames.ts"
import { fieldNames, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import type { RawValue } from "../../../protocol/frame/RawRows.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { floatColumns } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars } from "../../support/rows.ts"

const empty = Frame.empty(ohlcv)

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * 60_000, end * 60_000]))

/** A source that covers the ranges and has a row for each of the minutes, all at one price. */
const rowsOf = (source: string, ranges: RangeSet.RangeSet, at: ReadonlyArray<number>, price: number): SourceRows => ({
  source,
  ranges,
  frame: conformed(
    flatBars(
      at,
      at.map(() => price)
    ),
    { source }
  ).frame
})

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

const closesOf = (frame: Frame.Frame): Array<readonly [number, number]> => {
  const closes = floatColumns(frame).find(({ name }) => name === "close")!.values
  return Array.from(frame.eventTimeMs, (time, row) => [time / 60_000, closes[row]!] as const)
}

const pairsOf = (set: RangeSet.RangeSet | undefined) =>
  set === undefined ? undefined : toPairs(set).map(([start, end]) => [start / 60_000, end / 60_000])

const first = rowsOf("first", minutes([0, 4], [6, 8]), [0, 1, 2, 3, 6, 7], 1)
const second = rowsOf("second", minutes([2, 10]), [2, 3, 4, 5, 6, 7, 8, 9], 2)

describe("mergeBySource()", () => {
  it("mergeBySource() splices where sources do not overlap, and prefers the first where they do", () => {
    const { contributions, frame } = mergeBySource([first, second], minutes([0, 10]), empty)
    expect(closesOf(frame).map(([, close]) => close)).toEqual([1, 1, 1, 1, 2, 2, 1, 1, 2, 2])
    expect(pairsOf(contributions.get("first"))).toEqual([
      [0, 4],
      [6, 8]
    ])
    expect(pairsOf(contributions.get("second"))).toEqual([
      [4, 6],
      [8, 10]
    ])
  })

  it("mergeBySource() goes by the order that it is given", () => {
    const { contributions, frame } = mergeBySource([second, first], minutes([0, 10]), empty)
    expect(closesOf(frame).map(([, close]) => close)).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 2, 2])
    expect(pairsOf(contributions.get("first"))).toEqual([[0, 2]])
  })

  it("mergeBySource() takes a preferred source's silence for its word", () => {
    const quiet = rowsOf("quiet", minutes([0, 4]), [0, 3], 1)
    const { frame } = mergeBySource([quiet, second], minutes([0, 6]), empty)
    expect(closesOf(frame)).toEqual([
      [0, 1],
      [3, 1],
      [4, 2],
      [5, 2]
    ])
  })

  it("mergeBySource() gives nothing of time that was not wanted", () => {
    const { contributions, frame } = mergeBySource([first, second], minutes([3, 5]), empty)
    expect(closesOf(frame)).toEqual([
      [3, 1],
      [4, 2]
    ])
    expect(pairsOf(contributions.get("first"))).toEqual([[3, 4]])
  })

  it("mergeBySource() does not name a source that it took nothing from", () => {
    const { contributions } = mergeBySource([second, first], minutes([2, 10]), empty)
    expect(Array.from(contributions.keys())).toEqual(["second"])
  })

  it("mergeBySource() keeps the lineage of each row", () => {
    const { frame } = mergeBySource([first, second], minutes([0, 10]), empty)
    expect(frame.lineage.map(({ source }) => source)).toEqual(["first", "second", "first", "second"])
  })

  it("mergeBySource() of nothing has the columns all the same", () => {
    const { contributions, frame } = mergeBySource([], minutes([0, 10]), empty)
    expect(frame.columns.map(({ name }) => name)).toEqual(fieldNames(ohlcv))
    expect([Frame.length(frame), contributions.size]).toEqual([0, 0])
  })

  const someMinutes = fc.uniqueArray(fc.nat(19), { maxLength: 20 })
  const someRanges = fc
    .array(fc.tuple(fc.nat(19), fc.integer({ min: 1, max: 8 })), { maxLength: 4 })
    .map((pairs) => minutes(...pairs.map(([start, length]): Range => [start, Math.min(20, start + length)])))
  const someSources = fc.array(fc.tuple(someRanges, someMinutes), { maxLength: 4 }).map((drawn) =>
    drawn.map(([ranges, at], index) =>
      rowsOf(
        `${index}`,
        ranges,
        at.filter((each) => includes(ranges, each * 60_000)).toSorted((a, b) => a - b),
        index
      )
    )
  )

  law(
    "mergeBySource() gives each minute to the first source that covers it",
    [someSources, someRanges],
    (sources, wanted) => {
      const { contributions, frame } = mergeBySource(sources, wanted, empty)
      const closes = new Map(closesOf(frame))
      for (const each of upTo(20)) {
        const owner = includes(wanted, each * 60_000)
          ? sources.findIndex(({ ranges }) => includes(ranges, each * 60_000))
          : -1
        const has = owner >= 0 && sources[owner]!.frame.eventTimeMs.includes(each * 60_000)
        expect(closes.get(each)).toBe(has ? owner : undefined)
        const owners = sources.filter(({ source }) => {
          const taken = contributions.get(source)
          return taken !== undefined && includes(taken, each * 60_000)
        })
        expect(owners.map(({ source }) => source)).toEqual(owner < 0 ? [] : [`${owner}`])
      }
      expect(Array.from(frame.eventTimeMs)).toEqual(Array.from(frame.eventTimeMs.toSorted()))
    }
  )
})

describe("mergeFrames()", () => {
  it("mergeFrames() puts parts in order of time, whatever order they came in", () => {
    const { frame } = conformed(flatBars(upTo(9)))
    const parts = [Frame.slice(frame, 6, 9), Frame.slice(frame, 0, 2), Frame.slice(frame, 2, 6)]
    expect(mergeFrames([empty, ...parts])).toEqual(mergeFrames([empty, frame]))
  })

  it("mergeFrames() takes no column, and no type, from parts without rows but the first", () => {
    const noted = (value: RawValue): Frame.Frame => {
      const rows = flatBars([0])
      return conformed({ ...rows, columns: [...rows.columns, { name: "note", values: [value] }] }).frame
    }
    const [gone, text] = [Frame.slice(noted(1), 0, 0), noted("x")]
    expect(mergeFrames([empty, gone])).toEqual(empty)
    // where a chunk has no row any more that counts, what comes in its place has its own type
    const { frame } = mergeRevision(mergeFrames([empty, gone]), text, minutes([0, 1]))
    expect(frame.columns.at(-1)).toEqual(text.columns.at(-1))
    const byWriter = { intervalMs: 60_000, versionColumn: null }
    expect(
      mergeByWriter([{ source: "a", ranges: minutes([0, 1]), frame: gone }], minutes([0, 1]), empty, byWriter).frame
    ).toEqual(empty)
  })
})

describe("rowsIn()", () => {
  it("rowsIn() gives a part for each range of the set, though it has no row", () => {
    const { frame } = conformed(flatBars([0, 1, 5]))
    const parts = rowsIn(frame, minutes([1, 3], [4, 6], [8, 9]))
    expect(parts.map((part) => Array.from(part.eventTimeMs, (time) => time / 60_000))).toEqual([[1], [5], []])
  })
})
