/** What does a host answer to a client, in the tests of the client? */
import { Schema } from "effect"
import { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as FrameCodec from "../../protocol/frame/FrameCodec.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { arrowMetaKey, Header, MediaType } from "../../protocol/wire/Header.ts"
import type { Answer } from "../support/answeringMesh.ts"
import { floats } from "../support/floatFrames.ts"

/** Two bars, the second without a volume. */
export const frame: Frame = {
  eventTimeMs: Float64Array.of(60_000, 120_000),
  columns: [floats("close", 1.5, 2.5), floats("volume", 10, Number.NaN)],
  flags: Uint32Array.of(1, 3),
  lineage: [{ rows: 2, source: "binance", ingestAtMs: 999, jobId: "j" }]
}

/** The account of them, as it is on the wire. */
export const meta = Schema.encodeSync(HistoryMeta)({
  strategy: "seamless",
  strict: false,
  requestId: "r",
  traceId: "t",
  spanId: "s",
  coverageRanges: RangeSet.of(60_000, 180_000),
  missingRanges: [],
  sourceContributions: { binance: RangeSet.of(60_000, 180_000) },
  sourceOutcomes: { binance: { outcome: "ok", requests: 1 } },
  watermarks: { eventTimeLow: 180_000, eventTimeHigh: 120_000 },
  slaReport: { totalDeadlineMs: 5000, elapsedMs: 3, phases: {}, violation: null },
  qualitySummary: {
    rows: 2,
    expectedBars: 2,
    knownEmptyBars: 0,
    gapCount: 0,
    outOfOrderCount: 0,
    duplicateCount: 0
  },
  coverageVersion: 1,
  fingerprint: "sha256:0",
  notes: []
})

const encoder = new TextEncoder()

/** A reply in JSON. */
export const jsonAnswer = (value: unknown, headers: ReadonlyArray<readonly [string, string]> = []): Answer => ({
  data: encoder.encode(JSON.stringify(value)),
  headers: new Map([[Header.contentType, MediaType.json], ...headers])
})

/** A reply in Arrow, with or without its account. */
export const arrowAnswer = (metaText?: string): Answer => ({
  data: FrameCodec.encode(frame, {
    lineage: "columns",
    metadata: new Map(metaText === undefined ? [] : [[arrowMetaKey, metaText]])
  }),
  headers: new Map([[Header.contentType, MediaType.arrow]])
})

/** A refusal. */
export const refusal = (
  code: number,
  body: { readonly error: { readonly tag: string; readonly [field: string]: unknown } }
): Answer =>
  jsonAnswer(body, [
    [Header.error, body.error.tag],
    [Header.errorCode, String(code)]
  ])
