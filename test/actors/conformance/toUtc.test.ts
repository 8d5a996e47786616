/** Are times read as UTC, and is what is no time refused? */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { toUtc } from "../../../actors/conformance/toUtc.ts"
import { law } from "../../support/law.ts"

const read = (given: number | string): number => Result.getOrThrow(toUtc([given])).timeMs[0]!

describe("toUtc()", () => {
  it.each([
    ["2019-10-11", "2019-10-11T00:00:00.000Z"],
    ["2019-10-11T00:01", "2019-10-11T00:01:00.000Z"],
    ["2019-10-11 00:01:02", "2019-10-11T00:01:02.000Z"],
    ["2019-10-11t00:01:02.5z", "2019-10-11T00:01:02.500Z"],
    ["2019-10-11T00:01:02.123999Z", "2019-10-11T00:01:02.123Z"],
    ["2019-10-11T09:00:00+09:00", "2019-10-11T00:00:00.000Z"],
    ["2019-10-10T19:30:00-0430", "2019-10-11T00:00:00.000Z"],
    ["2019-10-11 02:00:00+02", "2019-10-11T00:00:00.000Z"],
    ["2019-10-11T24:00", "2019-10-12T00:00:00.000Z"],
    ["2020-02-29", "2020-02-29T00:00:00.000Z"],
    ["1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"]
  ])("toUtc() reads %s as %s", (text, utc) => {
    expect(new Date(read(text)).toISOString()).toBe(utc)
  })

  it.each([
    "",
    "soon",
    "1570752000000",
    "20191011",
    "11/10/2019",
    "2019-02-30",
    "2019-13-01",
    "2019-10-11T25:00",
    "2019-10-11T00:00+99:00",
    "2019-10-11Z",
    "2019-10-11T00",
    Number.NaN,
    Infinity,
    1.57e18
  ])("toUtc() refuses %j and names its row", (given) => {
    const failure = Result.getOrThrow(Result.flip(toUtc([0, given])))
    expect(failure).toMatchObject({ _tag: "ConformanceFailed", step: "toUtc", column: "event_time", row: 1 })
    expect(failure.message).toContain(typeof given === "string" ? JSON.stringify(given) : String(given))
  })

  it("toUtc() passes a Float64Array on uncopied, and checks it all the same", () => {
    const eventTimeMs = Float64Array.of(0, 60_000)
    expect(Result.getOrThrow(toUtc(eventTimeMs)).timeMs).toBe(eventTimeMs)
    expect(Result.isFailure(toUtc(Float64Array.of(0, Number.NaN)))).toBe(true)
  })

  law(
    "toUtc() of a date's ISO text is the date",
    [fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })],
    (date) => {
      expect(read(date.toISOString())).toBe(date.getTime())
      expect(read(date.toISOString().slice(0, -1))).toBe(date.getTime())
    }
  )
})
