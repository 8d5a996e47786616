/** What is the golden explanation of a read: half of it stored, and a gap that would be waited for? */
import { Effect, Schema } from "effect"
import { explanationOf } from "../../../actors/provider/explanationOf.ts"
import { planRead } from "../../../actors/provider/planRead.ts"
import type { ValidRequest } from "../../../actors/provider/validRequest.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { contentHash, sha256 } from "../../../protocol/frame/contentHash.ts"
import { initial } from "../../../protocol/history/CoverageRoot.ts"
import { HistoryRequest } from "../../../protocol/history/HistoryRequest.ts"
import { planBackfill } from "../../../protocol/history/planBackfill.ts"
import { ReadExplanation } from "../../../protocol/history/ReadExplanation.ts"
import * as SlaPolicy from "../../../protocol/history/SlaPolicy.ts"
import { Header, MediaType } from "../../../protocol/wire/Header.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { requestOf } from "../../support/requests.ts"
import { asked, covered, day, ingestAtMs, rows, series } from "./example.ts"

const json = { [Header.contentType]: MediaType.json }

const catalog = SeriesCatalog.make({
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [{ node: series.nodeId, intervals: [series.interval], sources: ["binance"], symbol: "BTC/BUSD" }]
})
const entry = Effect.runSync(catalog.find(series.nodeId, series.interval))

const end = asked.end + 120_000

const request: ValidRequest = requestOf({
  entry,
  range: [asked.start, end],
  strategy: "auto_backfill",
  sources: ["binance"],
  sla: SlaPolicy.resolve("auto_backfill", { totalDeadlineMs: 2000 })
})

const root = { ...initial(entry.series, { windowBars: 1440, schemaVersion: 1 }), version: 1, covered }
const view = { root, covered }
const plan = planRead(request, view, ingestAtMs)

const chunk = {
  source: "binance",
  id: sha256("the three bars"),
  ranges: covered,
  contentHash: contentHash(rows),
  rows: 3,
  lastEventTime: asked.end - 60_000
}

const { sources, ...cost } = planBackfill(
  plan.gap,
  [{ name: "binance", barsPerRequest: 1000, requestsPerMinute: 1200, wanted: plan.gap }],
  entry.grid
)

const told = explanationOf({
  request,
  view,
  plan,
  stored: [{ windowStart: day.start, ranges: covered, chunks: [chunk] }],
  bytesInMemory: () => undefined,
  jobs: [],
  off: undefined,
  cost: { ...cost, requests: 1, seconds: 0.05, sources },
  nowMs: ingestAtMs
})

const asks: HistoryRequest = {
  ...series,
  start: asked.start,
  end,
  strategy: "auto_backfill",
  sla: { totalDeadlineMs: 2000 }
}

/** What a read of five bars would do, of which three are stored. */
export const explanation = {
  subject: Subject.service.explain,
  request: { headers: json, body: Schema.encodeSync(HistoryRequest)(asks) },
  reply: { headers: json, body: Schema.encodeSync(ReadExplanation)(told) }
}
