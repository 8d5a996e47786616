/** Does a request say what the command line said, and no more? */
import { Option } from "effect"
import { assert, it } from "vitest"
import { type PolicyFlags, requestOptions } from "../../bin/requestOptions.ts"

const unsaid: PolicyFlags = {
  strategy: Option.none(),
  consistency: Option.none(),
  deadline: Option.none(),
  sources: []
}

it("requestOptions() leaves what was not said to the service", () => {
  assert.deepStrictEqual(requestOptions(unsaid), {})
})

it("requestOptions() makes the deadline the total deadline", () => {
  const asked = { ...unsaid, strategy: Option.some("seamless" as const), deadline: Option.some(2000) }
  assert.deepStrictEqual(requestOptions(asked), { strategy: "seamless", sla: { totalDeadlineMs: 2000 } })
})

it("requestOptions() prefers the sources in the order in which they were said", () => {
  const sources = ["bybit", "binance"]
  assert.deepStrictEqual(requestOptions({ ...unsaid, sources }), { sourcePriority: sources })
})

it("requestOptions() says whose word counts where that was said", () => {
  const asked = { ...unsaid, consistency: Option.some("strict" as const) }
  assert.deepStrictEqual(requestOptions(asked), { consistency: "strict" })
})
