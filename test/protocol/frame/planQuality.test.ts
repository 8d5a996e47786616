/** Is every mistake in quality rules told, and does what is configured hold beside what holds everywhere? */
import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { type DataSchema, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { type ActiveRule, planQuality } from "../../../protocol/frame/planQuality.ts"
import { type QualityRule, QualityRules } from "../../../protocol/frame/QualityRules.ts"

const minute = { schema: ohlcv, intervalMs: 60_000 }
const decode = Schema.decodeUnknownResult(QualityRules, { onExcessProperty: "error", errors: "all" })

const problemOf = (rules: unknown): string =>
  Result.match(decode(rules), { onFailure: ({ message }) => message, onSuccess: () => "" })

const names = (rules: ReadonlyArray<ActiveRule>): ReadonlyArray<string> => rules.map(({ name }) => name)

const everywhere = [
  "nonFinite",
  "negativeVolume",
  "ohlcOrder",
  "zeroPrice",
  "jump",
  "zScore",
  "reversal",
  "timeBackwards",
  "staleRepeat"
]

describe("QualityRules", () => {
  it("reads every kind of rule by its kind alone", () => {
    const kinds = [...everywhere, "barCount"]
    expect(problemOf(kinds.map((rule) => ({ rule })))).toBe("")
  })

  it.each([
    [[{ rule: "spike" }], /the kinds are negativeVolume, ohlcOrder/],
    [[{ rule: "jump", share: -1 }], /greater than 0/],
    [[{ rule: "jump", limit: 1 }], /limit/],
    [[{ rule: "zScore", bars: 10, minBars: 11 }], /more than the 10 bars/],
    [[{ rule: "barCount", minShare: 2 }], /between 0 and 1/],
    [[{ rule: "jump", severity: "refuse" }], /"quarantine"/],
    [[{ rule: "jump" }, { rule: "jump", share: 2 }], /jump is the name of another rule/],
    [[{ rule: "zeroPrice", columns: [] }], /columns/]
  ])("refuses %j, and says why", (rules, problem) => {
    expect(problemOf(rules)).toMatch(problem)
  })
})

describe("planQuality()", () => {
  it("has all rules that hold everywhere, and none of them refuses or keeps out anything", () => {
    const { problems, rules } = planQuality([], minute)
    expect(problems).toEqual([])
    expect(names(rules)).toEqual(everywhere)
    expect(new Set(rules.map(({ severity }) => severity))).toEqual(new Set(["flag"]))
  })

  it("takes a configured rule for the one of its name, adds others, and leaves out what is off", () => {
    const given: ReadonlyArray<QualityRule> = [
      { rule: "jump", share: 2, severity: "quarantine" },
      { rule: "jump", name: "absurd", share: 50, severity: "reject" },
      { rule: "zScore", severity: "off" }
    ]
    const { rules } = planQuality(given, minute)
    expect(names(rules).toSorted()).toEqual([...everywhere.filter((name) => name !== "zScore"), "absurd"].toSorted())
    expect(rules.filter(({ rule }) => rule === "jump")).toEqual([
      { rule: "jump", name: "jump", column: "close", share: 2, severity: "quarantine", maxGapBars: 60 },
      { rule: "jump", name: "absurd", column: "close", share: 50, severity: "reject", maxGapBars: 60 }
    ])
  })

  it("expects larger moves of longer bars, and as large ones as it is told", () => {
    const shareOf = (intervalMs: number, given: QualityRules = []) =>
      planQuality(given, { schema: ohlcv, intervalMs }).rules.find(({ rule }) => rule === "jump")
    expect(shareOf(60_000)).toMatchObject({ share: 0.5, maxGapBars: 60 })
    expect(shareOf(4 * 3_600_000)).toMatchObject({ share: 1 })
    expect(shareOf(4 * 3_600_000, [{ rule: "jump", share: 0.3 }])).toMatchObject({ share: 0.3 })
    expect(shareOf(24 * 3_600_000)).toMatchObject({ maxGapBars: 4 })
  })

  const quotes: DataSchema = {
    version: 1,
    fields: [
      { name: "close", type: "float64", required: true },
      { name: "venue", type: "category", required: true },
      { name: "trades", type: "int64", required: false }
    ]
  }

  it("does not let a count of bars keep out those that are there", () => {
    const { problems } = planQuality([{ rule: "barCount", severity: "quarantine" }], minute)
    expect(problems).toMatchObject([{ rule: "barCount", problem: expect.stringContaining("flag or reject") }])
  })

  it("looks for what is missing in all numbers that the schema requires, whole ones too", () => {
    const fields = [...ohlcv.fields, { name: "trades", type: "int64", required: true } as const]
    const plan = planQuality([], { ...minute, schema: { version: 1, fields } })
    expect(plan.rules.find(({ rule }) => rule === "nonFinite")).toMatchObject({
      columns: ["open", "high", "low", "close", "volume", "trades"]
    })
  })

  it("leaves out, of what holds everywhere, what the schema has no columns for", () => {
    const { problems, rules } = planQuality([], { ...minute, schema: quotes })
    expect(problems).toEqual([])
    expect(names(rules)).toEqual(["nonFinite", "jump", "zScore", "reversal", "timeBackwards"])
  })

  it("tells of a configured rule whose column is absent or no number", () => {
    const given: QualityRules = [
      { rule: "negativeVolume" },
      { rule: "jump", column: "venue" },
      { rule: "negativeVolume", name: "trades", column: "trades" }
    ]
    expect(planQuality(given, { ...minute, schema: quotes }).problems).toEqual([
      {
        rule: "negativeVolume",
        problem: "looks at volume, which the schema does not have; it has: close, venue, trades"
      },
      { rule: "jump", problem: "looks at venue, which is category and no number" }
    ])
  })
})
