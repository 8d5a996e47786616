/** Is a stretch filled although a bar beside it, which nobody wanted, can't be read? On a host in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { fieldNames, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { read, secondMs } from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node: "a", intervals: ["1s"], sources: ["binance"], symbol: "A", windowBars: 60 }]
}

/** Bars at these seconds; those of `bad` have an open that is no number. */
const barsAt = (seconds: ReadonlyArray<number>, bad: ReadonlyArray<number>): RawRows => ({
  eventTime: seconds.map((second) => second * secondMs),
  columns: fieldNames(ohlcv).map((name) => ({
    name,
    values: seconds.map((second) => (name === "open" && bad.includes(second) ? "abc" : "1"))
  }))
})

describe("a bar that can't be read", () => {
  it.live("is no reason to refuse the stretch beside it, and proves absences as any other", () =>
    Effect.gen(function* () {
      // nothing was traded at 100 and 101, nor at 108 and 109: looks on either side meet the bad bars
      const seconds = [96, 97, 98, 99, 102, 103, 104, 105, 106, 107, 110, 111, 112]
      const source = makeMemory({
        name: "binance",
        capabilities: { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
        bars: new Map([["A", barsAt(seconds, [97, 99, 110])]])
      })
      yield* memoryHost.start({ configuration, sources: [source] })
      const { columns, meta } = yield* read(100 * secondMs, 110 * secondMs)
      assert.deepStrictEqual(
        columns.event_time,
        [102, 103, 104, 105, 106, 107].map((second) => second * secondMs)
      )
      assert.deepStrictEqual(meta.missingRanges, [])
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
