/** Is a rate that of the last minute, and unknown where nobody can know it? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Pace from "../../../actors/backfills/Pace.ts"
import { law } from "../../support/law.ts"

const paceOf = (...samples: ReadonlyArray<readonly [atMs: number, done: number]>): Pace.Pace =>
  samples.reduce<Pace.Pace>((pace, [atMs, done]) => Pace.seen(pace, { atMs, done }), Pace.empty)

describe("Pace", () => {
  it("perSecond() is not known of one moment, nor of two that are close", () => {
    expect(Pace.perSecond(Pace.empty)).toBe(null)
    expect(Pace.perSecond(paceOf([0, 5]))).toBe(null)
    expect(Pace.perSecond(paceOf([0, 5], [999, 50]))).toBe(null)
    expect(Pace.perSecond(paceOf([0, 5], [1000, 50]))).toBe(45)
  })

  it("perSecond() forgets what is more than a minute ago", () => {
    expect(Pace.perSecond(paceOf([0, 0], [10_000, 1000], [60_000, 1000]))).toBeCloseTo(1000 / 60)
    expect(Pace.perSecond(paceOf([0, 0], [10_000, 1000], [70_000, 1000]))).toBe(0)
  })

  it("perSecond() of what was undone is nothing, not less", () => {
    expect(Pace.perSecond(paceOf([0, 100], [2000, 40]))).toBe(0)
  })

  it("secondsFor() is what is left at the rate; nobody knows it without one", () => {
    expect(Pace.secondsFor(100, 20)).toBe(5)
    expect(Pace.secondsFor(100, 0)).toBe(null)
    expect(Pace.secondsFor(100, null)).toBe(null)
    expect(Pace.secondsFor(0, null)).toBe(0)
  })

  const steps = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 1000 })

  law(
    "seen() keeps a bounded number of samples, the last of them always, however often it is looked",
    [steps],
    (gaps) => {
      let atMs = 0
      let pace = Pace.empty
      for (const gap of gaps) {
        atMs += gap
        pace = Pace.seen(pace, { atMs, done: atMs })
      }
      expect(pace.length).toBeLessThanOrEqual(2 + 60_000 / 500)
      expect(pace.at(-1)).toEqual({ atMs, done: atMs })
      // what goes evenly has that rate, whichever samples were kept
      const rate = Pace.perSecond(pace)
      if (rate !== null) expect(rate).toBeCloseTo(1000)
    }
  )
})
