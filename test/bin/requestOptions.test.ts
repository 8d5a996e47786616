/** Does a request say what the command line said, and no more? */
import { Option } from "effect"
import { assert, it } from "vitest"
import { requestOptions } from "../../bin/requestOptions.ts"

it("requestOptions() leaves what was not said to the service", () => {
  assert.deepStrictEqual(requestOptions({ strategy: Option.none(), deadline: Option.none(), sources: [] }), {})
})

it("requestOptions() makes the deadline the total deadline", () => {
  assert.deepStrictEqual(
    requestOptions({ strategy: Option.some("seamless"), deadline: Option.some(2000), sources: [] }),
    {
      strategy: "seamless",
      sla: { totalDeadlineMs: 2000 }
    }
  )
})

it("requestOptions() prefers the sources in the order in which they were said", () => {
  const asked = { strategy: Option.none(), deadline: Option.none(), sources: ["bybit", "binance"] }
  assert.deepStrictEqual(requestOptions(asked), { sourcePriority: ["bybit", "binance"] })
})
