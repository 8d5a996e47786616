/**
 * How do stored rows get into an answer?
 *
 * Each stretch of time comes from the preferred source that covers it.
 */
import { Effect } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { mergeStored } from "../conformance/mergeStored.ts"
import { findingsIn, loadWindows } from "../sources/storedWindows.ts"
import { fingerprint } from "./fingerprint.ts"
import type { ValidRequest } from "./validRequest.ts"
import { windowContent } from "./windowContent.ts"

/** The rows of an answer. */
export interface Loaded {
  readonly frame: Frame.Frame
  readonly covered: RangeSet.RangeSet
  readonly contributions: ReadonlyMap<string, RangeSet.RangeSet>
  /** What quality rules found in these rows. */
  readonly findings: Findings.Findings
  readonly fingerprint: string
  readonly fromCache: number
  readonly fromStorage: number
}

/** What rows are wanted. */
type Wanted = Pick<ValidRequest, "entry" | "range" | "sources">

/** The rows of the request's range that the root covers. */
export const loadRows = Effect.fnUntraced(function* (request: Wanted, view: CoverageView) {
  const { schema, series } = request.entry
  const covered = RangeSet.clip(view.covered, ...request.range)
  const { fromCache, fromStorage, windows } = yield* loadWindows(request, view, covered)
  const empty = Frame.empty(schema)
  const merged = windows.map(({ ranges, rows }) => mergeStored(rows, ranges, empty, request.entry))
  const contributions = new Map<string, RangeSet.RangeSet>()
  for (const [source, ranges] of merged.flatMap((each) => Array.from(each.contributions))) {
    contributions.set(source, RangeSet.union(contributions.get(source) ?? RangeSet.empty, ranges))
  }
  const loaded: Loaded = {
    frame: Frame.concat([empty, ...merged.map(({ frame }) => frame)]),
    covered,
    contributions,
    findings: Findings.unionAll(windows.map((window, index) => findingsIn(window, merged[index]!.contributions))),
    fingerprint: fingerprint(
      { series, range: request.range, covered },
      windows.map((window, index) => windowContent(window, merged[index]!))
    ),
    fromCache,
    fromStorage
  }
  return loaded
})

/** What an answer has whose rows did not come in time: nothing. */
export const nothingLoaded = ({ entry: { schema, series }, range }: ValidRequest): Loaded => ({
  frame: Frame.empty(schema),
  covered: RangeSet.empty,
  contributions: new Map(),
  findings: Findings.none,
  fingerprint: fingerprint({ series, range, covered: RangeSet.empty }, []),
  fromCache: 0,
  fromStorage: 0
})
