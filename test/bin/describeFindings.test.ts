/** Is it told what quality rules found, by rule and with its first bars? */
import { describe, expect, it } from "vitest"
import { describeConformed, describeFindings } from "../../bin/describeFindings.ts"

const findings = {
  jump: { count: 1, severity: "flag", examples: [1_670_889_600_000] },
  negativeVolume: { count: 12, severity: "quarantine", examples: [1_670_889_660_000, 1_670_889_720_000] }
} as const

describe("describeFindings()", () => {
  it("has a line for each rule, which says what came of it", () => {
    expect(describeFindings(findings, "table").split("\n")).toEqual([
      "quality rule    bars  outcome         at",
      "jump               1  marked SUSPECT  2022-12-13T00:00:00Z",
      "negativeVolume    12  kept out        2022-12-13T00:01:00Z, 2022-12-13T00:02:00Z, …"
    ])
  })

  it("is one line of JSON where that is asked for", () => {
    expect(JSON.parse(describeFindings(findings, "json"))).toEqual({ findings })
  })
})

describe("describeConformed()", () => {
  const conformed = {
    late: { count: 1, examples: [1_670_889_600_000] },
    later: { count: 7, examples: [1_670_889_600_000] }
  }

  it("has a line for each step, which says what it did, also where it does not know the step", () => {
    expect(describeConformed(conformed, "table").split("\n")).toEqual([
      "conformed  bars  what                     at",
      "late          1  far behind a row before  2022-12-13T00:00:00Z",
      "later         7                           2022-12-13T00:00:00Z, …"
    ])
    expect(JSON.parse(describeConformed(conformed, "json"))).toEqual({ conformed })
  })
})
