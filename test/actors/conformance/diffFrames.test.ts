/** Are just the bars told that differ, with what they were and what they are? */
import { describe, expect, it } from "vitest"
import { diffFrames } from "../../../actors/conformance/diffFrames.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import { floatColumns, floats } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars, sealedFrame } from "../../support/rows.ts"

const frameOf = (minutes: ReadonlyArray<number>, prices?: ReadonlyArray<number>): Frame =>
  conformed(flatBars(minutes, prices)).frame

const five = (value: number) => ({ open: value, high: value, low: value, close: value, volume: value })

/** The frame's bars by their times. */
const barsOf = (frame: Frame): ReadonlyMap<number, ReadonlyArray<number>> =>
  new Map(Array.from(frame.eventTimeMs, (time, row) => [time, floatColumns(frame).map(({ values }) => values[row]!)]))

describe("diffFrames()", () => {
  it("diffFrames() tells changed bars by the columns that differ, and added and removed ones whole", () => {
    const before = frameOf([1, 2, 3])
    const after = frameOf([2, 3, 4], [2, 30, 4])
    expect(diffFrames(before, after)).toEqual([
      { eventTime: 60_000, before: five(1), after: null },
      { eventTime: 180_000, before: five(3), after: five(30) },
      { eventTime: 240_000, before: null, after: five(4) }
    ])
    const changed = { ...before, columns: [floats("open", 1, 2.5, 3), ...before.columns.slice(1)] }
    expect(diffFrames(before, changed)).toEqual([{ eventTime: 120_000, before: { open: 2 }, after: { open: 2.5 } }])
  })

  it("diffFrames() takes a missing value for null, and a column that one lacks for missing", () => {
    const before = frameOf([1])
    const vwap = (value: number): Frame => ({
      ...before,
      columns: [...before.columns, floats("vwap", value)]
    })
    expect(diffFrames(before, vwap(Number.NaN))).toEqual([])
    expect(diffFrames(before, vwap(7))).toEqual([{ eventTime: 60_000, before: { vwap: null }, after: { vwap: 7 } }])
    expect(diffFrames(vwap(7), before)[0]).toMatchObject({ before: { vwap: 7 }, after: { vwap: null } })
  })

  it("diffFrames() takes lineage and flags for no difference", () => {
    const before = frameOf([1, 2])
    const lineage = [{ source: "kraken", ingestAtMs: 5, jobId: "other", rows: 2 }]
    expect(diffFrames(before, { ...before, flags: Uint32Array.of(1, 2), lineage })).toEqual([])
  })

  law("diffFrames() of a frame and itself is nothing", [sealedFrame], (frame) => {
    expect(diffFrames(frame, frame)).toEqual([])
  })

  law("diffFrames() makes of the one frame the other", [sealedFrame, sealedFrame], (before, after) => {
    const bars = new Map(barsOf(before))
    const names = after.columns.map(({ name }) => name)
    for (const { after: now, before: old, eventTime } of diffFrames(before, after)) {
      expect(bars.has(eventTime)).toBe(old !== null)
      const standing = bars.get(eventTime) ?? []
      if (now === null) bars.delete(eventTime)
      else
        bars.set(
          eventTime,
          names.map((name, column) => (name in now ? Number(now[name]) : standing[column]!))
        )
    }
    expect(new Map([...bars].toSorted(([a], [b]) => a - b))).toEqual(barsOf(after))
  })

  law("diffFrames() the other way round says the opposite", [sealedFrame, sealedFrame], (before, after) => {
    const turned = diffFrames(after, before).map((change) => ({
      ...change,
      before: change.after,
      after: change.before
    }))
    expect(turned).toEqual(diffFrames(before, after))
  })
})
