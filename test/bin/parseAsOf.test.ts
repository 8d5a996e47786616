/** Is a point of the past on a command line taken for what a person means? */
import { describe, expect, it } from "vitest"
import { asOfProblem, parseAsOf } from "../../bin/parseAsOf.ts"

describe("parseAsOf()", () => {
  it("parseAsOf() takes few digits for a version, many for epoch milliseconds, and ISO 8601 for a time", () => {
    expect(parseAsOf("0")).toEqual({ version: 0 })
    expect(parseAsOf("17")).toEqual({ version: 17 })
    // a version that storage which was rolled back has raised
    expect(parseAsOf("1048593")).toEqual({ version: 1_048_593 })
    expect(parseAsOf("1670889600000")).toEqual({ time: 1_670_889_600_000 })
    expect(parseAsOf("2022-12-13")).toEqual({ time: 1_670_889_600_000 })
    expect(parseAsOf("now")).toBeNull()
    expect(parseAsOf("2022-12-13T01:00+01:00")).toEqual({ time: 1_670_889_600_000 })
  })

  it("parseAsOf() takes neither a day without dashes nor seconds for a version", () => {
    for (const text of ["20221213", "1670889600", "-5", "1.5", "v17", "yesterday", ""]) {
      expect(parseAsOf(text), text).toBeUndefined()
    }
    expect(asOfProblem("20221213")).toMatch(/did you mean 2022-12-13\?/)
    expect(asOfProblem("v17")).toMatch(/^a version such as 17, /)
  })
})
