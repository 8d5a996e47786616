/** Are the rows behind a later one flagged, and no others? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { markOutOfOrder } from "../../../actors/conformance/markOutOfOrder.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { law } from "../../support/law.ts"

const late = RowFlag.outOfOrder

describe("markOutOfOrder()", () => {
  it("markOutOfOrder() flags rows behind the highest time so far and keeps their other flags", () => {
    const flags = new Uint32Array(6).fill(RowFlag.live)
    expect(markOutOfOrder({ eventTimeMs: Float64Array.of(0, 120, 60, 90, 120, 180), flags })).toMatchObject({
      outOfOrderCount: 2
    })
    expect(Array.from(flags, (flag) => flag & late)).toEqual([0, 0, late, late, 0, 0])
    expect(flags.every((flag) => (flag & RowFlag.live) !== 0)).toBe(true)
  })

  law("markOutOfOrder() flags a row when some row before it is later", [fc.array(fc.nat(9))], (times) => {
    const flags = new Uint32Array(times.length)
    const { outOfOrderCount } = markOutOfOrder({ eventTimeMs: Float64Array.from(times), flags })
    const expected = times.map((time, row) => times.slice(0, row).some((before) => before > time))
    expect(Array.from(flags, (flag) => flag === late)).toEqual(expected)
    expect(outOfOrderCount).toBe(expected.filter(Boolean).length)
  })
})
