/** Do runs say of each row what one origin a row would say? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Lineage from "../../../protocol/frame/Lineage.ts"
import { law } from "../../support/law.ts"
import { frame, frameAndOrder, frameAndRows, origin, origins } from "../frames.ts"

const run = fc.tuple(origin, fc.nat(3)).map(([from, rows]): Lineage.LineageRun => ({ rows, ...from }))

const isCanonical = (runs: Lineage.Lineage): boolean =>
  runs.every(({ rows }) => rows > 0) && JSON.stringify(runs) === JSON.stringify(Lineage.compact(runs))

describe("Lineage", () => {
  law("compact() keeps the origin of each row", [fc.array(run)], (runs) => {
    const compact = Lineage.compact(runs)
    expect(origins(compact)).toEqual(origins(runs))
    expect(isCanonical(compact)).toBe(true)
  })
  law("fromRows() gives the compact runs of origins given one by one", [fc.array(origin)], (each) => {
    const runs = Lineage.fromRows({
      rows: each.length,
      goesOn: (row) => {
        expect(each[row]).toBeDefined()
        return JSON.stringify(each[row]) === JSON.stringify(each[row - 1])
      },
      at: (row) => each[row]!
    })
    expect(runs).toEqual(Lineage.compact(each.map((from) => ({ rows: 1, ...from }))))
  })
  law("slice() keeps the origins of the rows in between", [frameAndRows], ({ frame, from, to }) => {
    const part = Lineage.slice(frame.lineage, from, to)
    expect(origins(part)).toEqual(origins(frame.lineage).slice(from, to))
    expect(isCanonical(part)).toBe(true)
  })
  law("pick() takes the origin of each row along", [frameAndOrder], ({ frame, order }) => {
    const picked = Lineage.pick(frame.lineage, order)
    expect(origins(picked)).toEqual(Array.from(order, (row) => origins(frame.lineage)[row]))
    expect(isCanonical(picked)).toBe(true)
  })
  law("pick() of all rows in their order changes nothing", [frame], ({ eventTimeMs, lineage }) =>
    expect(Lineage.pick(lineage, Uint32Array.from(eventTimeMs.keys()))).toEqual(lineage)
  )
  it("pick() of a frame without lineage stays without", () => {
    expect(Lineage.pick([], Uint32Array.of(1, 0))).toEqual([])
  })
  it("pick() makes one run of neighbours of one origin whose runs were apart", () => {
    const runs = ["a", "b", "a"].map((source) => ({ rows: 2, source, ingestAtMs: 0, jobId: "" }))
    expect(Lineage.pick(runs, Uint32Array.of(5, 0, 1))).toEqual([{ ...runs[0], rows: 3 }])
  })
})
