/** Is what a configuration allows understood, also where it says nothing? */
import { assert, describe, it } from "vitest"
import { accountsOf } from "../../../actors/budget/AccountTerms.ts"
import { type AccountSettings, defaults } from "../../../protocol/Settings.ts"
import type { ExchangeSettings } from "../../../protocol/SourceSettings.ts"

const source = (more: Partial<ExchangeSettings> = {}): ExchangeSettings => ({
  kind: "exchange",
  exchange: "binance",
  ...more
})

const series = [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A" }] as const

const termsOf = (sources: Record<string, ExchangeSettings>, accounts: Record<string, AccountSettings> = {}) =>
  accountsOf({ sources, accounts, series })

describe("accountsOf()", () => {
  it("gives a source without an account one of its own name, without limits", () => {
    const terms = termsOf({ binance: source(), constructor: source() })
    assert.deepStrictEqual([...terms.keys()], ["binance", "constructor"])
    assert.deepInclude(terms.get("constructor"), { requests: undefined, weight: undefined, concurrency: undefined })
    assert.deepStrictEqual(terms.get("binance")?.sources.get("binance"), {
      weight: 1,
      concurrency: defaults.concurrency,
      timeoutMs: defaults.requestTimeoutMs,
      failuresMax: defaults.breakerFailures
    })
  })

  it("gives sources of one account one budget, and a source whose name an account has that account", () => {
    const accounts = { main: { requestsPerMinute: 100 }, okx: { requestsPerMinute: 10, concurrency: 2 } }
    const terms = termsOf({ a: source({ account: "main" }), b: source({ account: "main" }), okx: source() }, accounts)
    assert.deepStrictEqual([...terms.keys()], ["main", "okx"])
    assert.deepStrictEqual([...terms.get("main")!.sources.keys()], ["a", "b"])
    assert.deepStrictEqual(terms.get("main")?.requests, { perMinute: 100, burst: 5 })
    assert.deepInclude(terms.get("okx"), { requests: { perMinute: 10, burst: 1 }, concurrency: 2 })
  })

  it("weighs a request for trades as the exchange does, unless its source says otherwise", () => {
    const terms = termsOf({ a: source({ rows: "trades" }), b: source({ rows: "trades", requestWeight: 2 }) })
    const weights = ["a", "b"].map((name) => terms.get(name)?.sources.get(name)?.weight)
    assert.deepStrictEqual(weights, [4, 2])
  })

  it("gives weight the same share for a burst as requests, and one request at the least", () => {
    const accounts = { main: { requestsPerMinute: 100, weightPerMinute: 1000, burst: 20 } }
    const heavy = (requestWeight: number) =>
      termsOf({ a: source({ account: "main", requestWeight }), b: source({ account: "main" }) }, accounts).get("main")
    assert.deepStrictEqual(heavy(2)?.weight, { perMinute: 1000, burst: 200 })
    assert.deepStrictEqual(heavy(500)?.weight, { perMinute: 1000, burst: 500 })
  })
})
