/** Does a series with a column of each type come through storage and every form of a reply as its source gave it? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { makeClient } from "../../../client/SeamlessClient.ts"
import { fromJson, type JsonColumns, type JsonTypes } from "../../../protocol/frame/FrameJson.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as MemoryHost from "../../support/memoryHost.ts"
import { typedFrame } from "../../support/typedFrame.ts"

const range = { start: 60_000, end: 240_000 }

const configuration: Configuration = {
  sources: { lake: { kind: "exchange", exchange: "binance" } },
  schemas: {
    typed: {
      fields: [
        { name: "comment", type: "category", required: false },
        ...typedFrame.columns.map(({ name, type }) => ({ name, type, required: true }))
      ]
    }
  },
  series: [{ node: "a", intervals: ["1m"], sources: ["lake"], symbol: "A", schema: "typed" }]
}

const source: DataSource = {
  name: "lake",
  kind: "BACKFILL",
  capabilities: {
    barsPerRequest: 100,
    maxEmptyBars: 5,
    finalityDelayMs: 0,
    attemptsMax: 1,
    rowFlags: RowFlag.adjusted
  },
  page: () => Effect.succeed({ eventTime: typedFrame.eventTimeMs, columns: typedFrame.columns })
}

const answered = { strategy: "auto_backfill", sla: { totalDeadlineMs: 5000 } } as const

it.live("a typed series is read as its source gave it, cold in Arrow and then from storage in JSON", () =>
  Effect.gen(function* () {
    yield* MemoryHost.start({ configuration, sources: [source] })
    const mesh = yield* Mesh
    const client = makeClient({ mesh, servers: "memory", timeoutMs: 6000 }, () => Promise.resolve())
    const { df, meta } = yield* Effect.promise(() => client.read("a", "1m", range.start, range.end, answered))
    assert.deepStrictEqual(df.columns["trades"], [2n ** 63n - 1n, -(2n ** 63n) + 1n, null])
    assert.deepStrictEqual(df.columns["halted"], [true, false, null])
    assert.deepStrictEqual(df.columns["venue"], ["XNYS", 'Börse "Nord"', null])
    assert.deepStrictEqual(df.columns["comment"], [null, null, null])
    const { adjusted, backfilled, suspect } = RowFlag
    const own = adjusted | backfilled
    // the price goes up by two thirds, and then there is none
    assert.deepStrictEqual(df.columns["__flags"], Uint32Array.of(own, own | suspect, own | suspect))
    const body = Codec.toJson({ nodeId: "a", interval: "1m", ...range, strategy: "fail_fast" })
    const { data } = yield* mesh.request(Subject.service.read, body, { timeoutMs: 6000 })
    const reply: { columns: JsonColumns; types: JsonTypes; meta: { fingerprint: string } } = JSON.parse(
      new TextDecoder().decode(data)
    )
    const frame = fromJson(reply.columns, reply.types)
    assert.deepStrictEqual(frame.columns.slice(1), typedFrame.columns)
    assert.strictEqual(reply.meta.fingerprint, meta.fingerprint)
  }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
)
