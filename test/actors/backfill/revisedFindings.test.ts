/** Do findings stay with the rows that they are of, when bars beside them are revised? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import type { QualityRule } from "../../../protocol/frame/QualityRules.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { type Answer, configuration, read, secondMs, series, sourceOf } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"

/** The one series, judged by that rule beside the usual ones. */
const ruledBy = (rule: QualityRule): Configuration => ({
  ...configuration,
  schemas: { ruled: { fields: [ohlcv.fields[0]!, ...ohlcv.fields.slice(1)], rules: { quality: [rule] } } },
  series: [{ ...configuration.series[0], schema: "ruled" }]
})

const ruled = ruledBy({ rule: "jump", share: 0.5, severity: "flag" })

/** Bars of the answer with what rules found in them, by their flags and by what the answer says. */
const suspects = ({ columns, meta: { qualitySummary } }: Answer, rule = "jump") => ({
  flagged: columns.event_time.filter((_, row) => (columns.__flags[row]! & RowFlag.suspect) !== 0),
  found: qualitySummary.findings?.[rule]?.examples
})

it.live("a repair flags the rows that a rule finds something in, also where later rows on the next page tell it", () =>
  Effect.gen(function* () {
    // of the first ten bars four are left, at other prices
    let isThin = false
    const isLeft = (bar: number): boolean => !isThin || bar >= 10 * secondMs || [0, 4, 8, 9].includes(bar / secondMs)
    const { source } = sourceOf((bar) => (isLeft(bar) ? (isThin ? 2 : 1) + bar / 1e6 : null))
    const fiveBars: DataSource = {
      ...source,
      capabilities: { ...source.capabilities, barsPerRequest: 5 },
      page: (request) => source.page({ ...request, end: Math.min(request.end, request.start + 5 * secondMs) })
    }
    const counting = ruledBy({ rule: "barCount", bars: 10, severity: "flag" })
    yield* memoryHost.start({ configuration: counting, sources: [fiveBars] })
    assert.deepStrictEqual(suspects(yield* read(0, 20 * secondMs), "barCount"), { flagged: [], found: undefined })
    isThin = true
    yield* memoryHost.askAdmin<Verified>("repair", { ...series, start: 0, end: 20 * secondMs, reason: "corrected" })
    assert.deepStrictEqual(suspects(yield* read(0, 20 * secondMs), "barCount"), {
      flagged: [0, 4, 8, 9].map((bar) => bar * secondMs),
      found: [0, 4, 8, 9].map((bar) => bar * secondMs)
    })
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)

it.live("a revision leaves the findings of rows that stay, and takes those of rows that it brings", () =>
  Effect.gen(function* () {
    // the price jumps at the fourth bar, which is the first that is repaired, and by the correction at the seventh
    const priceOf = (bar: number): number => (bar < 3 * secondMs ? 1 : 2) + bar / 1e6
    const { source } = sourceOf((bar, count) => (count > 1 && bar === 6 * secondMs ? 9 : priceOf(bar)))
    yield* memoryHost.start({ configuration: ruled, sources: [source] })
    const before = yield* read(0, 10 * secondMs)
    assert.deepStrictEqual(suspects(before), { flagged: [3 * secondMs], found: [3 * secondMs] })
    const asked = { ...series, start: 3 * secondMs, end: 10 * secondMs, reason: "corrected" }
    assert.strictEqual((yield* memoryHost.askAdmin<Verified>("repair", asked)).repairedBars, 1)
    const after = yield* read(0, 10 * secondMs)
    assert.deepStrictEqual(suspects(after), {
      flagged: [3 * secondMs, 6 * secondMs],
      found: [3 * secondMs, 6 * secondMs]
    })
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)
