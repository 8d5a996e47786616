/** Is nothing taken for older than it is, whichever server's clock is ahead? */
import { describe, expect, it } from "vitest"
import { earliest } from "../../../runtime/nats/readNames.ts"

describe("earliest()", () => {
  it("earliest() goes by the clock that is furthest behind, whoever has it", () => {
    const [one, two, three] = ["2026-03-01T00:00:03Z", "2026-03-01T00:00:01.5Z", "2026-03-01T00:00:02Z"]
    const at = Date.parse(two)
    expect(earliest([{ created: two, ts: one }, { ts: three }])).toBe(at)
    expect(earliest([{ created: one, ts: two }, { ts: three }])).toBe(at)
    expect(earliest([{ created: one, ts: three }, { ts: two }])).toBe(at)
  })

  it("earliest() does without what a server does not say", () => {
    expect(earliest([{ created: "1970-01-01T00:00:07Z" }, { ts: "" }])).toBe(7000)
  })
})
