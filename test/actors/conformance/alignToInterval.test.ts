/** Do rows end up at the start of their bars? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { alignToInterval } from "../../../actors/conformance/alignToInterval.ts"
import { isAligned } from "../../../protocol/history/Interval.ts"
import { law } from "../../support/law.ts"
import { intervalOf } from "../../support/rows.ts"

const minute = intervalOf("1m")
const times = fc.array(fc.integer({ min: -1e12, max: 1e12 })).map((given) => Float64Array.from(given))

describe("alignToInterval()", () => {
  it("alignToInterval() moves times down to the bar's start and counts them", () => {
    const given = Float64Array.of(-1, 0, 59_999, 60_000, 60_000.5)
    expect(alignToInterval(given, minute)).toEqual({
      eventTimeMs: Float64Array.of(-60_000, 0, 0, 60_000, 60_000),
      movedToBar: 3
    })
    expect(given[0]).toBe(-1)
  })

  it("alignToInterval() starts weeks on Monday", () => {
    const { eventTimeMs } = alignToInterval(Float64Array.of(Date.UTC(2019, 9, 11)), intervalOf("1w"))
    expect(eventTimeMs).toEqual(Float64Array.of(Date.UTC(2019, 9, 7)))
  })

  law("alignToInterval() leaves aligned times the array that they are", [times], (given) => {
    const once = alignToInterval(given, minute)
    const twice = alignToInterval(once.eventTimeMs, minute)
    expect(twice.eventTimeMs).toBe(once.eventTimeMs)
    expect(twice.movedToBar).toBe(0)
    expect(once.eventTimeMs.every((timeMs) => isAligned(minute, timeMs))).toBe(true)
  })
})
