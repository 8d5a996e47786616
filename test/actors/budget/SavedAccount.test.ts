/** Does whoever takes an account over know what it must, and trust no clock but its own? */
import { assert, describe, it } from "vitest"
import { Schema } from "effect"
import * as Account from "../../../actors/budget/Account.ts"
import * as Meter from "../../../actors/budget/Meter.ts"
import * as SavedAccount from "../../../actors/budget/SavedAccount.ts"
import { standingOf } from "../../../actors/budget/standingOf.ts"
import { AccountStanding } from "../../../protocol/messages/AccountStanding.ts"
import type { Outcome } from "../../../protocol/messages/Upstream.ts"
import { termsOf } from "../../support/budget/Office.ts"

const terms = termsOf({ requests: { perMinute: 60, burst: 10 }, concurrency: 3 })
const asking = { asker: "host", source: "binance", jobClass: "bulk", series: "a", weight: 1 } as const

const wallMs = 1_700_000_000_000
const before: SavedAccount.Moment = { nowMs: 600_000, wallMs }
/** Another host's clocks, five seconds later. */
const after: SavedAccount.Moment = { nowMs: 77, wallMs: wallMs + 5000 }

const send = (account: Account.Account, id: string, outcome?: Outcome): Account.Account => {
  const [then] = Account.permit(account, { id, ...asking }, before.nowMs)
  return outcome === undefined ? then : Account.report(then, { ticket: id, source: "binance", outcome }, before.nowMs)
}

const takenOver = (account: Account.Account): Account.Account => {
  const saved = SavedAccount.save(account, before)
  const stored: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(SavedAccount.SavedAccount)(saved)))
  return SavedAccount.restore(terms, Schema.decodeUnknownSync(SavedAccount.SavedAccount)(stored), after)
}

const fresh = Account.begin(terms, 0)
const failed: Outcome = { _tag: "Failed", reason: "no answer" }

describe("restore()", () => {
  it("has nothing to spend, however much there was", () => {
    assert.strictEqual(Meter.available(fresh.requests!, before.nowMs), 10)
    const { granted, requests } = takenOver(send(fresh, "t"))
    assert.strictEqual(Meter.available(requests!, after.nowMs), 0)
    assert.strictEqual(granted, 1)
  })

  it("knows the requests under way, for as long as they may last, and takes one back whose sender asks again", () => {
    const then = takenOver(send(send(send(fresh, "1"), "2"), "3"))
    const later = after.nowMs + 5000
    assert.strictEqual(Account.permit(then, { id: "4", ...asking }, later)[1]._tag, "Wait")
    assert.strictEqual(Account.permit(then, { id: "2", ...asking }, later)[1]._tag, "Granted")
    assert.strictEqual(Account.permit(then, { id: "4", ...asking }, after.nowMs + 7000)[1]._tag, "Granted")
  })

  it("leaves an account alone for the rest of the time, whatever the clocks say", () => {
    const refused = send(fresh, "t", { _tag: "Refused", retryAfterMs: 60_000 })
    const { coolDown } = takenOver(refused)
    assert.strictEqual(coolDown.untilMs - after.nowMs, 55_000)
    assert.strictEqual(coolDown.times, 1)
  })

  it("leaves a source alone for the rest of the time, with what is known of it", () => {
    const open = Array.from({ length: 5 }, (_, index) => `${index}`).reduce((then, id) => send(then, id, failed), fresh)
    const [, verdict] = Account.permit(takenOver(open), { id: "t", ...asking }, after.nowMs)
    assert.strictEqual(verdict._tag, "Wait", "five seconds are longer than one, but nothing is there to spend")
    const still = SavedAccount.restore(terms, SavedAccount.save(open, before), { nowMs: 5, wallMs: wallMs + 400 })
    assert.deepInclude(Account.permit(still, { id: "t", ...asking }, 5)[1], {
      _tag: "CircuitOpen",
      failures: 5,
      reason: "no answer",
      retryAfterMs: 600
    })
  })

  it("has another request tried of a source whose trial was under way", () => {
    const open = Array.from({ length: 5 }, (_, index) => `${index}`).reduce((then, id) => send(then, id, failed), fresh)
    const [halfOpen] = Account.permit(open, { id: "trial", ...asking }, before.nowMs + 60_000)
    assert.strictEqual(Account.breakerOf(halfOpen, "binance").state, "halfOpen")
    const breaker = Account.breakerOf(takenOver(halfOpen), "binance")
    assert.deepInclude(breaker, { state: "open", untilMs: after.nowMs })
  })
})

describe("isDue()", () => {
  it("is so after each permit of an account with a limit, and after what others have to know", () => {
    const unlimited = Account.begin(termsOf(), 0)
    assert.isTrue(SavedAccount.isDue(fresh, send(fresh, "t")))
    assert.isFalse(SavedAccount.isDue(unlimited, send(unlimited, "t")))
    assert.isFalse(SavedAccount.isDue(unlimited, send(unlimited, "t", { _tag: "Answered" })))
    assert.isTrue(SavedAccount.isDue(unlimited, send(unlimited, "t", failed)))
    assert.isTrue(SavedAccount.isDue(unlimited, send(unlimited, "t", { _tag: "Refused", retryAfterMs: null })))
  })
})

describe("standingOf()", () => {
  it("tells the limits, what is there, who waits and what is wrong, in times of the wall clock", () => {
    const [waiting] = Account.permit(send(send(send(fresh, "1"), "2"), "3"), { id: "4", ...asking }, before.nowMs)
    const standing = standingOf(waiting, before)
    assert.deepStrictEqual(Schema.decodeUnknownSync(AccountStanding)(standing), {
      account: "main",
      limits: { requestsPerMinute: 60, weightPerMinute: null, concurrency: 3, burst: 10 },
      available: { requests: 7, weight: null },
      inFlight: 3,
      waiting: { interactive: 0, repair: 0, bulk: 1, verify: 0 },
      coolDownUntil: null,
      circuits: [{ source: "binance", state: "closed", failures: 0, reason: "", openUntil: null }]
    })
    const refused = standingOf(send(fresh, "t", { _tag: "Refused", retryAfterMs: 30_000 }), before)
    assert.strictEqual(refused.coolDownUntil, wallMs + 30_000)
    const open = Array.from({ length: 5 }, (_, index) => `${index}`).reduce((then, id) => send(then, id, failed), fresh)
    assert.deepStrictEqual(standingOf(open, before).circuits, [
      { source: "binance", state: "open", failures: 5, reason: "no answer", openUntil: wallMs + 1000 }
    ])
  })
})
