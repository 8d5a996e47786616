/**
 * What is stored of one window from one source?
 *
 * The rows as an Arrow stream that any Arrow library opens, and a header under a key of its schema's metadata. A
 * chunk is immutable. Its id is the hash of its bytes; its content hash covers times and values alone, so rows that
 * were fetched again have another id and the same content hash. A window that is covered and has no rows has a chunk
 * too: coverage can be rebuilt from the chunks.
 */
import { Option, Schema } from "effect"
import { contentHash, sha256 } from "../frame/contentHash.ts"
import type { Frame } from "../frame/Frame.ts"
import * as FrameCodec from "../frame/FrameCodec.ts"
import { LineageRun } from "../frame/Lineage.ts"
import type { ChunkRef } from "./CoveragePage.ts"
import * as Findings from "./Findings.ts"
import { Pairs } from "./RangePairs.ts"
import { Series } from "./Series.ts"

/** The key of the Arrow schema's metadata that holds the header, as JSON. */
export const headerKey = "seamless.chunk"

/** What a chunk says about its rows. */
export const ChunkHeader = Schema.Struct({
  format: Schema.Literal(1),
  series: Series,
  windowStart: Schema.Finite,
  windowBars: Schema.Int,
  source: Schema.String,
  /** What of the window the source's answers cover. */
  ranges: Pairs,
  /** The chunk whose rows are merged into this one; null for the first of its window and source. */
  base: Schema.NullOr(Schema.String),
  schemaVersion: Schema.Int,
  lineage: Schema.Array(LineageRun),
  contentHash: Schema.String,
  /** What quality rules found in the rows; absent where they found nothing. */
  findings: Schema.optionalKey(Findings.Findings),
  /** What conforming did to rows, by step; absent where it did nothing but check them. */
  steps: Schema.optionalKey(Findings.Findings)
})
export type ChunkHeader = typeof ChunkHeader.Type

/** A chunk to be stored: its bytes, and how a page names it. */
export interface EncodedChunk {
  readonly ref: ChunkRef
  readonly bytes: Uint8Array
}

const HeaderJson = Schema.fromJsonString(ChunkHeader)
const encodeHeader = Schema.encodeSync(HeaderJson)
const decodeHeader = Schema.decodeUnknownOption(HeaderJson)

/** The chunk of a sealed frame. */
export const encode = (
  frame: Frame,
  { findings = Findings.none, ...about }: Omit<ChunkHeader, "format" | "lineage" | "contentHash" | "steps">
): EncodedChunk => {
  const { rules, steps } = Findings.split(findings)
  const header: ChunkHeader = {
    format: 1,
    ...about,
    lineage: frame.lineage,
    contentHash: contentHash(frame),
    ...Findings.asField(rules),
    ...(!Findings.isNone(steps) && { steps })
  }
  const bytes = FrameCodec.encode(frame, {
    lineage: "none",
    metadata: new Map([[headerKey, encodeHeader(header)]])
  })
  const ref: ChunkRef = {
    source: about.source,
    id: sha256(bytes),
    ranges: about.ranges,
    contentHash: header.contentHash,
    rows: frame.eventTimeMs.length,
    lastEventTime: frame.eventTimeMs.at(-1) ?? null
  }
  return { ref, bytes }
}

/** What a chunk tells of its rows: what rules found, and what steps did. */
export const findingsOf = ({ findings = Findings.none, steps = Findings.none }: ChunkHeader): Findings.Findings =>
  Findings.unionAll([findings, Findings.ofSteps(Object.entries(steps))])

/** A chunk's rows, with lineage, and its header; none where the bytes are no chunk. */
export const decode = (bytes: Uint8Array): Option.Option<{ readonly header: ChunkHeader; readonly frame: Frame }> =>
  Option.gen(function* () {
    const { frame, metadata } = yield* Option.liftThrowable(FrameCodec.decode)(bytes)
    const header = yield* decodeHeader(metadata.get(headerKey))
    return { header, frame: { ...frame, lineage: header.lineage } }
  })
