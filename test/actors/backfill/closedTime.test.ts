/** What comes of a market's closed time on its way to a reader? On a host in memory. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { weekdays } from "../../../protocol/CalendarSettings.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as FrameModule from "../../../protocol/frame/Frame.ts"
import type { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { quietBars } from "../../support/candles.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { rawOf } from "../../support/rows.ts"

const minuteMs = 60_000
const bars = 900

const [open, ...others] = ohlcv.fields

// closed from 05:00 to 10:00
const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  schemas: { ruled: { fields: [open!, ...others], rules: { quality: [{ rule: "barCount", bars: 50 }] } } },
  calendars: {
    pausing: {
      version: 3,
      name: "a market that rests",
      zone: "UTC",
      sessions: [
        { days: [...weekdays], open: "00:00", close: "05:00" },
        { days: [...weekdays], open: "10:00", close: "24:00" }
      ]
    }
  },
  series: [
    {
      node: "a",
      intervals: ["1m"],
      sources: ["binance"],
      symbol: "A",
      windowBars: 300,
      schema: "ruled",
      calendar: "pausing"
    }
  ]
}

interface Audit {
  readonly changes: ReadonlyArray<{ readonly cause: string; readonly added: ReadonlyArray<readonly [number, number]> }>
}

it.live("closed time is no lack of bars to a rule, and the audit names the calendar that proves it", () =>
  Effect.gen(function* () {
    const rows = Uint32Array.from(Array(bars).keys()).filter((bar) => bar < 300 || bar >= 600)
    const source = makeMemory({
      name: "binance",
      capabilities: { barsPerRequest: 1000, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
      bars: new Map([["A", rawOf(FrameModule.pick(quietBars(bars), rows))]])
    })
    yield* memoryHost.start({ configuration, sources: [source] })
    const mesh = yield* Mesh
    const body = { nodeId: "a", interval: "1m", start: 0, end: bars * minuteMs, strategy: "auto_backfill" }
    const reply = yield* mesh.request(Subject.service.read, Codec.toJson({ ...body, requestId: "mine" }), {
      timeoutMs: 20_000
    })
    const { meta }: { readonly meta: HistoryMeta } = JSON.parse(new TextDecoder().decode(reply.data))
    assert.strictEqual(meta.qualitySummary.rows, 600)
    assert.strictEqual(meta.qualitySummary.knownEmptyBars, 300)
    assert.notProperty(meta.qualitySummary, "findings")
    const { changes } = yield* memoryHost.askAdmin<Audit>("audit", { nodeId: "a", interval: "1m" })
    const causes = changes.filter(({ added }) => added.length > 0).map(({ cause }) => cause)
    assert.include(causes.join("; "), "closed by calendar pausing of version 3")
    assert.isTrue(causes.every((cause) => cause.includes("mine")))
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)
