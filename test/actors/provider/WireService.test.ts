/** Does an answer reach its reader whole, in each of the forms in which it can be asked for? */
import { assert, describe, it } from "@effect/vitest"
import { tableFromIPC } from "apache-arrow"
import { Effect, Layer, Schema } from "effect"
import { SeamlessDataProvider } from "../../../actors/provider/SeamlessDataProvider.ts"
import * as WireService from "../../../actors/provider/WireService.ts"
import { makeClient } from "../../../client/SeamlessClient.ts"
import { fromJson, type JsonColumns, type JsonTypes, typesOf } from "../../../protocol/frame/FrameJson.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { HostStatus } from "../../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { frame as floatFrame, meta } from "../../client/answers.ts"
import { unpackTyped } from "../../support/unpackTyped.ts"
import { typedFrame } from "../../support/typedFrame.ts"

const unused = Effect.die("only reads are asked")

/** A host whose every read has these rows. */
const serving = (df: Frame) =>
  WireService.layer({ hostId: "a" }).pipe(
    Layer.provide(
      Layer.succeed(SeamlessDataProvider, {
        read: () =>
          Effect.succeed({ result: { df, meta: Schema.decodeUnknownSync(HistoryMeta)(meta) }, returnMeta: true }),
        readParts: () => unused,
        ensureAvailable: () => unused,
        coverage: () => unused,
        diff: () => unused,
        explain: () => unused
      })
    ),
    Layer.provide(Layer.succeed(HostStatus, { state: () => "serving", reason: () => "", draining: Effect.never })),
    Layer.provideMerge(MemoryMesh.layer)
  )

const ask = Effect.fnUntraced(function* (accept: string) {
  const mesh = yield* Mesh
  const headers = new Map([[Header.accept, accept]])
  return yield* mesh.request(Subject.service.read, new TextEncoder().encode("{}"), { headers, timeoutMs: 1000 })
})

interface JsonReply {
  readonly columns: JsonColumns
  readonly types?: JsonTypes
}

const askJson = Effect.map(ask("application/json"), ({ data }): JsonReply => JSON.parse(new TextDecoder().decode(data)))

const arrow = "application/vnd.apache.arrow.stream"
const messagePack = "application/msgpack"

describe("a read on the wire", () => {
  it.effect("in JSON tells the types beside the columns", () =>
    Effect.gen(function* () {
      const { columns, types } = yield* askJson
      assert.deepStrictEqual(types, { trades: "int64", halted: "bool", venue: "category", settledAt: "timestamp" })
      assert.deepStrictEqual(fromJson(columns, types), typedFrame)
    }).pipe(Effect.provide(serving(typedFrame)))
  )

  it.effect("in JSON says nothing of types where all columns are numbers", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(Object.keys(yield* askJson), ["columns", "meta"])
    }).pipe(Effect.provide(serving(floatFrame)))
  )

  it.effect("in Arrow has categories as text, and as a dictionary where that is asked for", () =>
    Effect.gen(function* () {
      const forms = [
        [arrow, "Utf8"],
        [`${arrow}; q=0.9`, "Utf8"],
        [`${arrow}; dictionary=false`, "Utf8"],
        [`${arrow}; dictionary=true`, "Dictionary<Int32, Utf8>"],
        [`text/csv, ${arrow} ;Dictionary=TRUE; q=0.9, application/json;q=0.8`, "Dictionary<Int32, Utf8>"]
      ] as const
      for (const [accept, type] of forms) {
        const { data, headers } = yield* ask(accept)
        assert.strictEqual(headers.get(Header.contentType), arrow, accept)
        const venue = tableFromIPC(data).schema.fields.find(({ name }) => name === "venue")
        assert.strictEqual(String(venue?.type), type, accept)
        assert.deepStrictEqual(FrameCodec.decode(data).frame, typedFrame, accept)
      }
    }).pipe(Effect.provide(serving(typedFrame)))
  )

  it.effect("in MessagePack has numbers as typed arrays, and everything else as lists", () =>
    Effect.gen(function* () {
      const { data, headers } = yield* ask("application/x-msgpack")
      assert.strictEqual(headers.get(Header.contentType), messagePack)
      const columns = {
        event_time: typedFrame.eventTimeMs,
        close: Float64Array.of(1.5, 2.5, Number.NaN),
        trades: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n) + 1n, -(2n ** 63n)),
        halted: [true, false, null],
        venue: ["XNYS", 'Börse "Nord"', null],
        settledAt: Float64Array.of(-1, 1_670_889_600_000, Number.NaN),
        __source: ["lake", "lake", "lake"],
        __ingest_at: new Float64Array(3).fill(1_763_800_000_000),
        __backfill_job_id: ["0.1", "0.1", "0.1"],
        __flags: typedFrame.flags
      }
      assert.deepStrictEqual(unpackTyped(data), { columns, types: typesOf(typedFrame), meta })
    }).pipe(Effect.provide(serving(typedFrame)))
  )

  it.effect("is in the form that is wanted most, and refused where none of them is served", () =>
    Effect.gen(function* () {
      const forms = [
        [`${arrow};q=0.1, ${messagePack}`, messagePack],
        [`${messagePack};q=0.1, */*;q=0.2`, "application/json"],
        ["*/*", "application/json"],
        ["text/csv", "application/json"]
      ] as const
      for (const [accept, form] of forms) {
        assert.strictEqual((yield* ask(accept)).headers.get(Header.contentType), form, accept)
      }
      const { data, headers } = yield* ask("text/csv")
      assert.strictEqual(headers.get(Header.error), "InvalidRequest")
      const { error } = JSON.parse(new TextDecoder().decode(data))
      assert.strictEqual(error.field, Header.accept)
      assert.include(error.problem, `ask for application/json, ${messagePack} or ${arrow}`)
    }).pipe(Effect.provide(serving(typedFrame)))
  )

  it.effect("gives a program its types through the client", () =>
    Effect.gen(function* () {
      const client = makeClient({ mesh: yield* Mesh, servers: "memory", timeoutMs: 1000 }, () => Promise.resolve())
      const { df } = yield* Effect.promise(() => client.read("a", "1m", 60_000, 240_000))
      assert.deepStrictEqual(df.columns["trades"], [2n ** 63n - 1n, -(2n ** 63n) + 1n, null])
      assert.deepStrictEqual(df.columns["venue"], ["XNYS", 'Börse "Nord"', null])
      assert.deepStrictEqual(fromJson(df.toColumns(), df.types), typedFrame)
    }).pipe(Effect.provide(serving(typedFrame)))
  )
})
