/** Are rows ordered by key after key, then by arrival? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { orderRows } from "../../../actors/conformance/orderRows.ts"
import { law } from "../../support/law.ts"

const keys = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 20 })

describe("orderRows()", () => {
  it("orderRows() takes the next key where the first is equal, and arrival where all are", () => {
    expect(orderRows([Float64Array.of(60, 0, 60, 60), Float64Array.of(9, 5, 8, 9)])).toEqual(Uint32Array.of(1, 2, 0, 3))
  })

  it("orderRows() passes over a key that is NaN throughout", () => {
    const unknown = new Float64Array(3).fill(Number.NaN)
    expect(orderRows([Float64Array.of(2, 1, 1), unknown])).toEqual(Uint32Array.of(1, 2, 0))
  })

  law("orderRows() is the stable order of the pairs", [keys], (pairs) => {
    const expected = pairs.map((pair, row) => ({ pair, row }))
    expected.sort((a, b) => a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1])
    const order = orderRows([Float64Array.from(pairs, ([a]) => a), Float64Array.from(pairs, ([, b]) => b)])
    expect(Array.from(order)).toEqual(expected.map(({ row }) => row))
  })
})
