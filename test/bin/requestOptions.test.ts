/** Does a request say what the command line said, and no more? */
import { Option } from "effect"
import { assert, it } from "vitest"
import { requestOptions } from "../../bin/requestOptions.ts"

it("requestOptions() leaves what was not said to the service", () => {
  assert.deepStrictEqual(requestOptions({ strategy: Option.none(), deadline: Option.none() }), {})
})

it("requestOptions() makes the deadline the total deadline", () => {
  assert.deepStrictEqual(requestOptions({ strategy: Option.some("seamless"), deadline: Option.some(2000) }), {
    strategy: "seamless",
    sla: { totalDeadlineMs: 2000 }
  })
})
