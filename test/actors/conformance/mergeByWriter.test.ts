/** Does the last writer's row stand, and is it told whose it is? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { mergeBySource, type SourceRows } from "../../../actors/conformance/mergeBySource.ts"
import { mergeByWriter, type WriterRule } from "../../../actors/conformance/mergeByWriter.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { type DataSchema, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars } from "../../support/rows.ts"

const schema: DataSchema = {
  version: 1,
  fields: [...ohlcv.fields, { name: "version", type: "int64", required: false }]
}
const empty = Frame.empty(schema)

const minutes = (...pairs: ReadonlyArray<Range>): RangeSet.RangeSet =>
  RangeSet.make(pairs.map(([start, end]): Range => [start * 60_000, end * 60_000]))

/** What a source has: at each minute a price, and the version of its row. */
const rowsOf = (
  source: string,
  covered: Range,
  rows: ReadonlyArray<readonly [minute: number, price: number, version: number | null]>,
  ingestAtMs = 0
): SourceRows => {
  const bars = flatBars(
    rows.map(([minute]) => minute),
    rows.map(([, price]) => price)
  )
  const version = { name: "version", values: rows.map(([, , number]) => number) }
  const given = { ...bars, columns: [...bars.columns, version] }
  return { source, ranges: minutes(covered), frame: conformed(given, { schema, source, ingestAtMs }).frame }
}

const byVersion: WriterRule = { versionColumn: "version", intervalMs: 60_000 }
const byIngest: WriterRule = { versionColumn: null, intervalMs: 60_000 }

const closes = (frame: Frame.Frame) =>
  Array.from<number | bigint>(frame.columns.find(({ name }) => name === "close")!.values)

const contributions = (merged: ReturnType<typeof mergeByWriter>) =>
  Object.fromEntries(
    Array.from(merged.contributions, ([source, set]) => [
      source,
      toPairs(set).map((pair) => pair.map((timeMs) => timeMs / 60_000))
    ])
  )

describe("mergeByWriter()", () => {
  it("mergeByWriter() takes the highest version, of equal ones the preferred source, and a row before none", () => {
    const first = rowsOf(
      "first",
      [0, 5],
      [
        [0, 10, 1],
        [1, 11, 2],
        [2, 12, null],
        [4, 14, 9]
      ]
    )
    const second = rowsOf(
      "second",
      [0, 6],
      [
        [0, 20, 2],
        [1, 21, 2],
        [2, 22, 0],
        [3, 23, 0]
      ]
    )
    const merged = mergeByWriter([first, second], minutes([0, 6]), empty, byVersion)
    expect(closes(merged.frame)).toEqual([20, 11, 22, 23, 14])
    expect(contributions(merged)).toEqual({
      first: [
        [1, 2],
        [4, 5]
      ],
      second: [
        [0, 1],
        [2, 4],
        [5, 6]
      ]
    })
  })

  it("mergeByWriter() tells versions apart that one float64 stands for", () => {
    const bars = (source: string, version: bigint): SourceRows => {
      const rows = flatBars([0], [Number(version % 10n)])
      const given = { ...rows, columns: [...rows.columns, { name: "version", values: BigInt64Array.of(version) }] }
      return { source, ranges: minutes([0, 1]), frame: conformed(given, { schema, source }).frame }
    }
    const [older, newer] = [2n ** 53n, 2n ** 53n + 1n]
    const merged = mergeByWriter([bars("first", older), bars("second", newer)], minutes([0, 1]), empty, byVersion)
    expect(closes(merged.frame)).toEqual([Number(newer % 10n)])
  })

  it("mergeByWriter() by ingest time takes the row that came in last", () => {
    const early = rowsOf(
      "early",
      [0, 2],
      [
        [0, 1, null],
        [1, 1, null]
      ],
      1000
    )
    const late = rowsOf(
      "late",
      [1, 3],
      [
        [1, 2, null],
        [2, 2, null]
      ],
      2000
    )
    const merged = mergeByWriter([early, late], minutes([0, 3]), empty, byIngest)
    expect(closes(merged.frame)).toEqual([1, 2, 2])
    expect(merged.frame.lineage.map(({ rows, source }) => [source, rows])).toEqual([
      ["early", 1],
      ["late", 2]
    ])
  })

  it("mergeByWriter() takes nothing outside of what is wanted and covered", () => {
    const only = rowsOf(
      "only",
      [0, 2],
      [
        [0, 1, 1],
        [1, 1, 1],
        [2, 1, 1]
      ]
    )
    const merged = mergeByWriter([only], minutes([1, 4]), empty, byVersion)
    expect(Array.from(merged.frame.eventTimeMs)).toEqual([60_000])
    expect(contributions(merged)).toEqual({ only: [[1, 2]] })
    expect(mergeByWriter([], minutes([0, 1]), empty, byVersion).frame).toEqual(empty)
  })

  const source = (name: string) =>
    fc
      .uniqueArray(fc.tuple(fc.nat(20), fc.nat(9), fc.nat(3)), { selector: ([minute]) => minute, maxLength: 12 })
      .map((rows) => rowsOf(name, [0, 21], rows))

  law(
    "mergeByWriter() gives each time the row of the highest version, in whatever order sources stand",
    [source("a"), source("b"), source("c")],
    (...sources) => {
      const wanted = minutes([0, 21])
      const { contributions: whose, frame } = mergeByWriter(sources, wanted, empty, byVersion)
      const versionAt = (from: Frame.Frame, timeMs: number) =>
        from.columns.at(-1)!.values[from.eventTimeMs.indexOf(timeMs)]
      for (const timeMs of frame.eventTimeMs) {
        const versions = sources.flatMap((each) => Number(versionAt(each.frame, timeMs) ?? -1))
        expect(Number(versionAt(frame, timeMs))).toBe(Math.max(...versions))
      }
      expect(new Set(frame.eventTimeMs)).toEqual(new Set(sources.flatMap((each) => Array.from(each.frame.eventTimeMs))))
      expect(toPairs(Array.from(whose.values()).reduce(RangeSet.union, RangeSet.empty))).toEqual(toPairs(wanted))
    }
  )

  law("mergeByWriter() of one source is that source", [source("a")], (only) => {
    const wanted = minutes([0, 21])
    const plain = mergeBySource([only], wanted, empty)
    const merged = mergeByWriter([only], wanted, empty, byIngest)
    expect(contentHash(merged.frame)).toBe(contentHash(plain.frame))
    expect(merged.contributions).toEqual(plain.contributions)
  })
})
