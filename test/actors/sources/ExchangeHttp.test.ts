/** What does a refusal ask for, and what may be said of it? */
import { assert, describe, it } from "@effect/vitest"
import { retryAfterMs, shortReason } from "../../../actors/sources/ExchangeHttp.ts"

describe("retryAfterMs", () => {
  const date = "Tue, 13 Dec 2022 00:00:00 GMT"

  it.each([
    ["seconds", { "Retry-After": "1" }, 1000],
    ["parts of seconds", { "Retry-After": " 0.25 " }, 250],
    ["nothing to wait for", { "Retry-After": "0" }, 0],
    ["a date, by the answer's own", { "Retry-After": "Tue, 13 Dec 2022 00:01:30 GMT", Date: date }, 90_000],
    ["a date that has passed", { "Retry-After": "Mon, 12 Dec 2022 00:00:00 GMT", Date: date }, 0],
    ["a date in an answer without one", { "Retry-After": "Tue, 13 Dec 2022 00:01:30 GMT" }, null],
    ["anything else", { "Retry-After": "soon", Date: date }, null],
    ["no word of it", { Date: date }, null]
  ])("understands %s", (_, headers, expected) => {
    assert.strictEqual(retryAfterMs(new Headers(headers)), expected)
  })
})

describe("shortReason", () => {
  it.each([
    ["several\r\n\tlines\u0000 \u001b[31m", "several lines [31m"],
    ["GET https://me:secret@api.test/v3/time?key=secret&b=1 failed", "GET https://api.test/v3/time failed"],
    ["http://me:secret@api.test: http://a.test/?b", "http://api.test: http://a.test/"],
    ["x".repeat(200), "x".repeat(200)],
    ["x".repeat(201), `${"x".repeat(199)}…`]
  ])("gives one short line without secrets for %j", (text, expected) => {
    assert.strictEqual(shortReason(text), expected)
  })
})
