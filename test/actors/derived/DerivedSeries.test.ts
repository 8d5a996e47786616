/** Is a series that is rolled up what its finer bars make it, and does it stay so? On a host in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Configuration, SeriesSettings } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { flatBars } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minuteMs = 60_000
const symbol = "A"

/** A source whose bars can be changed, that counts what it is asked, and fails where it is told to. */
const makeMarket = (minutes: ReadonlyArray<number>) => {
  const market = { minutes, price: 1, asked: 0, isDown: false, latencyMs: 0 }
  const capabilities = { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 }
  const source: DataSource = {
    ...makeMemory({ name: "binance", capabilities, bars: new Map() }),
    page: Effect.fnUntraced(function* (request) {
      market.asked += 1
      yield* Effect.sleep(market.latencyMs)
      if (market.isDown) return yield* new RequestFailed({ reason: "busy", retryable: false, retryAfterMs: null })
      const { columns, eventTime } = flatBars(market.minutes)
      const scaled = columns.map(({ name, values }) => ({
        name,
        values: Array.from(values, (value) => Number(value) * market.price)
      }))
      const bars = new Map([[request.symbol, { eventTime, columns: scaled }]])
      return yield* makeMemory({ name: "binance", capabilities, bars }).page(request)
    })
  }
  return { market, source }
}

const node = "a"
const base = { node, intervals: ["1m"], sources: ["binance"], symbol, windowBars: 20 } as const

const configured = (more: ReadonlyArray<SeriesSettings>, first: Partial<SeriesSettings> = {}): Configuration => ({
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ ...base, ...first }, ...more],
  retry: { attempts: 2, baseMs: 100, maxMs: 200 }
})

const five: SeriesSettings = { node, intervals: ["5m"], derivedFrom: "1m", windowBars: 20 }

interface Answer {
  readonly columns: { readonly [name: string]: ReadonlyArray<number> }
  readonly meta: {
    readonly missingRanges: ReadonlyArray<MissingRange>
    readonly coverageVersion: number
    readonly sourceContributions: unknown
  }
}

const read = Effect.fnUntraced(function* (interval: string, [from, to]: readonly [number, number], nodeId = node) {
  const mesh = yield* Mesh
  const body = {
    nodeId,
    interval,
    start: from * minuteMs,
    end: to * minuteMs,
    strategy: "auto_backfill",
    sla: { totalDeadlineMs: 9000 }
  }
  const reply = yield* mesh.request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  const answer: Answer = JSON.parse(new TextDecoder().decode(reply.data))
  assert.isDefined(answer.columns, JSON.stringify(answer))
  const { columns, meta } = answer
  return {
    meta,
    times: columns["event_time"]!.map((time) => time / minuteMs),
    volume: columns["volume"]!,
    flags: columns["__flags"],
    missing: meta.missingRanges.map(({ end, reason, start, state }) => [
      start / minuteMs,
      end / minuteMs,
      state,
      reason
    ])
  }
})

const count = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, index) => from + index)

const inMemory = Effect.provide(MemoryMesh.layer)

describe("a series that is rolled up", () => {
  it.live("is read with a cold finer series, which is filled along; each minute is asked for once", () =>
    Effect.gen(function* () {
      const { market, source } = makeMarket(count(1000, 1100))
      yield* memoryHost.start({ configuration: configured([five]), sources: [source] })
      const got = yield* read("5m", [1000, 1100])
      assert.deepStrictEqual(got.missing, [])
      assert.deepStrictEqual(
        got.times,
        count(0, 20).map((bar) => 1000 + bar * 5)
      )
    }).pipe(inMemory)
  )
})
