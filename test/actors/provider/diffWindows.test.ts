/** Are just the windows named that may have other bars? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { diffWindows, pagesBeyond } from "../../../actors/provider/diffWindows.ts"
import { type CoveragePage, entryOf, type WindowEntry } from "../../../protocol/history/CoveragePage.ts"
import { rangesOf } from "../../support/jobs.ts"
import { law } from "../../support/law.ts"

const chunk = (content: string, source = "binance", id = content) => ({
  source,
  id,
  ranges: rangesOf([0, 10]),
  contentHash: content,
  rows: 1,
  lastEventTime: 0
})
const entry = (windowStart: number, ...chunks: WindowEntry["chunks"]): WindowEntry => ({
  windowStart,
  generation: 0,
  chunks
})
const page = (index: number, ...windows: ReadonlyArray<WindowEntry>): CoveragePage => ({ format: 1, index, windows })

const pages = fc
  .uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 9 }), fc.constantFrom("x", "y", "z")),
    {
      selector: ([index, window]) => index * 10 + window,
      maxLength: 12
    }
  )
  .map((windows) =>
    [0, 1, 2, 3].flatMap((index) => {
      const here = windows
        .filter(([of]) => of === index)
        .map(([, window, text]) => entry(index * 10 + window, chunk(text)))
      return here.length === 0 ? [] : [page(index, ...here.toSorted((a, b) => a.windowStart - b.windowStart))]
    })
  )

describe("diffWindows()", () => {
  it("diffWindows() names windows that came, went, or have another content, ascending", () => {
    const before = [
      page(1, entry(30, chunk("a"))),
      page(0, entry(0, chunk("a")), entry(10, chunk("b")), entry(20, chunk("c")))
    ]
    const after = [page(0, entry(0, chunk("a")), entry(10, chunk("d"))), page(2, entry(50, chunk("e")))]
    expect(diffWindows(before, after)).toEqual([10, 20, 30, 50])
  })

  it("diffWindows() does not name what was stored again with the same content, or in another order of sources", () => {
    const two = [chunk("a"), chunk("b", "kraken")]
    expect(diffWindows([page(0, entry(0, ...two))], [page(0, entry(0, ...two.toReversed()))])).toEqual([])
    expect(diffWindows([page(0, entry(0, chunk("a")))], [page(0, entry(0, chunk("a", "binance", "again")))])).toEqual(
      []
    )
    const raised = { ...entry(0, chunk("a")), generation: 5 }
    expect(diffWindows([page(0, raised)], [page(0, entry(0, chunk("a")))])).toEqual([])
  })

  it("diffWindows() names what covers other time, or is of another source", () => {
    const narrowed = { ...chunk("a"), ranges: rangesOf([0, 5]) }
    expect(diffWindows([page(0, entry(0, chunk("a")))], [page(0, entry(0, narrowed))])).toEqual([0])
    expect(diffWindows([page(0, entry(0, chunk("a")))], [page(0, entry(0, chunk("a", "kraken")))])).toEqual([0])
  })

  law("diffWindows() names a window exactly where its contents differ", [pages, pages], (before, after) => {
    const at = (all: ReadonlyArray<CoveragePage>, start: number) =>
      entryOf(
        all.find(({ index }) => index === Math.floor(start / 10)),
        start
      ).chunks.map(({ contentHash }) => contentHash)
    const starts = Array.from({ length: 40 }, (_, start) => start)
    expect(diffWindows(before, after)).toEqual(
      starts.filter((start) => at(before, start).join() !== at(after, start).join())
    )
  })
})

describe("pagesBeyond()", () => {
  it("pagesBeyond() leaves out what both roots name", () => {
    const of = (...ids: ReadonlyArray<string>) => ({ pages: ids.map((id, index) => ({ index, id })) })
    const all = [-Infinity, Infinity] as const
    expect(pagesBeyond(of("a", "b", "c"), of("a", "x", "c"), all)).toEqual(["b"])
    expect(pagesBeyond(of(), of("a"), all)).toEqual([])
  })

  it("pagesBeyond() leaves out what is not of interest", () => {
    const of = (...ids: ReadonlyArray<string>) => ({ pages: ids.map((id, index) => ({ index, id })) })
    expect(pagesBeyond(of("a", "b", "c", "d"), of(), [1, 2])).toEqual(["b", "c"])
  })
})
