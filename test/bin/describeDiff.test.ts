/** Is a difference told so that a person sees each bar, what it was and what it is? */
import { describe, expect, it } from "vitest"
import { diffText } from "../../bin/describeDiff.ts"
import type { HistoryDiff } from "../../protocol/history/HistoryDiff.ts"

const found: HistoryDiff = {
  nodeId: "a",
  interval: "1m",
  from: { version: 0, committedAt: 0 },
  to: { version: 21, committedAt: 1_670_889_600_000 },
  changes: [
    { eventTime: 1_670_889_600_000, before: { open: 1.5, close: null }, after: { open: 2, close: 3 } },
    { eventTime: 1_670_889_660_000, before: { open: 1 }, after: null },
    { eventTime: 1_670_889_720_000, before: null, after: { open: 4 } }
  ],
  windows: { differing: 2, looked: 1 },
  barsLeft: 0,
  next: null
}

describe("diffText()", () => {
  it("diffText() tells each bar in a line, changed columns with both values", () => {
    const lines = diffText(found).split("\n")
    expect(lines[0]).toBe("a 1m, from version 0, before anything to version 21 of 2022-12-13T00:00:00Z")
    expect(lines[1]).toBe("windows that differ: 2; looked into: 1")
    expect(lines.slice(3).map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["bar", "is", "values"],
      ["2022-12-13T00:00:00Z", "changed", "open 1.5 → 2, close - → 3"],
      ["2022-12-13T00:01:00Z", "removed", "open 1"],
      ["2022-12-13T00:02:00Z", "added", "open 4"]
    ])
  })

  it("diffText() says where nothing differs", () => {
    expect(diffText({ ...found, changes: [] })).toMatch(/\nno bar differs$/)
  })
})
