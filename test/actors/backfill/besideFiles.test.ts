/** Is time of a file that is not there ever taken for time without trades, whatever others have beside it? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Lake from "../../../actors/sources/Lake.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import type { LakeSettings } from "../../../protocol/SourceSettings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"

const dayMs = 86_400_000
const begin = Date.UTC(2023, 0, 1)
const day = (at: number): number => begin + at * dayMs
/** From one day to another. */
type Days = readonly [from: number, until: number]

const [february, march, april] = [31, 59, 90]
const columns = ["open", "high", "low", "close", "volume"]

const monthly = (from: number, until: number): string => {
  const rows = Array.from({ length: until - from }, (_, at) => `${day(from + at)},1,1,1,1,1`)
  return ["ts,open,high,low,close,volume", ...rows].join("\n")
}

const exchange = makeMemory({
  name: "binance",
  capabilities: { barsPerRequest: 1000, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
  bars: new Map([
    [
      "BTC",
      {
        eventTime: Array.from({ length: april }, (_, at) => day(at)),
        columns: columns.map((name) => ({ name, values: Array.from({ length: april }, () => 2) }))
      }
    ]
  ])
})

interface Answer {
  readonly columns: { readonly event_time: ReadonlyArray<number> }
  readonly meta: { readonly missingRanges: ReadonlyArray<{ readonly start: number; readonly end: number }> }
}

const read = Effect.fnUntraced(function* ([from, until]: Days, sourcePriority: ReadonlyArray<string> = []) {
  const about = { nodeId: "btc", interval: "1d", start: day(from), end: day(until) }
  const body = Codec.toJson({
    ...about,
    strategy: "auto_backfill",
    ...(sourcePriority.length > 0 && { sourcePriority })
  })
  const reply = yield* (yield* Mesh).request(Subject.service.read, body, { timeoutMs: 10_000 })
  const { columns, meta } = JSON.parse(new TextDecoder().decode(reply.data)) as Answer
  const missing = meta.missingRanges.map(({ end, start }) => [start, end].map((time) => (time - begin) / dayMs))
  return { rows: columns.event_time.length, missing }
})

/** A host of a lake of these files, which is preferred, and of an exchange that has all of the time. */
const hostOf = Effect.fnUntraced(function* (files: ReadonlyArray<Days>) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-beside-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  for (const [from, until] of files) writeFileSync(join(folder, `${from}.csv`), monthly(from, until))
  const lake: LakeSettings = { kind: "lake", path: join(folder, "*.csv") }
  const configuration: Configuration = {
    sources: { lake, binance: { kind: "exchange", exchange: "binance", finalityDelayMs: 0 } },
    series: [{ node: "btc", intervals: ["1d"], sources: ["lake", "binance"], symbol: "BTC" }]
  }
  yield* memoryHost.start({ configuration, sources: [yield* Lake.make("lake", lake, folder), exchange] })
})

describe("time of a file that is not there", () => {
  it.live("is missing behind the last file and before the first, also where others have what is beside it", () =>
    Effect.gen(function* () {
      yield* hostOf([[10, february]])
      assert.deepStrictEqual(yield* read([10, february]), { rows: february - 10, missing: [] })
      assert.deepStrictEqual(yield* read([march, april], ["binance"]), { rows: april - march, missing: [] })
      assert.deepStrictEqual(yield* read([february, march]), { rows: 0, missing: [[february, march]] })
      assert.deepStrictEqual(yield* read([0, 5], ["binance"]), { rows: 5, missing: [] })
      assert.deepStrictEqual(yield* read([5, 10]), { rows: 0, missing: [[5, 10]] })
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live("is missing between two files, also where others have most of it", () =>
    Effect.gen(function* () {
      yield* hostOf([
        [0, february],
        [march, april]
      ])
      const rest: Days = [february + 2, march]
      assert.deepStrictEqual(yield* read(rest, ["binance"]), { rows: march - february - 2, missing: [] })
      assert.deepStrictEqual(yield* read([0, february]), { rows: february, missing: [] })
      assert.deepStrictEqual(yield* read([february, rest[0]]), { rows: 0, missing: [[february, rest[0]]] })
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
