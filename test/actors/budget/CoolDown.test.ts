/** Is an account left alone for as long as it wants to be? */
import { assert, describe, it } from "vitest"
import * as CoolDown from "../../../actors/budget/CoolDown.ts"

const refuse = (
  coolDown: CoolDown.CoolDown,
  nowMs: number,
  retryAfterMs: number | null = null,
  sentAtMs = nowMs - 10
) => CoolDown.refused(coolDown, { sentAtMs, nowMs, retryAfterMs })

describe("CoolDown", () => {
  it("refused() lasts as long as the refusal says, and never less than an earlier one said", () => {
    const long = refuse(CoolDown.none, 1000, 60_000)
    assert.strictEqual(long.untilMs, 61_000)
    assert.strictEqual(refuse(long, 2000, 1000).untilMs, 61_000)
    assert.strictEqual(refuse(CoolDown.none, 1000, 0).untilMs, 1000)
  })

  it("refused() lasts for a growing time where it does not say, up to five minutes", () => {
    let coolDown = CoolDown.none
    let nowMs = 0
    const lengths: Array<number> = []
    for (let times = 0; times < 10; times++) {
      nowMs = Math.max(nowMs, coolDown.untilMs) + 100
      coolDown = refuse(coolDown, nowMs)
      lengths.push(coolDown.untilMs - nowMs)
    }
    assert.deepStrictEqual(lengths.slice(0, 3), [2000, 4000, 8000])
    assert.deepStrictEqual(lengths.slice(-2), [300_000, 300_000])
  })

  it("refused() counts the refusals of requests that were under way together once", () => {
    const first = refuse(CoolDown.none, 1000, null, 900)
    const second = refuse(first, 1010, null, 950)
    assert.strictEqual(second.times, 1)
    assert.strictEqual(second.untilMs, 3010)
    assert.strictEqual(refuse(second, 4000, null, 3900).times, 2)
  })

  it("answered() makes the time short again, unless the request was sent before the last refusal", () => {
    const twice = refuse(refuse(CoolDown.none, 1000), 5000)
    assert.strictEqual(CoolDown.answered(twice, 4990), twice)
    assert.strictEqual(CoolDown.answered(twice, 9000).times, 0)
    assert.strictEqual(refuse(CoolDown.answered(twice, 9000), 10_000).untilMs, 12_000)
    assert.strictEqual(CoolDown.answered(CoolDown.none, 0), CoolDown.none)
  })

  it("refused() never lasts longer than the longest ban that is known", () => {
    assert.strictEqual(refuse(CoolDown.none, 0, 1e15).untilMs, 3 * 86_400_000)
  })
})
