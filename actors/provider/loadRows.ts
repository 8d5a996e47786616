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
import { findingsIn, loadWindows, type StoredWindow } from "../sources/storedWindows.ts"
import { fingerprint, type WindowContent } from "./fingerprint.ts"
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

/** The rows of windows as a reader gets them, and the content of each window's. */
const joinWindows = (
  entry: ValidRequest["entry"],
  windows: ReadonlyArray<StoredWindow>
): Pick<Loaded, "frame" | "contributions" | "findings"> & { readonly contents: ReadonlyArray<WindowContent> } => {
  const empty = Frame.empty(entry.schema)
  const merged = windows.map(({ ranges, rows }) => mergeStored(rows, ranges, empty, entry))
  const contributions = new Map<string, RangeSet.RangeSet>()
  for (const [source, ranges] of merged.flatMap((each) => Array.from(each.contributions))) {
    contributions.set(source, RangeSet.union(contributions.get(source) ?? RangeSet.empty, ranges))
  }
  return {
    frame: Frame.concat([empty, ...merged.map(({ frame }) => frame)]),
    contributions,
    findings: Findings.unionAll(windows.map((window, index) => findingsIn(window, merged[index]!.contributions))),
    contents: windows.map((window, index) => windowContent(window, merged[index]!))
  }
}

/** The rows of the request's range that the root covers. */
export const loadRows = Effect.fnUntraced(function* (request: Wanted, view: CoverageView) {
  const { range, entry } = request
  const covered = RangeSet.clip(view.covered, ...range)
  const { windows, ...from } = yield* loadWindows(request, view, covered)
  const { contents, ...joined } = joinWindows(entry, windows)
  const loaded: Loaded = {
    ...joined,
    ...from,
    covered,
    fingerprint: fingerprint({ series: entry.series, range, covered }, contents)
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
