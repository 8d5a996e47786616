/** Is a chunk an Arrow stream for everyone, named by its bytes, and the same data wherever its rows were fetched? */
import { tableFromIPC } from "apache-arrow"
import { Option } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { contentHash, sha256 } from "../../../protocol/frame/contentHash.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import * as Chunk from "../../../protocol/history/Chunk.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { floatColumns, floatSchema } from "../../support/floatFrames.ts"
import { law } from "../../support/law.ts"
import { rangeSet } from "../../support/rangeSets.ts"
import { frame, framesOf, text } from "../frames.ts"

type About = Parameters<typeof Chunk.encode>[1]

const about: fc.Arbitrary<About> = fc.record({
  series: fc.record({ nodeId: text, interval: fc.constantFrom("1m", "1w") }),
  windowStart: fc.maxSafeInteger(),
  windowBars: fc.integer({ min: 1, max: 10_000 }),
  source: text,
  ranges: rangeSet,
  base: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
  schemaVersion: fc.nat()
})

const day: About = {
  series: { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" },
  windowStart: 0,
  windowBars: 1440,
  source: "binance",
  ranges: RangeSet.of(0, 86_400_000),
  base: null,
  schemaVersion: 1
}

const ingestedLater = (frame: Frame.Frame): Frame.Frame => ({
  ...frame,
  lineage: frame.lineage.map((run) => ({ ...run, ingestAtMs: run.ingestAtMs + 1 }))
})

const bars = framesOf(["open", "high", "low", "close", "volume"])

describe("Chunk", () => {
  law("decode() gives back the rows, their lineage and the header", [frame, about], (frame, about) => {
    const decoded = Option.getOrThrow(Chunk.decode(Chunk.encode(frame, about).bytes))
    expect(decoded.frame).toEqual(frame)
    expect(decoded.header).toEqual({ format: 1, ...about, lineage: frame.lineage, contentHash: contentHash(frame) })
  })
  it("decode() gives back what rules found, which is none of the data, and is absent where they found nothing", () => {
    const [sample] = fc.sample(frame, { numRuns: 1, seed: 1 })
    const findings = { jump: RangeSet.of(0, 60_000), zeroPrice: RangeSet.of(60_000, 120_000) }
    const told = Option.getOrThrow(Chunk.decode(Chunk.encode(sample!, { ...day, findings }).bytes)).header
    const untold = Option.getOrThrow(Chunk.decode(Chunk.encode(sample!, day).bytes)).header
    expect(told).toEqual({ ...untold, findings })
    expect(untold).not.toHaveProperty("findings")
  })

  it("decode() gives back what steps did to rows, beside what rules found", () => {
    const [sample] = fc.sample(frame, { numRuns: 1, seed: 1 })
    const findings = Findings.unionAll([
      { jump: RangeSet.of(0, 60_000) },
      Findings.ofSteps([["late", RangeSet.of(60_000, 120_000)]])
    ])
    const { header } = Option.getOrThrow(Chunk.decode(Chunk.encode(sample!, { ...day, findings }).bytes))
    expect(header).toMatchObject({ findings: { jump: expect.anything() }, steps: { late: expect.anything() } })
    expect(Object.keys(header.findings ?? {})).toEqual(["jump"])
    expect(Chunk.findingsOf(header)).toEqual(findings)
  })

  law("encode() names the chunk by its bytes and tells a page what is in it", [frame, about], (frame, about) => {
    const { bytes, ref } = Chunk.encode(frame, about)
    expect(ref).toEqual({
      source: about.source,
      id: sha256(bytes),
      ranges: about.ranges,
      contentHash: contentHash(frame),
      rows: Frame.length(frame),
      lastEventTime: Frame.length(frame) === 0 ? null : Math.max(...frame.eventTimeMs)
    })
  })
  law("encode() gives equal chunks equal bytes", [frame, about], (frame, about) =>
    expect(Chunk.encode(structuredClone(frame), structuredClone(about))).toEqual(Chunk.encode(frame, about))
  )
  law("the id changes with the time of ingest, and the content hash does not", [bars], (frame) => {
    fc.pre(Frame.length(frame) > 0)
    const [first, again] = [Chunk.encode(frame, day).ref, Chunk.encode(ingestedLater(frame), day).ref]
    expect(again.id).not.toBe(first.id)
    expect(again.contentHash).toBe(first.contentHash)
  })
  law("decode() refuses bytes that were cut off within the header", [frame, fc.nat(200)], (frame, length) =>
    expect(Chunk.decode(Chunk.encode(frame, day).bytes.subarray(0, length))).toEqual(Option.none())
  )
  law("decode() refuses any other bytes", [fc.uint8Array()], (bytes) =>
    expect(Chunk.decode(bytes)).toEqual(Option.none())
  )
  it("decode() refuses an Arrow stream that is no chunk", () => {
    const bytes = FrameCodec.encode(Frame.empty(floatSchema(["open"])), { lineage: "none", metadata: new Map() })
    expect(Chunk.decode(bytes)).toEqual(Option.none())
  })
  it("decode() refuses a chunk of another format", () => {
    const header = JSON.stringify({ format: 2 })
    const metadata = new Map([[Chunk.headerKey, header]])
    const bytes = FrameCodec.encode(Frame.empty(floatSchema(["open"])), { lineage: "none", metadata })
    expect(Chunk.decode(bytes)).toEqual(Option.none())
  })
  it("a window that is covered and empty has a chunk that says so", () => {
    const { bytes, ref } = Chunk.encode(Frame.empty(floatSchema(["open"])), day)
    expect(ref).toMatchObject({ rows: 0, lastEventTime: null, ranges: day.ranges })
    expect(Option.getOrThrow(Chunk.decode(bytes)).header.ranges).toEqual(day.ranges)
  })
  law("any Arrow reader opens a chunk, with the promised types and values", [bars], (frame) => {
    const table = tableFromIPC(Chunk.encode(frame, day).bytes)
    expect(table.schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual([
      "event_time Timestamp<MILLISECOND, UTC>",
      ...["open", "high", "low", "close", "volume"].map((name) => `${name} Float64`),
      "__flags Uint32"
    ])
    expect(table.schema.dictionaries.size).toBe(0)
    expect(table.numRows).toBe(Frame.length(frame))
    expect(Array.from(table.getChild("open") ?? [])).toEqual(Array.from(floatColumns(frame)[0]!.values))
    expect(Array.from(table.getChild("__flags") ?? [])).toEqual(Array.from(frame.flags))
  })
})
