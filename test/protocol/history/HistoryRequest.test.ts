/** Which requests are understood, and does a refusal name the field? */
import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { CoverageRequest, EnsureRequest, HistoryRequest } from "../../../protocol/history/HistoryRequest.ts"

const decode = Schema.decodeUnknownResult(HistoryRequest)

const least = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m", start: 1_670_889_600_000, end: 1_670_889_780_000 }

const full = {
  ...least,
  strategy: "auto_backfill",
  strict: true,
  onStrictViolation: "flag",
  sourcePriority: ["binance", "bybit"],
  sla: { totalDeadlineMs: 2000, minCoverage: 0.5, onViolation: "error" },
  align: "expand",
  minVersion: 3,
  requestId: "r-1",
  returnMeta: false
}

const refusal = (request: unknown): string => {
  const result = decode(request)
  return Result.isFailure(result) ? result.failure.message : "accepted"
}

describe("HistoryRequest", () => {
  it.each([
    ["the least", least],
    ["everything", full],
    ["times before 1970", { ...least, start: -60_000, end: 0 }]
  ])("a request may say %s", (_, request) => expect(decode(request)).toEqual(Result.succeed(request)))
  it.each(["fail_fast", "partial_fill", "auto_backfill", "seamless", "FAIL_FAST", "SEAMLESS"])(
    "a request may name the strategy %s",
    (strategy) => expect(refusal({ ...least, strategy })).toBe("accepted")
  )
  it.each([
    ["nodeId", { ...least, nodeId: 7 }],
    ["interval", { ...least, interval: null }],
    ["start", { ...least, start: 0.5 }],
    ["start", { ...least, start: "2022-12-13" }],
    ["end", { ...least, end: 2 ** 53 }],
    ["strategy", { ...least, strategy: "seamles" }],
    ["strict", { ...least, strict: "yes" }],
    ["onStrictViolation", { ...least, onStrictViolation: "throw" }],
    ["sourcePriority", { ...least, sourcePriority: "binance" }],
    ["sla", { ...least, sla: { totalDeadlineMs: -1 } }],
    ["align", { ...least, align: "down" }],
    ["minVersion", { ...least, minVersion: 1.5 }],
    ["requestId", { ...least, requestId: 1 }]
  ])("a refusal names the field %s", (field, request) => expect(refusal(request)).toContain(`["${field}"`))
  it.each(["nodeId", "interval", "start", "end"])("a request without %s is refused", (field) => {
    const { [field]: _absent, ...rest }: Record<string, unknown> = least
    expect(refusal(rest)).toContain(`["${field}"]`)
  })
  it("a request to fill has the same fields, but for the metadata", () => {
    const { returnMeta: _only, ...shared } = full
    expect(Schema.decodeUnknownSync(EnsureRequest)(shared)).toEqual(shared)
  })
  it("a request for coverage names a series and nothing else", () => {
    expect(Schema.decodeUnknownSync(CoverageRequest)(least)).toEqual({ nodeId: least.nodeId, interval: "1m" })
  })
})
