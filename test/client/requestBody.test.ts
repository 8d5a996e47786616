/** Does a call become the request that was meant? */
import { Effect } from "effect"
import { assert, it } from "vitest"
import { requestBody } from "../../client/requestBody.ts"

it("requestBody() puts range and options side by side, and the range wins", async () => {
  const options = { strict: true, start: 7 }
  const body: object = await Effect.runPromise(requestBody(["a", "1m", new Date(60_000), 120_000, options]))
  assert.deepStrictEqual(body, { strict: true, nodeId: "a", interval: "1m", start: 60_000, end: 120_000 })
})
