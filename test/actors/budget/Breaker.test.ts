/** Is a source that fails left alone, and is it asked again when it is back? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Breaker from "../../../actors/budget/Breaker.ts"
import { law } from "../../support/law.ts"

const failuresMax = 3

const fail = (breaker: Breaker.Breaker, nowMs: number, ticket = "t") =>
  Breaker.failed(breaker, { ticket, reason: "no answer", nowMs, failuresMax })

/** Opened at 0, and that often again, each time as soon as a trial was let through. */
const openedTimes = (times: number): { readonly breaker: Breaker.Breaker; readonly nowMs: number } => {
  let breaker = fail(fail(fail(Breaker.closed, 0), 0), 0)
  let nowMs = 0
  for (let again = 1; again < times; again++) {
    nowMs += Breaker.retryAfterMs(breaker, nowMs)
    breaker = fail(Breaker.letThrough(breaker, "trial"), nowMs, "trial")
  }
  return { breaker, nowMs }
}

type Event = "fail" | "succeed" | "lose" | "ask" | "later"

const events = fc.array(fc.constantFrom<Event>("fail", "fail", "succeed", "lose", "ask", "later"), { maxLength: 60 })

describe("Breaker", () => {
  it("opens after so many failures in a row, and not before", () => {
    const twice = fail(fail(Breaker.closed, 0), 0)
    assert.strictEqual(twice.state, "closed")
    assert.strictEqual(fail(twice, 0).state, "open")
    assert.strictEqual(fail(Breaker.succeeded(twice, "t"), 0).state, "closed")
  })

  it("lets nothing through while it is open, then one request, and no other while that is under way", () => {
    const { breaker } = openedTimes(1)
    assert.isFalse(Breaker.isPassable(breaker, 999))
    assert.strictEqual(Breaker.retryAfterMs(breaker, 400), 600)
    assert.isTrue(Breaker.isPassable(breaker, 1000))
    const halfOpen = Breaker.letThrough(breaker, "trial")
    assert.isFalse(Breaker.isPassable(halfOpen, 1_000_000))
  })

  it("closes when the trial succeeds, and when no other request does", () => {
    const halfOpen = Breaker.letThrough(openedTimes(1).breaker, "trial")
    assert.strictEqual(Breaker.succeeded(halfOpen, "older").state, "halfOpen")
    assert.strictEqual(fail(halfOpen, 1000, "older"), halfOpen)
    assert.strictEqual(Breaker.succeeded(halfOpen, "trial"), Breaker.closed)
  })

  it("lets another request through where nothing is heard of the trial", () => {
    const halfOpen = Breaker.letThrough(openedTimes(1).breaker, "trial")
    assert.strictEqual(Breaker.lost(halfOpen, "older"), halfOpen)
    assert.isTrue(Breaker.isPassable(Breaker.lost(halfOpen, "trial"), 1000))
  })

  it("is open for twice as long each time that the trial fails, up to half a minute; and from the start again once it closed", () => {
    const lengths = Array.from({ length: 8 }, (_, index) => {
      const { breaker, nowMs } = openedTimes(index + 1)
      return Breaker.retryAfterMs(breaker, nowMs)
    })
    assert.deepStrictEqual(lengths, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    const { breaker, nowMs } = openedTimes(5)
    const closed = Breaker.succeeded(Breaker.letThrough(breaker, "trial"), "trial")
    assert.strictEqual(Breaker.retryAfterMs(fail(fail(fail(closed, nowMs), nowMs), nowMs), nowMs), 1000)
  })

  it("failures of requests that were sent before it opened do not keep it open for longer", () => {
    const { breaker } = openedTimes(1)
    assert.strictEqual(fail(breaker, 900), breaker)
    assert.strictEqual(Breaker.succeeded(breaker, "older"), breaker)
  })

  law("one trial at a time is let through, and never before the time is over", [events], (happened) => {
    let breaker: Breaker.Breaker = Breaker.closed
    let nowMs = 0
    let trial: string | undefined
    for (const [index, event] of happened.entries()) {
      const ticket = trial ?? `t${index}`
      const before = breaker
      if (event === "later") nowMs += 700
      else if (event === "ask") {
        if (!Breaker.isPassable(breaker, nowMs)) continue
        breaker = Breaker.letThrough(breaker, `t${index}`)
        if (before.state === "open") {
          assert.isUndefined(trial)
          assert.isAtLeast(nowMs, before.untilMs)
          trial = `t${index}`
        }
      } else {
        if (event === "fail") breaker = fail(breaker, nowMs, ticket)
        else breaker = event === "succeed" ? Breaker.succeeded(breaker, ticket) : Breaker.lost(breaker, ticket)
        trial = breaker.state === "halfOpen" ? trial : undefined
      }
      assert.strictEqual(breaker.state === "halfOpen", trial !== undefined)
      if (breaker.state === "open") assert.isAtMost(breaker.untilMs - nowMs, 30_000)
    }
  })
})
