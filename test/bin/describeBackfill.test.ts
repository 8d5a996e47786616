/** Is a person told how far a backfill has come, what holds it up, and what filling would take? */
import { assert, describe, it } from "vitest"
import { backfillsText, progressOf, reportText } from "../../bin/describeBackfill.ts"
import { describePlan } from "../../bin/describePlan.ts"
import type { BackfillPlan } from "../../protocol/history/BackfillPlan.ts"
import type { BackfillReport } from "../../protocol/history/NamedBackfill.ts"

const minute = 60_000

const report = (changes: Partial<BackfillReport> = {}): BackfillReport => ({
  name: "btc",
  nodeId: "a",
  interval: "1m",
  start: 0,
  end: 10_000 * minute,
  order: "newest_first",
  jobClass: "bulk",
  status: "running",
  createdAt: 0,
  by: "alice",
  changedAt: 0,
  changedBy: "alice",
  reason: "",
  figures: {
    at: 0,
    bars: 10_000,
    windows: 7,
    leftBars: 4800,
    leftWindows: 4,
    deferredBars: 0,
    unavailableBars: 0,
    quarantinedBars: 0
  },
  barsPerSecond: 1234,
  secondsLeft: 4,
  outstandingWindows: 3,
  failingWindows: 0,
  failing: [],
  quarantinedRanges: [],
  waitsUntil: null,
  ...changes
})

const linesOf = (text: string) => text.split("\n").map((line) => line.trim().split(/\s{2,}/))

describe("reportText()", () => {
  it("reportText() says how far it is, how fast, and for how long", () => {
    assert.deepStrictEqual(linesOf(reportText(report())), [
      ["btc"],
      ["status", "running, 52%"],
      ["series", "a 1m"],
      ["range", "1970-01-01T00:00:00Z to 1970-01-07T22:40:00Z, newest first, bulk"],
      ["created", "1970-01-01T00:00:00Z by alice"],
      ["bars", "5,200 of 10,000 are there"],
      ["windows", "4 of 7 left; 3 asked for"],
      ["rate", "1,234 bars/s over the last minute"],
      ["ETA", "0:04"]
    ])
  })

  it("reportText() says what failed, why, and when it is tried again", () => {
    const failing = { windowStart: 0, attempts: 2, tag: "SourceUnavailable", message: "down\nvery", source: "binance" }
    const text = reportText(report({ failingWindows: 20, failing: [{ ...failing, nextAttemptAt: minute }] }))
    assert.deepInclude(linesOf(text), ["failing", "20 windows"])
    assert.deepStrictEqual(linesOf(text).at(-1), [
      "1970-01-01T00:00:00Z",
      "2",
      "1970-01-01T00:01:00Z",
      "binance",
      "SourceUnavailable: down"
    ])
  })

  it("reportText() names what waits for an operator, and why it does not go on", () => {
    const { figures } = report()
    const lines = linesOf(
      reportText(
        report({
          status: "paused",
          reason: "too much fails",
          changedAt: minute,
          changedBy: "seamless",
          figures: { ...figures, quarantinedBars: 1440, unavailableBars: 3, deferredBars: 2 },
          quarantinedRanges: [[0, minute]]
        })
      )
    )
    assert.deepInclude(lines, ["status", "paused, 37%"])
    // neither what can't be had nor what was set aside is progress
    assert.deepInclude(lines, ["bars", "3,757 of 9,997 are there"])
    assert.deepInclude(lines, ["reason", "too much fails"])
    assert.deepInclude(lines, ["changed", "1970-01-01T00:01:00Z by seamless"])
    assert.deepInclude(lines, ["quarantined", "1,440 bars, which wait for an operator"])
    assert.deepInclude(lines, ["unavailable", "3 bars, which no source has"])
    assert.deepInclude(lines, ["deferred", "2 bars, which may not be asked for yet"])
    assert.deepStrictEqual(lines.at(-1), ["1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z"])
    assert.notInclude(lines.flat(), "ETA")
  })
})

describe("progressOf()", () => {
  it("progressOf() has what it is at for a note, where it is not simply running", () => {
    assert.deepInclude(progressOf(report()), { done: 5200, wanted: 10_000, perSecond: 1234, note: "" })
    assert.strictEqual(progressOf(report({ status: "paused", reason: "a reason" })).note, "paused: a reason")
    const [failure] = report({ waitsUntil: minute }).failing
    assert.strictEqual(
      progressOf(report({ waitsUntil: minute })).note,
      `waits until 1970-01-01T00:01:00Z${failure === undefined ? "" : `: ${failure.message}`}`
    )
    const aside = report({ figures: { ...report().figures, quarantinedBars: 1440 } })
    assert.deepInclude(progressOf(aside), { done: 3760, wanted: 10_000, note: "1,440 bars quarantined" })
  })
})

describe("backfillsText()", () => {
  it("backfillsText() has a line each, and says how many are not shown", () => {
    const text = backfillsText({ backfills: [report()], total: 3 })
    assert.deepStrictEqual(linesOf(text)[1]!.slice(0, 6), ["btc", "running", "52%", "4,800", "4", "0"])
    assert.strictEqual(linesOf(text).at(-1)![0], "the newest 1 of 3")
  })
})

const plan: BackfillPlan = {
  nodeId: "a",
  interval: "1m",
  start: 0,
  end: 10_000 * minute,
  coveredBars: 1000,
  unavailableBars: 0,
  quarantinedBars: 5,
  deferredBars: 0,
  bars: 8995,
  windows: 7,
  requests: 9,
  seconds: 90,
  sources: [{ source: "binance", barsPerRequest: 1000, requests: 9, requestsPerMinute: 6, seconds: 90 }]
}

describe("describePlan()", () => {
  it("describePlan() says bars, windows, requests and seconds, and what is not asked for", () => {
    assert.deepStrictEqual(linesOf(describePlan(plan)), [
      ["a 1m, 1970-01-01T00:00:00Z to 1970-01-07T22:40:00Z"],
      ["bars", "8,995 to bring; 1,000 are covered, 5 are quarantined"],
      ["windows", "7"],
      ["requests", "9"],
      ["seconds", "90", "(1:30)"],
      [""],
      ["source", "requests", "bars/request", "requests/min", "time"],
      ["binance", "9", "1,000", "6", "1:30"]
    ])
  })

  it("describePlan() says where nobody knows how long it takes", () => {
    const [source] = plan.sources
    const text = describePlan({
      ...plan,
      seconds: null,
      sources: [{ ...source!, requestsPerMinute: null, seconds: null }]
    })
    assert.deepInclude(linesOf(text), ["seconds", "-", "(no rate budget is known for the source)"])
    assert.deepStrictEqual(linesOf(text).at(-1), ["binance", "9", "1,000", "-", "-"])
  })
})
