/** Is open time measured as if closed time were not there? */
import * as fc from "fast-check"
import { expect } from "vitest"
import { openBefore, openBehind, openMs } from "../../../actors/backfill/openTime.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import { law } from "../../support/law.ts"
import { rangeSet, time } from "../../support/rangeSets.ts"

const length = fc.integer({ min: 0, max: 60 })

const count = (from: number, until: number, isOpen: (at: number) => boolean): number =>
  Array.from({ length: Math.max(0, until - from) }, (_, index) => from + index).filter(isOpen).length

law("openMs() counts the moments that are not closed", [rangeSet, time, length], (closed, from, lengthMs) => {
  const until = from + lengthMs
  expect(openMs(closed, from, until)).toBe(count(from, until, (at) => !includes(closed, at)))
  expect(openMs(closed, until, from - 1)).toBe(0)
})

law(
  "openBefore() is the latest moment with so much open time until then",
  [rangeSet, time, length],
  (closed, until, lengthMs) => {
    const from = openBefore(closed, until, lengthMs)
    expect(openMs(closed, from, until)).toBe(lengthMs)
    expect(openMs(closed, from + 1, until)).toBe(Math.max(0, lengthMs - 1))
  }
)

law(
  "openBehind() is the earliest moment with so much open time until it",
  [rangeSet, time, length],
  (closed, from, lengthMs) => {
    const until = openBehind(closed, from, lengthMs)
    expect(openMs(closed, from, until)).toBe(lengthMs)
    expect(openMs(closed, from, until - 1)).toBe(Math.max(0, lengthMs - 1))
  }
)
