/** What becomes of stored bars whose rows come too late when they are asked for once more? On hosts in memory. */
import { assert, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import * as changing from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { pickRows } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

// longer than a busy machine takes for five reads
const settleMs = 10_000

const configuration: Configuration = {
  ...changing.configuration,
  sources: { binance: { kind: "exchange", exchange: "binance", settleMs, finalityDelayMs: 0 } },
  schemas: {
    dropping: {
      fields: [ohlcv.fields[0]!, ...ohlcv.fields.slice(1)],
      rules: { lateness: { beyond: "drop" } }
    }
  },
  series: [{ ...changing.configuration.series[0], schema: "dropping", windowBars: 86_400 }]
}

/** The rows, the last before all others but the first. */
const outOfOrder = (rows: RawRows): RawRows => {
  const last = rows.eventTime.length - 1
  return last < 4 ? rows : pickRows(rows, [0, last, ...Array.from({ length: last - 1 }, (_, row) => row + 1)])
}

it.live("rows that are left out as late have had their answer: what is stored of them stays, and has settled", () =>
  Effect.gen(function* () {
    const { asked, source } = changing.sourceOf((_, count) => (count > 5 ? 7 : 1))
    const disordered: DataSource = { ...source, page: (request) => Effect.map(source.page(request), outOfOrder) }
    const hosts = { configuration, sources: [disordered] }
    const nowMs = yield* Effect.scoped(
      Effect.gen(function* () {
        yield* memoryHost.start(hosts, "first")
        const nowMs = yield* changing.barNow
        // one by one: no row is late then
        for (let start = nowMs - 5 * changing.secondMs; start < nowMs; start += changing.secondMs) {
          yield* changing.read(start, start + changing.secondMs)
        }
        return nowMs
      })
    )
    assert.lengthOf(asked, 5)
    assert.isDefined((yield* changing.rootNow).unsettled)
    // bars are asked for again together, up to a quarter of the time later
    const isDue = Effect.map(Clock.currentTimeMillis, (time) => time > nowMs + 1.25 * settleMs)
    yield* untilTrue("all of them are due at once", isDue, 2 * settleMs)
    yield* memoryHost.start(hosts, "second")
    yield* untilTrue("all has settled", changing.isSettled, 10_000)
    assert.deepStrictEqual(asked.slice(5), [[nowMs - 5 * changing.secondMs, nowMs]])
    const { close } = (yield* changing.read(nowMs - 5 * changing.secondMs, nowMs)).columns
    assert.deepStrictEqual(close, [7, 1, 7, 7, 7])
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)
