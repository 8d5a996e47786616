/** Is it shown how a range fills up, in bars of what was missing when the wait began? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { barsToCome, followCoverage } from "../../bin/followCoverage.ts"
import type { Progress } from "../../bin/progressLine.ts"
import type { CoverageReport } from "../../client/HistoryResult.ts"
import type { Range } from "../../protocol/history/Range.ts"

const minute = 60_000
const range = { node: "a", interval: "1m", start: 0, end: 100 * minute }

const report = (covered: ReadonlyArray<Range>, more: Partial<CoverageReport> = {}): CoverageReport => ({
  nodeId: "a",
  interval: "1m",
  coverageRanges: covered.map(([from, until]): [number, number] => [from * minute, until * minute]),
  missingRanges: [],
  watermarks: { eventTimeLow: null, eventTimeHigh: null },
  coverageVersion: 1,
  windowBars: 1440,
  ...more
})

describe("barsToCome()", () => {
  it("barsToCome() counts what is neither covered, nor beyond reach, nor in the future", () => {
    const unavailable = { start: 0, end: 5 * minute, state: "unavailable", reason: "", retryAt: null } as const
    const deferred = { start: 5 * minute, end: 9 * minute, state: "deferred", reason: "", retryAt: 1 } as const
    const seen = report([[20, 50]], { missingRanges: [unavailable, deferred] })
    assert.strictEqual(barsToCome(seen, range, 1e15), 65)
    assert.strictEqual(barsToCome(seen, range, 60 * minute), 25)
    assert.strictEqual(barsToCome(report([[-10, 200]]), range, 1e15), 0)
  })
})

/** What is shown while the coverage goes from one of these to the next, a second each; undefined is no answer. */
const shownOver = (reports: ReadonlyArray<CoverageReport | undefined>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(1e12)
    const shown: Array<Progress> = []
    let looks = 0
    const client = {
      coverage: () => {
        const found = reports[Math.min(looks++, reports.length - 1)]
        return found === undefined ? Promise.reject(new Error("nobody answers")) : Promise.resolve(found)
      }
    }
    const display = {
      mode: "redrawn" as const,
      show: (progress: Progress) => Effect.sync(() => void shown.push(progress)),
      clear: Effect.void
    }
    const fiber = yield* Effect.forkChild(followCoverage(client, range, display), { startImmediately: true })
    for (let look = 1; look < reports.length; look++) {
      yield* Effect.promise(() => Promise.resolve())
      yield* TestClock.adjust("1 second")
    }
    yield* Fiber.interrupt(fiber)
    return shown
  })

describe("followCoverage()", () => {
  it.effect("shows bars of those that were missing in the beginning, their rate, and the time that is left", () =>
    Effect.gen(function* () {
      const shown = yield* shownOver([report([[0, 20]]), report([[0, 40]]), report([[0, 60]]), report([[0, 100]])])
      assert.deepStrictEqual(
        shown.map(({ done, wanted }) => [done, wanted]),
        [
          [20, 80],
          [40, 80],
          [80, 80]
        ]
      )
      assert.deepInclude(shown[1]!, { perSecond: 20, secondsLeft: 2 })
    })
  )

  it.effect("shows nothing where nothing was missing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* shownOver([report([[0, 100]]), report([[0, 100]])]), [])
    })
  )

  it.effect("passes over what it can't see now", () =>
    Effect.gen(function* () {
      const shown = yield* shownOver([report([]), undefined, report([[0, 50]])])
      assert.deepStrictEqual(
        shown.map(({ done }) => done),
        [50]
      )
    })
  )
})
