/** What comes of a market's closed time on its way to a reader? On a host in memory. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import { weekdayOf, weekdays } from "../../../protocol/CalendarSettings.ts"
import { ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as FrameModule from "../../../protocol/frame/Frame.ts"
import type { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { quietBars } from "../../support/candles.ts"
import * as changing from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { rawOf } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

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

/** A market that is closed today, yesterday and tomorrow. */
const closedNow = (nowMs: number): Configuration => ({
  ...changing.configuration,
  calendars: {
    resting: {
      version: 1,
      name: "a market that rests",
      zone: "UTC",
      sessions: [{ days: [weekdayOf(Math.floor(nowMs / 86_400_000) + 3)], open: "00:00", close: "24:00" }]
    }
  },
  series: [{ ...changing.configuration.series[0], calendar: "resting", windowBars: 86_400 }]
})

it.live("closed time takes no stored bar back: a source that traded through is asked for bars on either side", () =>
  Effect.gen(function* () {
    const nowMs = yield* changing.barNow
    const start = nowMs - 20 * changing.secondMs
    // what it gives from the second request on: nothing for longer than counts as a lack of trades, and other prices
    const { source } = changing.sourceOf((bar, count) =>
      count === 1 ? 1 : bar >= start + changing.secondMs && bar < start + 11 * changing.secondMs ? null : 7
    )
    yield* memoryHost.start({ configuration: closedNow(nowMs), sources: [source] })
    assert.lengthOf((yield* changing.read(start, nowMs)).columns.close, 20)
    assert.include((yield* changing.rootNow).diff.cause, "closed by")
    yield* untilTrue("all has settled", changing.isSettled, 18_000)
    const settled = yield* changing.rootNow
    assert.strictEqual(settled.diff.cause, "settle")
    assert.isDefined(settled.diff.revised)
    // one window at once
    const edge = nowMs - (nowMs % (60 * changing.secondMs))
    const ranges = start < edge && edge < nowMs ? [[start, edge] as const, [edge, nowMs] as const] : [[start, nowMs]]
    const repaired = yield* Effect.forEach(ranges, ([from, until]) =>
      memoryHost.askAdmin<Verified>("repair", { ...changing.series, start: from, end: until, reason: "it has gaps" })
    )
    const parts = repaired.flatMap((each) => each.parts)
    assert.deepStrictEqual(
      parts.filter(({ absentBars }) => absentBars > 0),
      []
    )
    const { close } = (yield* changing.read(start, nowMs)).columns
    assert.deepStrictEqual(close, [7, ...Array.from({ length: 10 }, () => 1), ...Array.from({ length: 9 }, () => 7)])
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)

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
