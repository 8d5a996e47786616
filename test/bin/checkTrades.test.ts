/** Is it told before anything starts what can't be made of trades? */
import { assert, describe, it } from "vitest"
import { findDisagreements } from "../../bin/findDisagreements.ts"

const configuration = (source: object, intervals: ReadonlyArray<unknown> = ["1m", "1h"]) => ({
  sources: { binance: { kind: "exchange", exchange: "binance", rows: "trades", ...source } },
  series: [
    { node: "a", intervals, sources: ["binance"], symbol: "BTC/USDT" },
    { node: "a", intervals: ["1d"], derivedFrom: "1h" }
  ]
})

describe("checkTrades()", () => {
  it("takes exchanges of which it is known that they give all trades, up to bars of an hour", () => {
    for (const exchange of ["binance", "binanceus"]) {
      assert.deepStrictEqual(findDisagreements(configuration({ exchange })), [])
    }
  })

  it("says which exchanges can be asked, and what to do with the others", () => {
    assert.deepStrictEqual(findDisagreements(configuration({ exchange: "kraken" })), [
      {
        path: "sources.binance.rows",
        problem:
          "it is not known that kraken gives all trades of a time, as binance and binanceus do: " +
          "leave rows away, and its own bars are asked for"
      }
    ])
    assert.deepStrictEqual(findDisagreements(configuration({ exchange: "kraken", rows: "bars" })), [])
    const [misspelt, ...others] = findDisagreements(configuration({ exchange: "binanze" }))
    assert.deepStrictEqual([misspelt?.path, others], ["sources.binance.exchange", []])
  })

  it("refuses bars of more than an hour, and says that they can be derived", () => {
    assert.deepStrictEqual(findDisagreements(configuration({}, ["1h", "2h", 7])), [
      {
        path: "series[0].intervals[1]",
        problem:
          "of binance: a bar of 2h has too many trades to be made of them at once: " +
          "derive it from bars of 1h or shorter (derivedFrom)"
      }
    ])
  })

  it("holds an account against what a request for trades weighs", () => {
    const accounts = { binance: { requestsPerMinute: 10, weightPerMinute: 3 } }
    const [mistake] = findDisagreements({ ...configuration({}), accounts })
    assert.deepStrictEqual(mistake, {
      path: "accounts.binance.weightPerMinute",
      problem: "is less than one request weighs, which is 4"
    })
    assert.deepStrictEqual(findDisagreements({ ...configuration({ requestWeight: 2 }), accounts }), [])
    assert.deepStrictEqual(findDisagreements({ ...configuration({ rows: "bars" }), accounts }), [])
  })
})
