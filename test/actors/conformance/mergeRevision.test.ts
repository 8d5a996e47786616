/** Does a revision take just what its source gives otherwise, and leave the rest as it was to the bit? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { mergeRevision } from "../../../actors/conformance/mergeRevision.ts"
import { tellRevised, timeOfRevised } from "../../../actors/conformance/tellRevised.ts"
import type { Column } from "../../../protocol/frame/Column.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import * as Lineage from "../../../protocol/frame/Lineage.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { revisedBarsMax, toldTextMax } from "../../../protocol/history/RevisedBar.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { law } from "../../support/law.ts"
import { conformed, flatBars } from "../../support/rows.ts"

const minuteMs = 60_000

/** The price of each minute that has a bar. */
type Prices = ReadonlyMap<number, number>

const sorted = (prices: Prices) => Array.from(prices).toSorted(([a], [b]) => a - b)

const frameOf = (prices: Prices, ingestAtMs: number): Frame.Frame => {
  const bars = sorted(prices)
  return conformed(
    flatBars(
      bars.map(([minute]) => minute),
      bars.map(([, price]) => price)
    ),
    { ingestAtMs, flags: RowFlag.backfilled }
  ).frame
}

const prices = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.constantFrom(1, 2, Number.NaN, 0, -0)), { maxLength: 25 })
  .map((bars): Prices => new Map(bars))
const minutes = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 31 })), { maxLength: 4 })
  .map((pairs) => RangeSet.make(pairs.map(([a, b]) => [a * minuteMs, b * minuteMs] as const)))

const [storedAtMs, fetchedAtMs] = [1000, 2000]

/** One number for each, as a content hash has them. */
const isSamePrice = (a: number | undefined, b: number | undefined): boolean =>
  a === b || (Number.isNaN(a) && Number.isNaN(b))

const rowsOf = ({ columns, eventTimeMs, flags, lineage }: Frame.Frame) =>
  Array.from(eventTimeMs, (time, row) => ({
    minute: time / minuteMs,
    close: Number(columns.find(({ name }) => name === "close")?.values[row]),
    isRevised: (flags[row]! & RowFlag.revised) > 0,
    ingestAtMs: Lineage.slice(lineage, row, row + 1)[0]?.ingestAtMs
  }))

describe("mergeRevision()", () => {
  law(
    "mergeRevision() gives each bar as the naive model does, and marks those that differ alone",
    [prices, prices, minutes],
    (stored, fetched, ranges) => {
      const { frame } = mergeRevision(frameOf(stored, storedAtMs), frameOf(fetched, fetchedAtMs), ranges)
      const wanted = Array.from({ length: 31 }, (_, minute) => minute).flatMap((minute) => {
        const [old, fresh] = [stored.get(minute), fetched.get(minute)]
        const isKept = !includes(ranges, minute * minuteMs) || (old !== undefined && isSamePrice(old, fresh))
        const close = isKept ? old : fresh
        if (close === undefined) return []
        return [{ minute, close, isRevised: !isKept, ingestAtMs: isKept ? storedAtMs : fetchedAtMs }]
      })
      assert.deepStrictEqual(rowsOf(frame), wanted)
      assert.isTrue(Frame.isAscending(frame.eventTimeMs))
    }
  )

  law("mergeRevision() of the same rows changes nothing", [prices, minutes], (stored, ranges) => {
    const { after, before, frame } = mergeRevision(frameOf(stored, storedAtMs), frameOf(stored, fetchedAtMs), ranges)
    assert.deepStrictEqual(frame, frameOf(stored, storedAtMs))
    assert.deepStrictEqual([Frame.length(before), Frame.length(after)], [0, 0])
  })

  law(
    "mergeRevision() done twice is done once; a row that was revised stays marked",
    [prices, prices, minutes],
    (stored, fetched, ranges) => {
      const once = mergeRevision(frameOf(stored, storedAtMs), frameOf(fetched, fetchedAtMs), ranges)
      const twice = mergeRevision(once.frame, frameOf(fetched, 3000), ranges)
      assert.deepStrictEqual(twice.frame, once.frame)
      assert.strictEqual(Frame.length(twice.after) + Frame.length(twice.before), 0)
    }
  )

  law(
    "timeOfRevised() is within what was asked about, and has each bar that differs",
    [prices, prices, minutes],
    (stored, fetched, ranges) => {
      const revision = mergeRevision(frameOf(stored, storedAtMs), frameOf(fetched, fetchedAtMs), ranges)
      const time = timeOfRevised(revision, minuteMs)
      for (let minute = 0; minute <= 30; minute++) {
        const differs = !isSamePrice(stored.get(minute), fetched.get(minute))
        const isRevised = includes(ranges, minute * minuteMs) && differs
        assert.strictEqual(includes(time, minute * minuteMs), isRevised, `minute ${minute}`)
      }
    }
  )
})

describe("tellRevised()", () => {
  const tell = (stored: Prices, fetched: Prices) =>
    tellRevised(
      mergeRevision(frameOf(stored, storedAtMs), frameOf(fetched, fetchedAtMs), RangeSet.of(0, Infinity)),
      "binance"
    )

  it("tellRevised() tells the columns that differ, and all of a bar that appeared or vanished", () => {
    const stored = frameOf(new Map([[1, 5]]), storedAtMs)
    const fetched = frameOf(new Map([[1, 5]]), fetchedAtMs)
    const close = fetched.columns.find(({ name }) => name === "close")
    assert.isDefined(close)
    close.values[0] = 6
    const changed = tellRevised(mergeRevision(stored, fetched, RangeSet.of(0, Infinity)), "binance")
    assert.deepStrictEqual(changed, [
      { eventTime: minuteMs, source: "binance", before: { close: 5 }, after: { close: 6 } }
    ])
    const whole = { open: 5, high: 5, low: 5, close: 5, volume: 5 }
    assert.deepStrictEqual(tell(new Map([[2, 5]]), new Map([[3, 5]])), [
      { eventTime: 2 * minuteMs, source: "binance", before: whole, after: null },
      { eventTime: 3 * minuteMs, source: "binance", before: null, after: whole }
    ])
  })

  it("tellRevised() tells of the first bars alone where there are many, and null for what JSON has no number for", () => {
    const all = Array.from({ length: 200 }, (_, minute) => [minute, 1] as const)
    const told = tell(new Map(all), new Map(all.map(([minute]) => [minute, Number.NaN])))
    assert.deepStrictEqual(
      told.map(({ eventTime }) => eventTime / minuteMs),
      Array.from({ length: revisedBarsMax }, (_, minute) => minute)
    )
    assert.isNull(told[0]?.after?.["close"])
  })

  it("tellRevised() tells the begin of a long text, so that a root has room for all of them", () => {
    const withText = (text: string): Frame.Frame => {
      const frame = frameOf(new Map([[1, 5]]), storedAtMs)
      const column: Column = { name: "note", type: "category", values: new Uint32Array(1), dictionary: [text] }
      return { ...frame, columns: [...frame.columns, column] }
    }
    const [told] = tellRevised(
      mergeRevision(withText("x".repeat(5000)), withText("short"), RangeSet.of(0, Infinity)),
      "binance"
    )
    assert.deepStrictEqual(told?.before, { note: `${"x".repeat(toldTextMax - 1)}…` })
    assert.deepStrictEqual(told?.after, { note: "short" })
  })
})
