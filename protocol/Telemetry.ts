/**
 * What can be seen of a running system, and what is it called?
 *
 * Every span, every attribute of a span and every metric is named here once. Tests prove that each is emitted.
 */

/** Spans, by what they time. */
export const Span = {
  /** One read, from the request to the answer. */
  historyRead: "history.read",
  /** One request to make a range available. */
  historyEnsure: "history.ensure",
  /** One account of what a read would do. */
  historyExplain: "history.explain",
  /** One report of coverage. */
  historyCoverage: "history.coverage",
  /** Reading a root that was not known, or no longer. */
  coverageCompute: "coverage.compute",
  /** Opening or joining the jobs of a gap. */
  coverageEnsure: "coverage.ensure",
  /** Making stored chunks count. */
  coverageCommit: "coverage.commit",
  /** Taking a window's job. */
  backfillClaim: "backfill.claim",
  /** Filling the windows of one claim. */
  backfillRun: "backfill.run",
  /** Waiting until a request may be sent to a source. */
  upstreamPermit: "upstream.permit",
  /** Asking a source for rows: an exchange, or the store. */
  dataSourceRead: "datasource.read"
} as const

/** Metrics: counts since the process began. */
export const Metrics = {
  /** How often something did not hold that must always hold, by `invariant`. */
  invariantViolations: "invariant.violations"
} as const

/** Labels of metrics; each has few values. */
export const MetricLabel = {
  /** A name from `wire/Invariant`. */
  invariant: "invariant"
} as const

/** Attributes of spans. Times are epoch milliseconds, durations milliseconds. */
export const Attribute = {
  requestId: "request_id",
  nodeId: "node_id",
  interval: "interval",
  start: "start",
  end: "end",
  strategy: "strategy",
  strict: "strict",
  source: "source",
  missingCount: "missing_count",
  waitMs: "wait_ms",
  timeout: "timeout",
  /** What a read does about its gap, and how many bars that has. */
  gapMode: "gap_mode",
  gapBars: "gap_bars"
} as const
