/** Do findings stay with the rows that they are of, when bars beside them are revised? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { type Answer, configuration, read, secondMs, series, sourceOf } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const ruled: Configuration = {
  ...configuration,
  schemas: {
    ruled: {
      fields: [ohlcv.fields[0]!, ...ohlcv.fields.slice(1)],
      rules: { quality: [{ rule: "jump", share: 0.5, severity: "flag" }] }
    }
  },
  series: [{ ...configuration.series[0], schema: "ruled" }]
}

/** Bars of the answer with what rules found in them, by their flags and by what the answer says. */
const suspects = ({ columns, meta: { qualitySummary } }: Answer) => ({
  flagged: columns.event_time.filter((_, row) => (columns.__flags[row]! & RowFlag.suspect) !== 0),
  found: qualitySummary.findings?.["jump"]?.examples
})

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
