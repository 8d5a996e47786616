/** Does sealing keep the named rows and stamp their origin? */
import { describe, expect, it } from "vitest"
import { seal } from "../../../actors/conformance/seal.ts"
import { floats } from "../../support/floatFrames.ts"

const origin = { source: "binance", ingestAtMs: 1_763_800_000_000, jobId: "job-1" }
const rows = {
  eventTimeMs: Float64Array.of(60, 0, 60),
  columns: [floats("close", 1, 2, 3)],
  flags: Uint32Array.of(0, 8, 64)
}

describe("seal()", () => {
  it("seal() gives the rows kept, in their order, with one lineage run", () => {
    expect(seal(rows, Uint32Array.of(1, 2), origin)).toEqual({
      eventTimeMs: Float64Array.of(0, 60),
      columns: [floats("close", 2, 3)],
      flags: Uint32Array.of(8, 64),
      lineage: [{ rows: 2, ...origin }]
    })
  })

  it("seal() shares the memory of rows that are all kept", () => {
    const frame = seal(rows, "all", origin)
    expect(frame.eventTimeMs).toBe(rows.eventTimeMs)
    expect(frame.columns[0]?.values).toBe(rows.columns[0]?.values)
  })

  it("seal() of no rows has no lineage", () => {
    const none = { eventTimeMs: new Float64Array(0), columns: [], flags: new Uint32Array(0) }
    expect(seal(none, "all", origin).lineage).toEqual([])
  })
})
