/** What are the golden exchanges of the public services: requests, replies, and an error? */
import { Option, Schema } from "effect"
import { fingerprint } from "../../../actors/provider/fingerprint.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { CoverageMissing } from "../../../protocol/history/Errors.ts"
import { CoverageRequest, EnsureRequest, HistoryRequest } from "../../../protocol/history/HistoryRequest.ts"
import {
  AvailabilityResult,
  CoverageReport,
  HistoryMeta,
  type SlaReport
} from "../../../protocol/history/HistoryResult.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { arrowMetaKey, Header, MediaType } from "../../../protocol/wire/Header.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { errorReply } from "../../../runtime/ServiceEndpoint.ts"
import { asked, covered, day, ingestAtMs, rows, series } from "./example.ts"

const json = { [Header.contentType]: MediaType.json }
const requestId = "request-1"

const slaReport: SlaReport = {
  totalDeadlineMs: 2000,
  elapsedMs: 143,
  phases: {
    storage: { budgetMs: 2000, waitedMs: 1, timedOut: false, retries: 0 },
    backfill: { budgetMs: 2000, waitedMs: 139, timedOut: false, retries: 0 }
  },
  violation: null
}

const sourceOutcomes: HistoryMeta["sourceOutcomes"] = {
  cache: { outcome: "ok" },
  storage: { outcome: "ok" },
  binance: { outcome: "ok", requests: 1 }
}

const watermarks = { eventTimeLow: asked.end, eventTimeHigh: asked.end - 60_000 }

const meta: HistoryMeta = {
  strategy: "auto_backfill",
  strict: false,
  requestId,
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  coverageRanges: covered,
  missingRanges: [],
  sourceContributions: { binance: covered },
  sourceOutcomes,
  watermarks,
  slaReport,
  qualitySummary: {
    rows: 3,
    expectedBars: 3,
    knownEmptyBars: 0,
    gapCount: 0,
    outOfOrderCount: 0,
    duplicateCount: 0
  },
  coverageVersion: 1,
  fingerprint: fingerprint({ series, range: [asked.start, asked.end], covered }, [
    { windowStart: day.start, contentHash: contentHash(rows) }
  ]),
  notes: []
}

const missing: MissingRange = { ...asked, state: "missing", reason: "not filled yet", retryAt: null }

const readRequest: HistoryRequest = {
  ...series,
  ...asked,
  strategy: "auto_backfill",
  sla: { totalDeadlineMs: 2000 },
  requestId
}

const metaJson = Schema.encodeSync(HistoryMeta)(meta)

/** A read that is answered in JSON. */
export const read = {
  subject: Subject.service.read,
  request: { headers: json, body: Schema.encodeSync(HistoryRequest)(readRequest) },
  reply: { headers: json, body: { columns: FrameJson.toJson(rows), meta: metaJson } }
}

const arrow = FrameCodec.encode(rows, {
  lineage: "columns",
  metadata: new Map([[arrowMetaKey, JSON.stringify(metaJson)]])
})

/** The same read, answered as an Arrow stream. */
export const readArrow = {
  subject: Subject.service.read,
  request: { headers: { ...json, [Header.accept]: MediaType.arrow }, body: read.request.body },
  reply: { headers: { [Header.contentType]: MediaType.arrow }, base64: Buffer.from(arrow).toString("base64") }
}

const refusal = new CoverageMissing({ expectedBars: 3, missingBars: 3, missingRanges: [missing] })

const metaBefore: HistoryMeta = {
  ...meta,
  strategy: "fail_fast",
  coverageRanges: RangeSet.empty,
  missingRanges: [missing],
  sourceContributions: {},
  sourceOutcomes: { cache: { outcome: "ok" }, storage: { outcome: "ok" }, binance: { outcome: "not_asked" } },
  watermarks: { eventTimeLow: null, eventTimeHigh: null },
  slaReport: { totalDeadlineMs: 1000, elapsedMs: 1, phases: {}, violation: null },
  qualitySummary: { ...meta.qualitySummary, rows: 0, gapCount: 1 },
  coverageVersion: 0,
  fingerprint: fingerprint({ series, range: [asked.start, asked.end], covered: RangeSet.empty }, [])
}

const refused = errorReply(refusal, { meta: Schema.encodeSync(HistoryMeta)(metaBefore) })
const refusedBody: unknown = Option.getOrThrow(Codec.fromJson(refused.data))

/** The same read before anything is stored, by a strategy that does not fill gaps. */
export const readError = {
  subject: Subject.service.read,
  request: {
    headers: json,
    body: Schema.encodeSync(HistoryRequest)({ ...readRequest, strategy: "FAIL_FAST", sla: {} })
  },
  reply: { headers: Object.fromEntries(refused.headers), body: refusedBody }
}

const report: CoverageReport = {
  ...series,
  coverageRanges: covered,
  missingRanges: [
    {
      start: asked.end,
      end: asked.end + 60_000,
      state: "deferred",
      reason: "the bar is not final yet",
      retryAt: ingestAtMs,
      evidence: "configured: bars of binance are final 1000 ms after their end"
    },
    {
      start: day.end,
      end: day.end + 60_000,
      state: "unavailable",
      reason: "after delisting",
      retryAt: null,
      evidence: "configured: delisted at 2022-12-14T00:00:00Z"
    },
    {
      start: day.end + 60_000,
      end: day.end + 120_000,
      state: "deferred",
      reason: "binance gave no bar, and that proves nothing here",
      retryAt: ingestAtMs + 1_800_000,
      evidence: "answered 2 times in a row",
      answers: 2
    }
  ],
  watermarks,
  coverageVersion: 1,
  windowBars: 1440
}

/** What is covered. */
export const coverage = {
  subject: Subject.service.coverage,
  request: { headers: json, body: Schema.encodeSync(CoverageRequest)(series) },
  reply: { headers: json, body: Schema.encodeSync(CoverageReport)(report) }
}

const available: AvailabilityResult = {
  available: true,
  coverageRanges: covered,
  missingRanges: [],
  jobs: [{ windowStart: day.start, run: 1, state: "SUCCEEDED" }],
  sourceOutcomes: { binance: { outcome: "ok", requests: 1 } },
  slaReport,
  coverageVersion: 1,
  requestId,
  notes: []
}

/** A demand that a range be filled, with what is left of the caller's time. */
export const ensure = {
  subject: Subject.service.ensure,
  request: {
    headers: { ...json, [Header.budgetMs]: "2000" },
    body: Schema.encodeSync(EnsureRequest)({ ...series, ...asked, requestId })
  },
  reply: { headers: json, body: Schema.encodeSync(AvailabilityResult)(available) }
}
