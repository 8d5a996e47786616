/** Does one line say how far something has come, whatever room there is? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Progress, progressLine, progressNote } from "../../bin/progressLine.ts"
import { law } from "../support/law.ts"

const progress = (changes: Partial<Progress> = {}): Progress => ({
  done: 5200,
  wanted: 10_000,
  perSecond: 1234.4,
  secondsLeft: 65,
  note: "",
  ...changes
})

const anyProgress = fc.record({
  done: fc.integer({ min: 0, max: 2_000_000 }),
  wanted: fc.integer({ min: 0, max: 2_000_000 }),
  perSecond: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  secondsLeft: fc.option(fc.double({ min: 0, max: 1e8, noNaN: true })),
  note: fc.constantFrom("", "paused", "waits until 2026-01-01T00:00:00Z")
})

describe("progressLine()", () => {
  law(
    "progressLine() is one line, and shorter than the terminal is wide",
    [anyProgress, fc.integer({ min: 1, max: 200 })],
    (shown, columns) => {
      const line = progressLine(shown, columns)
      expect(line.length).toBeLessThan(columns)
      expect(line).not.toMatch(/[\n\r]/)
    }
  )

  it("progressLine() has a bar, percent, bars, rate and ETA where there is room", () => {
    expect(progressLine(progress(), 100)).toBe(
      `${"█".repeat(15)}${"░".repeat(15)}  52%  5,200 of 10,000 bars  1,234 bars/s  ETA 1:05`
    )
  })

  it("progressLine() shrinks the bar, then leaves out what matters less, the percentage last", () => {
    const widths = [80, 65, 50, 30, 20, 8, 5]
    expect(widths.map((columns) => progressLine(progress(), columns))).toEqual([
      `${"█".repeat(14)}${"░".repeat(14)}  52%  5,200 of 10,000 bars  1,234 bars/s  ETA 1:05`,
      `${"█".repeat(6)}${"░".repeat(7)}  52%  5,200 of 10,000 bars  1,234 bars/s  ETA 1:05`,
      `${"█".repeat(6)}${"░".repeat(6)}  52%  5,200 of 10,000 bars  ETA 1:05`,
      `${"█".repeat(7)}${"░".repeat(7)}  52%  ETA 1:05`,
      `${"█".repeat(7)}${"░".repeat(7)}  52%`,
      "52%",
      "52%"
    ])
  })

  it("progressLine() of nothing done is an empty bar, and of all a full one without an ETA", () => {
    const none = progress({ done: 0, perSecond: null, secondsLeft: null })
    expect(progressLine(none, 100)).toBe(`${"░".repeat(30)}  0%  0 of 10,000 bars  ETA ?`)
    const all = progress({ done: 10_000, secondsLeft: 0 })
    expect(progressLine(all, 100)).toBe(`${"█".repeat(30)}  100%  10,000 of 10,000 bars  1,234 bars/s`)
  })

  it("progressLine() has a note in the place of an ETA that nobody knows", () => {
    const paused = progress({ perSecond: null, secondsLeft: null, note: "paused" })
    expect(progressLine(paused, 80)).toMatch(/ {2}52% {2}5,200 of 10,000 bars {2}paused$/)
  })

  it("progressNote() says the same in words", () => {
    expect(progressNote(progress())).toBe("52%, 5,200 of 10,000 bars, 1,234 bars/s, ETA 1:05")
  })
})
