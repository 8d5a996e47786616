/** Does a host know when its session is certain, and when it has watched the others for long enough? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Touch from "../../cluster/Touch.ts"
import { law } from "../support/law.ts"

const renewal = (sentMs: number, answeredMs = sentMs + 1, revision = sentMs) => ({ sentMs, answeredMs, revision })

const after = (...renewals: ReadonlyArray<ReturnType<typeof renewal>>) => renewals.reduce(Touch.renewed, Touch.none)

describe("Touch", () => {
  it("isInTouch() counts from when the last renewal was sent that was answered", () => {
    expect(Touch.isInTouch(Touch.none, 0)).toBe(false)
    const touch = after(renewal(1000, 1900))
    expect(Touch.isInTouch(touch, 3999)).toBe(true)
    expect(Touch.isInTouch(touch, 4000)).toBe(false)
  })

  it("renewed() begins a new stretch only where the session was not certain before the answer", () => {
    expect(after(renewal(0)).stretch).toBe(1)
    expect(after(renewal(0), renewal(2000, 2999)).stretch).toBe(1)
    expect(after(renewal(0), renewal(2000, 3000)).stretch).toBe(2)
    expect(after(renewal(0), renewal(9000), renewal(10_000)).stretch).toBe(2)
  })

  it("renewed() keeps the newest of renewals that are answered out of order", () => {
    const touch = after(renewal(0), renewal(2000), renewal(1000, 2500))
    expect([touch.lastSentMs, touch.revision, touch.stretch]).toEqual([2000, 2000, 1])
  })

  it("mayBury() holds after one time to live since the start, and since the last outage", () => {
    const steady = after(renewal(0), renewal(1000), renewal(2000), renewal(3000))
    expect(Touch.mayBury(steady, 3000)).toBe(false)
    expect(Touch.mayBury(steady, 3001)).toBe(true)
    // answers came again only after two seconds: others, whose renewals were due, may have no session left
    const troubled = Touch.renewed(steady, renewal(4000, 5000))
    expect(Touch.isInTouch(troubled, 5500)).toBe(true)
    expect(Touch.mayBury(troubled, 5500)).toBe(false)
    const again = [5001, 6000, 7000].reduce((touch, sentMs) => Touch.renewed(touch, renewal(sentMs)), troubled)
    expect(Touch.mayBury(again, 7999)).toBe(false)
    expect(Touch.mayBury(again, 8000)).toBe(true)
  })

  it("mayBury() does not hold while an outage may be under way, though the own session stands", () => {
    // the others renewed up to a second before this host did, and are taken for dead before it is out of touch
    const steady = after(renewal(0), renewal(1000), renewal(2000), renewal(3000))
    expect(Touch.mayBury(steady, 4999)).toBe(true)
    expect(Touch.isInTouch(steady, 5000)).toBe(true)
    expect(Touch.mayBury(steady, 5000)).toBe(false)
  })

  it("isSteady() holds from the start, and not after an outage", () => {
    const started = after(renewal(0))
    expect(Touch.isSteady(started, 1)).toBe(true)
    expect(Touch.isSteady(Touch.renewed(started, renewal(8000)), 8001)).toBe(false)
  })

  law(
    "mayBury() never holds where two answers lay a whole time to live apart within the last time to live",
    [fc.array(fc.tuple(fc.integer({ min: 200, max: 3000 }), fc.integer({ min: 1, max: 999 })), { maxLength: 12 })],
    (steps) => {
      let touch = Touch.none
      let sentMs = 0
      const answers: Array<number> = []
      for (const [waitMs, answerMs] of steps) {
        sentMs += waitMs
        touch = Touch.renewed(touch, renewal(sentMs, sentMs + answerMs))
        answers.push(sentMs + answerMs)
      }
      const nowMs = Math.max(0, ...answers)
      const gapEnds = answers.filter((end, index) => index > 0 && end - (answers[index - 1] ?? 0) >= 3000)
      if (gapEnds.some((end) => nowMs - end < 3000)) expect(Touch.mayBury(touch, nowMs)).toBe(false)
    }
  )
})
