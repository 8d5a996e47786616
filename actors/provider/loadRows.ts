/**
 * How do stored rows get into an answer?
 *
 * Each stretch of time comes from the preferred source that covers it. What can't be read of it takes nothing away from
 * the rest.
 */
import { Effect } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import * as Findings from "../../protocol/history/Findings.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { CoverageView } from "../../protocol/messages/Coverage.ts"
import { mergeStored } from "../conformance/mergeStored.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import type { From } from "../sources/Shelf.ts"
import {
  findingsIn,
  type StoredWindow,
  windowsAtHand,
  type WindowsThere,
  windowsThere
} from "../sources/storedWindows.ts"
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
  /** What the stores of this host were asked, and gave. */
  readonly stores: Pick<WindowsThere, "chunks" | "failure" | "storageAsked">
}

/** What rows are wanted. */
type Wanted = Pick<ValidRequest, "entry" | "range" | "sources">

/** The rows of windows as a reader gets them, and the content of each window's. */
export const joinWindows = (
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

/** What comes of stored windows: the rows, and what they are. */
const loadedOf = (
  { entry, range }: Wanted,
  covered: RangeSet.RangeSet,
  { windows, ...stores }: WindowsThere
): Loaded => {
  const { contents, ...joined } = joinWindows(entry, windows)
  return {
    ...joined,
    covered,
    fingerprint: fingerprint({ series: entry.series, range, covered }, contents),
    stores
  }
}

/** The rows of the request's range that the root covers and that can be had: `covered` is the time of these alone. */
export const loadRows = Effect.fnUntraced(function* (request: Wanted, view: CoverageView, from: From = "anywhere") {
  const wanted = RangeSet.clip(view.covered, ...request.range)
  const there = yield* windowsThere(request, view, wanted, from)
  const isAll = from === "anywhere" && there.failure === undefined
  return loadedOf(request, isAll ? wanted : RangeSet.unionAll(there.windows.map(({ ranges }) => ranges)), there)
})

/** The same without a wait, where all of it is in memory; undefined where anything would have to be read. */
export const rowsAtHand = (
  request: Wanted,
  view: CoverageView,
  { inMemory }: ChunkStore["Service"]
): Loaded | undefined => {
  const wanted = RangeSet.clip(view.covered, ...request.range)
  const there = windowsAtHand(request, view, wanted, inMemory)
  return there === undefined ? undefined : loadedOf(request, wanted, there)
}
