/** Does an operator see what differs, what was not compared, and whether all is well? */
import { assert, describe, it } from "vitest"
import { type Findings, isAsItShould, totalsOf, verifiedText } from "../../bin/describeVerified.ts"
import type { VerifiedPart } from "../../protocol/messages/Verify.ts"

const minuteMs = 60_000

const partOf = (changes: Partial<VerifiedPart> = {}): VerifiedPart => ({
  source: "binance",
  compared: [[0, 10 * minuteMs]],
  sameBars: 10,
  changedBars: 0,
  absentBars: 0,
  extraBars: 0,
  bars: [],
  unproven: [],
  failure: null,
  ...changes
})

const changed = partOf({
  sameBars: 9,
  changedBars: 1,
  bars: [{ eventTime: minuteMs, source: "binance", before: { close: 1 }, after: { close: 2 } }]
})

const findingsOf = (
  parts: ReadonlyArray<VerifiedPart>,
  changes: Partial<Findings> = {},
  repairedBars = 0
): Findings => ({
  seed: null,
  chosen: 1,
  covered: 1,
  windows: [{ windowStart: 0, version: 1, parts, repairedBars }],
  unasked: [],
  ...changes
})

const textOf = (findings: Findings): string => verifiedText(findings, minuteMs)

describe("isAsItShould()", () => {
  const failure = { tag: "SourceUnavailable", message: "HTTP 500", source: "binance" }

  it("isAsItShould() of what is the same, and of what was repaired", () => {
    assert.isTrue(isAsItShould(findingsOf([partOf()])))
    assert.isTrue(isAsItShould(findingsOf([changed], {}, 1)))
  })

  it.each([
    ["a bar that differs", findingsOf([changed])],
    ["two, of which one was repaired", findingsOf([changed, changed], {}, 1)],
    ["a source that did not answer", findingsOf([partOf({ failure })])],
    ["a window that was not looked at", findingsOf([partOf()], { chosen: 2 })],
    ["one about which nobody could be asked", findingsOf([partOf()], { unasked: [{ windowStart: 0, reason: "" }] })]
  ])("isAsItShould() is false of %s", (_, findings) => {
    assert.isFalse(isAsItShould(findings))
  })
})

describe("verifiedText()", () => {
  it("verifiedText() of what is the same is two lines, with the seed where there was a sample", () => {
    const same = "10 bars are the same, 0 changed, 0 are absent in the source, 0 are extra in the source"
    assert.strictEqual(textOf(findingsOf([partOf()])), `all 1 covered window\n${same}`)
    assert.strictEqual(
      textOf(findingsOf([partOf()], { seed: 7, covered: 30 })),
      `1 of 30 covered windows, drawn by seed 7\n${same}`
    )
  })

  it("verifiedText() has a line for each window that is not as it should be, and for each bar that differs", () => {
    const part = partOf({
      ...changed,
      unproven: [[0, 3 * minuteMs]],
      failure: { tag: "RowsRejected", message: "no", source: "" }
    })
    const lines = textOf(findingsOf([part, partOf()], {}, 1))
      .split("\n")
      .map((line) => line.split(/\s{2,}/))
    assert.match(lines[1]?.join(" ") ?? "", /^19 bars are the same, 1 changed, .*; 1 repaired$/)
    assert.deepStrictEqual(lines.slice(4), [
      ["1970-01-01T00:00:00Z", "binance", "9", "1", "0", "0", "3", "RowsRejected: no"],
      [""],
      ["revised bar", "source", "change"],
      ["1970-01-01T00:01:00Z", "binance", "close 1 -> 2"]
    ])
  })

  it("verifiedText() says how many were looked at where somebody stopped it", () => {
    assert.match(textOf(findingsOf([partOf()], { chosen: 5, covered: 5 })), /^all 5 covered windows; looked at 1\n/)
  })
})

describe("totalsOf()", () => {
  it("totalsOf() adds up all parts of all windows", () => {
    const two = findingsOf([partOf({ absentBars: 1 }), partOf({ extraBars: 2 })], {}, 3)
    const totals = totalsOf({ windows: [...two.windows, ...findingsOf([changed]).windows] })
    assert.deepStrictEqual(totals, { sameBars: 29, changedBars: 1, absentBars: 1, extraBars: 2, repairedBars: 3 })
  })
})
