/**
 * What has happened to a series, and why is a stretch of it covered or not?
 *
 * Its whole history is gone through once, page by page, and what is asked for is kept of it; then the jobs are looked
 * at that may bring what is not covered.
 */
import { Clock, Effect, Option } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { historyAdmin } from "../../protocol/messages/Admin.ts"
import { readJob } from "../../protocol/messages/Backfill.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { headroomBytes, Mesh } from "../../runtime/Mesh.ts"
import * as Reach from "../sources/Reach.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as sweptMark from "../sources/sweptMark.ts"
import * as AuditDigest from "./AuditDigest.ts"
import { explain } from "./explainCoverage.ts"
import { readAudit } from "./readAudit.ts"
import type { Standing } from "./replayAudit.ts"

type Request = (typeof historyAdmin)["audit"]["request"]["Type"]
type Answer = (typeof historyAdmin)["audit"]["answer"]["Type"]

const limitDefault = 50
/** Windows that one explanation looks into: eleven years of days. The record of the job of each may have to be read. */
const windowsMax = 4096
/** Covered ranges that one explanation tells apart: more would be as much text as anyone reads. */
const rangesMax = 5000
/** What an explanation may take of an answer; the changes have the rest. */
const explanationShare = 0.5

const wantedBy = ({ beforeVersion, from, limit, to, verify }: Request): AuditDigest.Wanted => ({
  range: from === undefined || to === undefined ? undefined : [from, to],
  limit: limit ?? limitDefault,
  beforeVersion: beforeVersion ?? Infinity,
  verify: verify ?? false
})

/** What is on record of the series: of its history what is asked for, and the root that stands. */
interface Found {
  readonly digest: AuditDigest.Digest
  readonly standing: Standing
}

const goThrough = Effect.fnUntraced(function* (entry: CatalogEntry, wanted: AuditDigest.Wanted) {
  let digest = AuditDigest.empty
  const standing = yield* readAudit(entry, (entries) => {
    digest = AuditDigest.take(digest, entries, wanted)
  })
  return { digest: AuditDigest.close(digest, standing, wanted), standing } satisfies Found
})

/** The newest record of each of the windows that have any of the time. */
const readJobs = Effect.fnUntraced(function* ({ series }: CatalogEntry, grid: Window.Grid, time: RangeSet.RangeSet) {
  const mesh = yield* Mesh
  const seriesKey = Subject.series(series.nodeId, series.interval)
  const subjects = Window.split(grid, time).map(({ windowStart }) =>
    keySubject(Stream.jobs, Subject.window(seriesKey, windowStart))
  )
  const stored = yield* mesh.readMany(Stream.jobs.name, subjects)
  return stored.flatMap(({ value }): ReadonlyArray<BackfillJob> => Option.toArray(readJob(value)))
})

/** The range as far as one explanation goes. */
const withinReach = (grid: Window.Grid, [start, end]: Range, covered: RangeSet.RangeSet): Range => {
  const first = Window.windowStart(grid, start)
  const reach = first + windowsMax * (Window.next(grid, first) - first)
  const near: Range = [start, Math.min(end, reach)]
  const told = RangeSet.clip(covered, ...near)
  return RangeMeasure.size(told) > rangesMax ? [start, RangeMeasure.at(told, rangesMax - 1)[1]] : near
}

/** Why the range is as it is, as far as one answer goes. */
const explanationOf = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  wanted: Range,
  { digest: { touches }, standing: { covered, root } }: Found,
  bytesMax: number
) {
  const grid = Window.makeGrid(entry.interval, root.windowBars)
  const range = withinReach(grid, wanted, covered)
  const missing = RangeSet.missing(covered, ...range)
  const jobs = yield* readJobs(entry, grid, missing)
  // what follows from configuration and clock is in no root, and comes before what is
  const exceptions = [...Reach.outOf(entry, missing, yield* Clock.currentTimeMillis), ...root.exceptions]
  const parts = AuditDigest.fitting(explain({ touches, root: { exceptions }, covered, jobs, grid }, range), bytesMax)
  return { until: parts.at(-1)?.end ?? range[0], parts }
})

/** Tells of a series' past what is asked for. */
export const auditSeries = Effect.fnUntraced(function* (request: Request) {
  const mesh = yield* Mesh
  const entry = yield* (yield* SeriesCatalog).find(request.nodeId, request.interval)
  const wanted = wantedBy(request)
  const found = yield* goThrough(entry, wanted)
  // behind the history: what is swept while that is read is noted by then
  const keptFrom = wanted.verify ? yield* sweptMark.keptFrom(entry) : 1
  const bytesMax = mesh.payloadBytesMax() - headroomBytes
  const explanation = wanted.range && (yield* explanationOf(entry, wanted.range, found, bytesMax * explanationShare))
  const bytesLeft = bytesMax - (explanation === undefined ? 0 : AuditDigest.bytesOf(explanation))
  return {
    ...entry.series,
    version: found.standing.root.version,
    ...AuditDigest.changesOf(found.digest, wanted, bytesLeft),
    unreadable: found.digest.unreadable,
    ...(explanation && { explanation }),
    ...(wanted.verify && { verdict: AuditDigest.verdictOf(found.digest, found.standing, keptFrom) })
  } satisfies Answer
})
