/** Does a source that stamps bars with their end, or that answers whatever it likes, get asked no more than it takes? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as fc from "fast-check"
import { expect } from "vitest"
import * as Answer from "../../../actors/backfill/Answer.ts"
import * as Question from "../../../actors/backfill/Question.ts"
import type { Page, PageRequest } from "../../../actors/sources/DataSource.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { refilled, sourceOf } from "../../support/refills.ts"
import { flatBars } from "../../support/rows.ts"

const minuteMs = 60_000

const minutesIn = (times: Iterable<number>) => Array.from(times, (timeMs) => timeMs / minuteMs)

/** Pages of a source that has these bars, each stamped so far behind its begin. */
const stampedPages =
  (minutes: ReadonlyArray<number>, stampMs: number, pageBars: number) =>
  ({ end, start }: PageRequest): Page => {
    const asked = minutes.filter((minute) => {
      const stamp = minute * minuteMs + stampMs
      return start <= stamp && stamp < end
    })
    const { columns, eventTime } = flatBars(asked.slice(0, pageBars))
    return { columns, eventTime: Array.from(eventTime, (timeMs) => Number(timeMs) + stampMs) }
  }

const rules = { time: { stamped: "close" } } as const

describe("pagedBackfiller() of bars that are stamped with their end", () => {
  const all = Array.from({ length: 20 }, (_, minute) => minute - 5)

  it.effect.each([
    ["with the first moment behind it", minuteMs],
    ["with its last millisecond", minuteMs - 1],
    ["within it", 1]
  ] as const)("pagedBackfiller() brings each bar once that is stamped %s", ([, stampMs]) =>
    Effect.gen(function* () {
      for (const minutes of [all, all.filter((minute) => minute % 3 === 0)]) {
        const source = sourceOf(stampedPages(minutes, stampMs, 3), { barsPerRequest: 3 })
        const { ended, requests, steps } = yield* refilled(source, [0, 10], { rules })
        assert.isTrue(Result.isSuccess(ended))
        const inside = minutes.filter((minute) => minute >= 0 && minute < 10)
        assert.deepStrictEqual(
          steps.flatMap(({ rows }) => minutesIn(rows.eventTimeMs)),
          inside
        )
        const proven = toPairs(RangeSet.unionAll(steps.map((step) => step.proven)))
        assert.deepStrictEqual(proven, [[0, 10 * minuteMs]])
        assert.isAtMost(requests, Math.ceil(inside.length / 3) + 4)
      }
    })
  )

  it.effect("pagedBackfiller() takes what such a source has whole by the source's own clock", () =>
    Effect.gen(function* () {
      const page = stampedPages([1], minuteMs, 3)
      const whole = [[minuteMs, 8 * minuteMs]] as const
      const source = sourceOf((request) => ({ ...page(request), whole }), { barsPerRequest: 3, maxEmptyBars: 0 })
      const { steps } = yield* refilled(source, [0, 10], { rules })
      // the stamp of the bar behind these is not within what it has
      assert.deepStrictEqual(toPairs(steps.at(-1)!.proven), [[minuteMs, 7 * minuteMs]])
    })
  )
})

describe("pagedBackfiller() of a source in parts", () => {
  it.effect("pagedBackfiller() takes where its parts meet by the source's own clock", () =>
    Effect.gen(function* () {
      const page = stampedPages([0, 1, 2, 3, 6, 7, 8, 9], minuteMs, 100)
      // the bar that has this stamp is the last one before the sixth minute
      const seams = [[6 * minuteMs, 6 * minuteMs + 1]] as const
      const { steps } = yield* refilled(
        sourceOf((request) => ({ ...page(request), seams })),
        [0, 10],
        { rules }
      )
      assert.deepStrictEqual(toPairs(steps.at(-1)!.proven), [
        [0, 4 * minuteMs],
        [6 * minuteMs, 10 * minuteMs]
      ])
    })
  )
})

describe("pagedBackfiller() of a source that answers what it likes", () => {
  it.effect("pagedBackfiller() drops rows before the time that it asked about, and comes to an end", () =>
    Effect.gen(function* () {
      const same = sourceOf(() => flatBars([-3, -2, 0, 1, 2]), { barsPerRequest: 5 })
      const { requests, steps } = yield* refilled(same, [0, 10])
      assert.deepStrictEqual(
        steps.flatMap(({ rows }) => minutesIn(rows.eventTimeMs)),
        [0, 1, 2]
      )
      assert.isAtMost(requests, 6)
    })
  )

  const barMs = 10
  const anyPage = fc.array(fc.integer({ min: -20, max: 40 }), { maxLength: 8 })

  law(
    "nextRequest() comes to an end whatever a source answers: each page brings it further, or is one of few",
    [
      fc.array(anyPage, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 9 }),
      // whether stored time is asked about once more, of a market that closes then
      fc.option(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 1, max: 20 })))
    ],
    (pages, bars, maxEmptyBars, closed) => {
      let answer = Answer.begin(
        Question.about([0, bars * barMs], {
          intervalMs: barMs,
          maxEmptyBars,
          barsPerRequest: 3,
          covered: RangeSet.empty,
          shut: RangeSet.empty,
          byBarsAlone: closed !== null,
          closedIn: ([start, end]) =>
            closed === null
              ? RangeSet.empty
              : RangeSet.clip(RangeSet.of(closed[0] * barMs, (closed[0] + closed[1]) * barMs), start, end),
          finalUntil: Infinity
        })
      )
      // beside closed time a look nearby may be followed by one beyond it, on either side
      const looks = closed === null ? 2 : 4
      let [requests, fruitful] = [0, 0]
      for (let request = Answer.nextRequest(answer); request !== undefined; request = Answer.nextRequest(answer)) {
        const page = pages[requests % pages.length]!.toSorted((a, b) => a - b).map((bar) => bar * barMs)
        const before = answer
        answer = Answer.take(answer, request, Array.from(new Set(page)))
        requests += 1
        if (answer.cursor > before.cursor) fruitful += 1
        expect(answer.cursor).toBeGreaterThanOrEqual(before.cursor)
        // one page in vain may come before each that brings something; two in a row, and looks, are the end
        expect(requests).toBeLessThanOrEqual(2 * fruitful + 2 + looks)
      }
      expect(fruitful).toBeLessThanOrEqual(bars)
      expect(answer.bars).toEqual(Array.from(new Set(answer.bars)).toSorted((a, b) => a - b))
    }
  )
})

describe("quality rules of an answer", () => {
  const quality = [{ rule: "negativeVolume", severity: "reject" }] as const
  const badAt = (bad: number) => (minutes: ReadonlyArray<number>) =>
    flatBars(
      minutes,
      minutes.map((minute) => (minute === bad ? -1 : 1))
    )

  it.effect.each([
    ["before", -2],
    ["behind", 12]
  ] as const)("pagedBackfiller() is not refused for a bar %s the stretch, which it only looks at", ([, bad]) =>
    Effect.gen(function* () {
      // the first and the last bars of the stretch are absent, so that it looks beyond both edges
      const minutes = [-2, 3, 4, 12]
      const source = sourceOf(
        ({ end, start }) =>
          badAt(bad)(minutes.filter((minute) => start <= minute * minuteMs && minute * minuteMs < end)),
        { barsPerRequest: 3, maxEmptyBars: 10 }
      )
      const { ended, steps } = yield* refilled(source, [0, 10], { rules: { quality } })
      assert.isTrue(Result.isSuccess(ended))
      assert.deepStrictEqual(toPairs(steps.at(-1)!.proven), [[0, 10 * minuteMs]])
    })
  )

  it.effect("pagedBackfiller() is refused for a bar within it", () =>
    Effect.gen(function* () {
      const source = sourceOf(() => badAt(3)([0, 3, 9]))
      const { ended } = yield* refilled(source, [0, 10], { rules: { quality } })
      assert.include(Result.getOrThrow(Result.flip(ended)), { tag: "RowsRejected" })
    })
  )
})
