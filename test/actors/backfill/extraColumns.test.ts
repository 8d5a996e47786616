/** Are columns that no schema names the same wherever pages end, or refused? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as fc from "fast-check"
import { chunkColumns } from "../../../actors/conformance/chunkColumns.ts"
import { mergeFrames } from "../../../actors/conformance/mergeFrames.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import type { RawRows, RawValue } from "../../../protocol/frame/RawRows.ts"
import { refilled, sourceOf } from "../../support/refills.ts"
import { flatBars } from "../../support/rows.ts"

const minuteMs = 60_000

/** Minute bars from 0 on with these further values, by column. */
const rowsWith = (extras: Readonly<Record<string, ReadonlyArray<RawValue>>>, count: number): RawRows => {
  const { columns, eventTime } = flatBars(Array.from({ length: count }, (_, minute) => minute))
  return { eventTime, columns: [...columns, ...Object.entries(extras).map(([name, values]) => ({ name, values }))] }
}

/** Refills all of the rows from pages of these lengths, one after another and over again. */
const inPages = Effect.fnUntraced(function* ({ columns, eventTime }: RawRows, lengths: ReadonlyArray<number>) {
  let page = 0
  const source = sourceOf(({ start }) => {
    const from = start / minuteMs
    const to = from + lengths[page++ % lengths.length]!
    return {
      eventTime: Array.from(eventTime, Number).slice(from, to),
      columns: columns.map(({ name, values }) => ({ name, values: Array.from<RawValue>(values).slice(from, to) }))
    }
  })
  const { ended, entry, steps } = yield* refilled(source, [0, eventTime.length])
  const frame = mergeFrames([Frame.empty(entry.schema), ...steps.map(({ rows }) => rows)])
  return { ended, frame: chunkColumns(frame, entry.schema) }
})

const bars = 12

const columnOf = <A extends RawValue>(...values: ReadonlyArray<A>) =>
  fc.array(fc.option(fc.constantFrom(...values), { freq: 2 }), { minLength: bars, maxLength: bars })

const lengths = fc.array(fc.integer({ min: 1, max: bars }), { minLength: 1, maxLength: 4 })

const extras = fc.record(
  {
    // the last name first: the order in which pages have them says nothing
    venue: columnOf("007", "7", "NaN", "1e3", "x"),
    trades: columnOf(1n, 2n ** 53n + 1n),
    halted: columnOf(true, false),
    funding: columnOf(1, 0.5, Number.NaN)
  },
  { requiredKeys: [] }
)

describe("pagedBackfiller() of columns that no schema names", () => {
  it.effect("pagedBackfiller() brings the same columns, types and values wherever pages end", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(extras, lengths, (drawn, cut) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const rows = rowsWith(drawn, bars)
              const [whole, parts] = [yield* inPages(rows, [bars]), yield* inPages(rows, cut)]
              assert.isTrue(Result.isSuccess(whole.ended))
              const named = ({ frame }: typeof whole) => frame.columns.map(({ name, type }) => `${name}: ${type}`)
              assert.deepStrictEqual(named(parts), named(whole))
              assert.strictEqual(contentHash(parts.frame), contentHash(whole.frame))
            })
          )
        ),
        { numRuns: 200 }
      )
    )
  )

  it.effect("pagedBackfiller() refuses a column whose type changes wherever pages end, and names it", () =>
    Effect.gen(function* () {
      const rows = rowsWith({ mood: [null, 1, 2, null, "x", null, "y", 3] }, 8)
      for (const cut of [[8], [1], [2], [3], [4], [5], [2, 3]]) {
        const { ended } = yield* inPages(rows, cut)
        const failure = Result.getOrThrow(Result.flip(ended))
        assert.include(failure, { tag: "RowsRejected" })
        assert.match(
          (failure as { readonly reason: string }).reason,
          /^mood.*(category.*float64|float64.*category).*in the schema/
        )
      }
    })
  )

  it.effect("pagedBackfiller() keeps text that reads as a number as it is", () =>
    Effect.gen(function* () {
      const { frame } = yield* inPages(rowsWith({ lot: ["007", "7", "x"] }, 3), [2])
      assert.deepInclude(frame.columns.at(-1), { name: "lot", type: "category", dictionary: ["007", "7", "x"] })
    })
  )
})
