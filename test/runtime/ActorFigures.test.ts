/** Do an actor's figures tell of lately, and not too wrong? */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as ActorFigures from "../../runtime/ActorFigures.ts"
import { law } from "../support/law.ts"

// a bucket's upper bound is so many times the one before, and the smallest one is so many milliseconds
const growth = 1.5
const leastMs = 0.05
const windowMs = 5000

const took = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 3_600_000, noNaN: true }))

const figuresOf = (times: ReadonlyArray<number>) => {
  const figures = ActorFigures.make(0)
  for (const tookMs of times) figures.count(0, tookMs)
  return figures
}

describe("p99Ms()", () => {
  law(
    "p99Ms() is within one bucket of the exact quantile",
    [fc.array(took, { minLength: 1, maxLength: 300 })],
    (times) => {
      const ascending = times.toSorted((a, b) => a - b)
      const exact = ascending[ascending.length - 1 - Math.floor(times.length * 0.01)]!
      const p99Ms = figuresOf(times).p99Ms(0)
      // a time on the very bound of a bucket may be counted in the one beside it
      const slack = 1 + 1e-9
      assert.isAtLeast(p99Ms * slack, exact)
      assert.isAtMost(p99Ms, Math.max(leastMs, exact * growth) * slack)
    }
  )

  it("p99Ms() forgets what was two windows ago", () => {
    const figures = figuresOf([100])
    assert.isAbove(figures.p99Ms(windowMs), 99)
    assert.strictEqual(figures.p99Ms(2 * windowMs), 0)
    assert.strictEqual(figures.messages(), 1)
  })
})

describe("rate()", () => {
  law(
    "rate() of a steady stream is its rate, however long it goes on",
    [fc.integer({ min: 1, max: 200 }), fc.integer({ min: 10, max: 40 })],
    (everyMs, seconds) => {
      const figures = ActorFigures.make(0)
      const endMs = seconds * 1000
      for (let at = 0; at < endMs; at += everyMs) figures.count(at, 1)
      const exact = 1000 / everyMs
      // at most one message more or less in the time that is looked at, which is five seconds or more
      assert.approximately(figures.rate(endMs), exact, exact * 0.01 + 0.5)
    }
  )

  law(
    "rate() counts the messages of this window and the one before, by their length",
    [fc.array(fc.nat(4000), { minLength: 1, maxLength: 30 })],
    (pauses) => {
      const figures = ActorFigures.make(0)
      const atMs: Array<number> = []
      let nowMs = 0
      for (const pause of pauses) {
        nowMs += pause
        figures.count(nowMs, 1)
        atMs.push(nowMs)
      }
      // no pause is as long as a window, so windows lie on multiples of its length
      const startMs = Math.max(0, Math.floor(nowMs / windowMs) - 1) * windowMs
      const count = atMs.filter((at) => at >= startMs).length
      const seconds = Math.max(1000, nowMs - startMs) / 1000
      assert.approximately(figures.rate(nowMs), count / seconds, 1e-9)
    }
  )

  it("rate() is 0 when nothing came for two windows", () => {
    assert.strictEqual(figuresOf([1, 1]).rate(2 * windowMs), 0)
  })
})
