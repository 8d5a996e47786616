/** Do findings by rule keep to the algebra of time? */
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { QualityRules } from "../../../protocol/frame/QualityRules.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"

describe("Findings", () => {
  const jump = RangeSet.of(0, 60)
  const zero = RangeSet.of(60, 120)

  it("make() joins what is told twice of a rule, and leaves out rules that found nothing", () => {
    expect(
      Findings.make([
        ["jump", jump],
        ["zero", RangeSet.empty],
        ["jump", zero]
      ])
    ).toEqual({ jump: RangeSet.of(0, 120) })
    expect(Findings.isNone(Findings.make([["jump", RangeSet.empty]]))).toBe(true)
  })

  it("unionAll() tells what any tells, and intersect() what of it is of some time", () => {
    const all = Findings.unionAll([{ jump }, { zero }, Findings.none])
    expect(all).toEqual({ jump, zero })
    expect(Findings.intersect(all, RangeSet.of(30, 60))).toEqual({ jump: RangeSet.of(30, 60) })
  })

  it("split() tells steps from rules, none of which may have a name under which steps tell", () => {
    const told = Findings.unionAll([{ jump }, Findings.ofSteps([["late", zero]])])
    expect(Findings.split(told)).toEqual({ rules: { jump }, steps: { late: zero } })
    const isRuleName = (name: string): boolean => Schema.is(QualityRules)([{ rule: "jump", name }])
    expect(Object.keys(told).map(isRuleName)).toEqual([true, false])
  })

  it("asField() is absent where nothing was found", () => {
    expect(Findings.asField(Findings.none)).toEqual({})
    expect(Findings.asField({ jump })).toEqual({ findings: { jump } })
  })
})
