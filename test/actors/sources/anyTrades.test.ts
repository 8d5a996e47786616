/**
 * Do the same trades always come to the same bars and the same fingerprint, in whatever files they lie?
 *
 * A host in memory on real files: cut anywhere, out of order, with repetitions, each in a unit or by the clocks of a
 * zone. What has to come of them is what the exchange recorded itself.
 */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Lake from "../../../actors/sources/Lake.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as BarFile from "../../support/BarFile.ts"
import { readText } from "../../support/csv.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { shuffled } from "../../support/rows.ts"

const numRuns = 8

const { node } = BarFile.barFiles.rolledUp
const record = BarFile.read(BarFile.barFiles.rolledUp)
const [start, end] = record.range

const recorded = readText(
  fileURLToPath(new URL("../../../examples/data/binance-xrpeth-trades-20191011.csv", import.meta.url))
)
const columnOf = (name: string): ReadonlyArray<string> => recorded.get(name) ?? []
const timesMs = columnOf("ts").map(Number)
const last = timesMs.length

// it puts back no clock in those days, and is half an hour off the hours of others
const zone = "Asia/Kolkata"
const offsetMs = 5.5 * 3_600_000

const isoOf = (timeMs: number): string => new Date(timeMs).toISOString()

const ways = {
  s: (timeMs: number) => (timeMs / 1000).toFixed(3),
  ms: String,
  us: (timeMs: number) => `${timeMs}000`,
  ns: (timeMs: number) => `${timeMs}000000`,
  utc: isoOf,
  offset: (timeMs: number) => isoOf(timeMs - 4 * 3_600_000).replace("Z", "-04:00"),
  clock: (timeMs: number) => isoOf(timeMs + offsetMs).replace("Z", "")
} as const

type Way = keyof typeof ways

/** One file: which of the trades it has, in which order, and how it writes their time. */
interface Part {
  readonly from: number
  readonly to: number
  readonly repeated: number
  readonly seed: number
  readonly way: Way
}

const parts: fc.Arbitrary<ReadonlyArray<Part>> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: last - 1 }), { maxLength: 3 }),
    fc.array(
      fc.record({
        overlap: fc.nat(2000),
        repeated: fc.nat(500),
        seed: fc.nat(1000),
        way: fc.constantFrom(...(Object.keys(ways) as ReadonlyArray<Way>))
      }),
      { minLength: 4, maxLength: 4 }
    )
  )
  .map(([cuts, how]) => {
    const edges = [0, ...cuts.toSorted((a, b) => a - b), last]
    return edges.slice(0, -1).map((from, at): Part => {
      const { overlap, ...others } = how[at]!
      return { ...others, from, to: Math.min(last, edges[at + 1]! + overlap) }
    })
  })

const textOf = ({ from, repeated, seed, to, way }: Part): string => {
  const rows = shuffled(to - from, seed).map((row) => row + from)
  const lines = [...rows, ...rows.slice(0, repeated)].map((row) =>
    [ways[way](timesMs[row]!), ...["id", "price", "amount"].map((name) => columnOf(name)[row])].join(",")
  )
  return ["ts,id,price,amount", ...lines].join("\n")
}

/** What a cold host answers about all of it, whose only source has these files. */
const answerOf = Effect.fnUntraced(function* (drawn: ReadonlyArray<Part>) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-trades-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  for (const [at, part] of drawn.entries()) writeFileSync(join(folder, `${at}.csv`), textOf(part))
  const lake = { kind: "lake", path: "*.csv", rows: "trades", whole: "days", zone } as const
  const configuration: Configuration = {
    sources: { lake },
    series: [{ node, intervals: ["1m"], sources: ["lake"], symbol: "XRP/ETH" }]
  }
  yield* memoryHost.start({ configuration, sources: [yield* Lake.make("lake", lake, folder)] })
  const body = { nodeId: node, interval: "1m", start, end, strategy: "auto_backfill", strict: true }
  const reply = yield* (yield* Mesh).request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  return JSON.parse(new TextDecoder().decode(reply.data)) as {
    readonly columns: Readonly<Record<string, ReadonlyArray<number>>>
    readonly meta: { readonly fingerprint: string }
  }
})

it("any files that have all the trades of the exchange give its bars, bit for bit, and one fingerprint", () =>
  fc.assert(
    fc.asyncProperty(parts, (drawn) =>
      Effect.gen(function* () {
        const { columns, meta } = yield* answerOf(drawn)
        assert.deepStrictEqual(columns["event_time"], Array.from(record.frame.eventTimeMs))
        for (const { name, values } of record.frame.columns) {
          assert.deepStrictEqual(columns[name], Array.from(values, Number), name)
        }
        assert.strictEqual(meta.fingerprint, record.fingerprint)
      }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer), Effect.runPromise)
    ),
    { numRuns }
  ))
