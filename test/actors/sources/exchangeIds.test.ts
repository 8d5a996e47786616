/** Is the list of exchanges the one that ccxt has? */
import { assert, it } from "vitest"
import { exchangeIds } from "../../../actors/sources/exchangeIds.ts"

it("exchangeIds() are those of ccxt", async () => {
  const ccxt = await import("ccxt")
  assert.deepStrictEqual(exchangeIds(), ccxt.default.exchanges)
})
