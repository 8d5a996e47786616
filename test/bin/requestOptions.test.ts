/** Does a request say what the command line said, and no more? */
import { Option } from "effect"
import { assert, it } from "vitest"
import { pastOf, type PolicyFlags, requestOptions } from "../../bin/requestOptions.ts"

const unsaid: PolicyFlags = {
  strategy: Option.none(),
  consistency: Option.none(),
  strict: Option.none(),
  onStrictViolation: Option.none(),
  align: Option.none(),
  minVersion: Option.none(),
  deadline: Option.none(),
  sla: [],
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

it.each([true, false])("requestOptions() says strict: %s where that was said", (strict) => {
  assert.deepStrictEqual(requestOptions({ ...unsaid, strict: Option.some(strict) }), { strict })
})

it("requestOptions() has each option under its name of the wire", () => {
  const asked: PolicyFlags = {
    ...unsaid,
    onStrictViolation: Option.some("flag"),
    align: Option.some("expand"),
    minVersion: Option.some(0)
  }
  assert.deepStrictEqual(requestOptions(asked), { onStrictViolation: "flag", align: "expand", minVersion: 0 })
})

it("requestOptions() puts the limits of a policy together; of one that is said twice the last counts", () => {
  const asked: PolicyFlags = {
    ...unsaid,
    deadline: Option.some(2000),
    sla: [{ maxSyncGapBars: 5 }, { onViolation: "error" }, { maxSyncGapBars: 7 }]
  }
  assert.deepStrictEqual(requestOptions(asked), {
    sla: { maxSyncGapBars: 7, onViolation: "error", totalDeadlineMs: 2000 }
  })
})

it("pastOf() says null for what stands, and nothing where nothing was said", () => {
  assert.deepStrictEqual(pastOf(Option.some(null)), { asOf: null })
  assert.deepStrictEqual(pastOf(Option.none()), {})
})
