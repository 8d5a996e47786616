/** Is an answer waited for as long as was asked, and asked for again when a host would long have given it? */
import { assert, describe, it } from "vitest"
import { askedTimes, batchTimes } from "../../client/askedTimes.ts"
import * as SlaPolicy from "../../protocol/history/SlaPolicy.ts"
import { Strategy } from "../../protocol/history/Strategy.ts"

describe("askedTimes()", () => {
  it("a deadline of the caller's is hard: nothing is asked again within it", () => {
    const sla = { totalDeadlineMs: 5 }
    assert.deepStrictEqual(askedTimes({ sla, strategy: "seamless" }, "seamless"), { budgetMs: 5, deadlineMs: 5 })
  })

  it.each(Strategy.literals)(
    "%s without a deadline is asked again when its own is over, well before the end",
    (name) => {
      const { againMs = 0, budgetMs } = askedTimes({ strategy: name.toUpperCase() }, "seamless")
      const usualMs = SlaPolicy.defaults[name].totalDeadlineMs!
      assert.isAbove(againMs, usualMs)
      assert.isAtMost(againMs, usualMs + 1000)
      assert.isAtLeast(budgetMs, 3 * usualMs)
      assert.deepStrictEqual(askedTimes({}, name), { budgetMs, againMs })
    }
  )

  it("what is no strategy, or no time, is left for the host to refuse", () => {
    const wrong: object = { strategy: 7, sla: { totalDeadlineMs: "soon" } }
    assert.deepStrictEqual(askedTimes(wrong, "seamless"), askedTimes({}, "seamless"))
  })
})

describe("batchTimes()", () => {
  it("the longest of the reads says when a silence is one of a host that is gone", () => {
    assert.strictEqual(batchTimes({}, [{ strategy: "fail_fast" }, { strategy: "auto_backfill" }]).againMs, 9000)
    assert.strictEqual(batchTimes({ strategy: "partial_fill" }, [{}, {}]).againMs, 1500)
    assert.strictEqual(batchTimes({}, [{ sla: { totalDeadlineMs: 200 } }]).againMs, 1200)
  })

  it("no read has more time than the batch", () => {
    const batch = { sla: { totalDeadlineMs: 2000 } }
    assert.deepStrictEqual(batchTimes(batch, [{}, { sla: { totalDeadlineMs: 60_000 } }]), {
      budgetMs: 2000,
      deadlineMs: 2000,
      againMs: 3000
    })
    assert.strictEqual(batchTimes(batch, [{ sla: { totalDeadlineMs: 500 } }]).againMs, 1500)
  })
})
