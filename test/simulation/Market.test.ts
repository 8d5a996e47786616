/** Is the market the same whoever asks, and does it keep what sources promise of it? */
import { assert, describe, it } from "vitest"
import * as Market from "./Market.ts"

const { barMs } = Market
const times = Array.from({ length: 4000 }, (_, bar) => (28_000_000 + bar) * barMs)

describe("Market", () => {
  it("isTraded() leaves some bars out, and never more in a row than sources promise", () => {
    for (const series of [0, 1]) {
      const traded = times.filter((time) => Market.isTraded(series, time))
      const steps = traded.slice(1).map((time, index) => (time - traded[index]!) / barMs)
      assert.isBelow(traded.length, times.length)
      assert.isAbove(traded.length, 0.8 * times.length)
      assert.isAtMost(Math.max(...steps) - 1, Market.maxEmptyBars)
    }
  })

  it("isTraded() and closeOf() differ between series", () => {
    assert.isTrue(times.some((time) => Market.isTraded(0, time) !== Market.isTraded(1, time)))
    const same = times.filter((time) => Market.closeOf(0, time) === Market.closeOf(1, time))
    assert.isBelow(same.length, 0.02 * times.length)
  })

  it("closeOf() gives neighbours different prices, so that a bar in another's place is noticed", () => {
    const same = times.filter((time) => Market.closeOf(0, time) === Market.closeOf(0, time + barMs))
    assert.isBelow(same.length, 0.02 * times.length)
  })

  it("barsOf() gives what was traded from the start to before the end, in order, and no more than is wanted", () => {
    const [first] = times
    const startMs = first! - 1
    const endMs = times[10]!
    const traded = times.slice(0, 10).filter((time) => Market.isTraded(1, time))
    const all = Market.barsOf(1, { startMs, endMs, barsMax: 100 })
    assert.deepStrictEqual(all.eventTime, traded)
    assert.deepStrictEqual(
      all.columns.find(({ name }) => name === "close")?.values,
      traded.map((time) => Market.closeOf(1, time))
    )
    assert.deepStrictEqual(Market.barsOf(1, { startMs, endMs, barsMax: 3 }).eventTime, traded.slice(0, 3))
  })
})
