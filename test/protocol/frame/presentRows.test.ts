/** Are the rows that have a value told from those that have none, and kept in bits? */
import * as fc from "fast-check"
import { describe, expect } from "vitest"
import * as Bitmap from "../../../protocol/frame/Bitmap.ts"
import { presentRows } from "../../../protocol/frame/presentRows.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { law } from "../../support/law.ts"
import { frame } from "../frames.ts"

describe("presentRows()", () => {
  law("presentRows() finds what JSON has null for, but infinities", [frame], ({ columns }) => {
    for (const column of columns) {
      const isThere = FrameJson.columnJson(column).map(
        (value, row) => value !== null || Math.abs(Number(column.values[row])) === Infinity
      )
      expect(presentRows(column)).toEqual({
        bytes: Uint8Array.from(isThere, Number),
        missing: isThere.filter((each) => !each).length
      })
    }
  })
})

describe("Bitmap", () => {
  law("unpack() gives back what pack() took, in an eighth of the bytes", [fc.array(fc.boolean())], (drawn) => {
    const bytes = Uint8Array.from(drawn, Number)
    const bits = Bitmap.pack(bytes)
    expect(bits.length).toBe(Math.ceil(drawn.length / 8))
    expect(Bitmap.unpack(bits, drawn.length)).toEqual(bytes)
  })
})
