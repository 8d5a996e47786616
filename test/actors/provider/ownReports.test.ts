/**
 * Does each reader get the account of its own read, whoever else reads at the same time, and of what is stored by now?
 *
 * Nothing about an answer is kept in one place for all: neither a last report nor a result.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { QualitySummary } from "../../../protocol/history/QualitySummary.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { barFiles } from "../../support/BarFile.ts"
import { readBars } from "../../support/csv.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const series = { nodeId: "btc", interval: "1m" }
const dayStart = Date.UTC(2022, 11, 13)
const readers = 60

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node: "btc", intervals: ["1m"], sources: ["binance"], symbol: "BTC", windowBars: 60 }]
}

const source = makeMemory({
  name: "binance",
  capabilities: { barsPerRequest: 100, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
  bars: new Map([["BTC", readBars(barFiles.fullDay.path)]])
})

interface Answer {
  readonly columns: { readonly event_time: ReadonlyArray<number> }
  readonly meta: {
    readonly requestId: string
    readonly strategy: string
    readonly strict: boolean
    readonly coverageRanges: ReadonlyArray<Range>
    readonly missingRanges: ReadonlyArray<MissingRange>
    readonly slaReport: { readonly totalDeadlineMs: number }
    readonly qualitySummary: QualitySummary
    readonly coverageVersion: number
  }
}

const minutes = (from: number, to: number): Range => [dayStart + from * 60_000, dayStart + to * 60_000]

const read = Effect.fnUntraced(function* ([start, end]: Range, more: object) {
  const mesh = yield* Mesh
  const body = Codec.toJson({ ...series, start, end, ...more })
  const reply = yield* mesh.request(Subject.service.read, body, { timeoutMs: 10_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as Answer
})

const onHost = <A, E>(run: Effect.Effect<A, E, Mesh>) =>
  Effect.andThen(memoryHost.start({ configuration, sources: [source] }), run).pipe(
    Effect.scoped,
    Effect.provide(MemoryMesh.layer)
  )

describe("reads at the same time", () => {
  it.live("have each its own range, strategy, deadline and figures, warm and cold among each other", () =>
    onHost(
      Effect.gen(function* () {
        yield* read(minutes(0, 720), { strategy: "auto_backfill" })
        const asked = Array.from({ length: readers }, (_, reader) => {
          const from = (reader * 53) % 1300
          return {
            range: minutes(from, from + 10 + reader),
            more: {
              strategy: reader % 3 === 0 ? "partial_fill" : "auto_backfill",
              strict: reader % 2 === 0,
              onStrictViolation: "flag",
              requestId: `reader-${reader}`,
              sla: { totalDeadlineMs: 9000 - reader }
            }
          }
        })
        const got = yield* Effect.forEach(asked, ({ more, range }) => read(range, more), { concurrency: "unbounded" })
        for (const [at, { columns, meta }] of got.entries()) {
          const { more, range } = asked[at]!
          const { requestId, strategy, strict } = meta
          assert.deepStrictEqual(
            { requestId, strategy, strict },
            {
              requestId: more.requestId,
              strategy: more.strategy,
              strict: more.strict
            }
          )
          assert.strictEqual(meta.slaReport.totalDeadlineMs, more.sla.totalDeadlineMs)
          const told = [...meta.coverageRanges, ...meta.missingRanges.map(({ end, start }): Range => [start, end])]
          assert.strictEqual(
            told.reduce((sum, [from, to]) => sum + to - from, 0),
            range[1] - range[0],
            "covered and missing time are the range"
          )
          assert.isTrue(told.every(([from, to]) => range[0] <= from && to <= range[1]))
          assert.isTrue(columns.event_time.every((time) => range[0] <= time && time < range[1]))
          assert.strictEqual(meta.qualitySummary.rows, columns.event_time.length)
          assert.strictEqual(meta.qualitySummary.expectedBars, (range[1] - range[0]) / 60_000)
          if (more.strategy === "auto_backfill") assert.deepStrictEqual(meta.missingRanges, [])
        }
      })
    )
  )

  it.live("see a backfill as soon as it is there, though they had asked for just that before", () =>
    onHost(
      Effect.gen(function* () {
        const range = minutes(100, 160)
        const before = yield* read(range, { strategy: "fail_fast" })
        assert.notProperty(before, "columns")
        const { meta } = yield* read(range, { strategy: "auto_backfill" })
        const minVersion = meta.coverageVersion
        const after = yield* read(range, { strategy: "fail_fast", minVersion })
        assert.lengthOf(after.columns.event_time, 60)
        yield* memoryHost.askAdmin("invalidate", { ...series, start: range[0], end: range[1], reason: "a test" })
        const gone = yield* read(range, { strategy: "fail_fast", minVersion: minVersion + 1 })
        assert.notProperty(gone, "columns")
      })
    )
  )
})
