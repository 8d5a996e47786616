/**
 * Where do files begin and end, and what is not known there?
 *
 * Pure. Between two files another one may be absent, so an absence of bars over such a seam says less than one within a
 * file: it is a lack of trades only where it is short beside the files themselves. Of trades the bar at an edge may go
 * on in a file that is not there: it is no bar then.
 */
import * as Interval from "../../protocol/history/Interval.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { Seam } from "./DataSource.ts"
import type { FileFacts } from "./learnFile.ts"

// a file that is absent is about as long as those beside it
const seamShare = 0.1
const dayMs = 86_400_000

type EdgeSettings = Pick<LakeSettings, "rows" | "stamped" | "whole">

/** When a bar begins that is stamped with its end, which may be its last millisecond. */
export const openOf = (interval: Interval.Interval, closeMs: number): number =>
  Interval.alignUp(interval, closeMs) - interval.lengthMs

const startOfDay = (timeMs: number): number => Math.floor(timeMs / dayMs) * dayMs

/** The time that a file is about. */
const timeOf = ([first, last]: Range, interval: Interval.Interval, settings: EdgeSettings): Range => {
  if (settings.rows === "trades") {
    return settings.whole === "days" ? [startOfDay(first), startOfDay(last) + dayMs] : [first, last + 1]
  }
  const begin = (time: number): number => (settings.stamped === "close" ? openOf(interval, time) : time)
  return [begin(first), begin(last) + interval.lengthMs]
}

const timesOf = (files: ReadonlyArray<FileFacts>, interval: Interval.Interval, settings: EdgeSettings) =>
  files
    .flatMap(({ span }) => (span === undefined ? [] : [timeOf(span, interval, settings)]))
    .toSorted((a, b) => a[0] - b[0] || a[1] - b[1])

/** Time between two files, and how long an absence over it may be. */
const seamsOf = (times: ReadonlyArray<Range>): ReadonlyArray<Seam> => {
  const seams: Array<Seam> = []
  let before = times[0]
  for (const time of times) {
    if (before !== undefined && isRange(before[1], time[0])) {
      const shorterMs = Math.min(before[1] - before[0], time[1] - time[0])
      seams.push({ start: before[1], end: time[0], emptyMsMax: shorterMs * seamShare })
    }
    if (before === undefined || isRange(before[1], time[1])) before = time
  }
  return seams
}

/** What is known of the edges of some files. */
export interface Edges {
  readonly seams: ReadonlyArray<Seam>
  /** Time of which a file has all that there was. */
  readonly whole: ReadonlyArray<Range>
  /** Bars that may go on in a file that is not there, by their begins. */
  readonly cut: ReadonlySet<number>
}

const tradeEdges = (times: ReadonlyArray<Range>, interval: Interval.Interval, settings: EdgeSettings): Edges => {
  // what lies between files that follow each other at once is theirs
  const open = seamsOf(times).filter(({ emptyMsMax, end, start }) => end - start > emptyMsMax)
  const last = times.reduce((end, time) => Math.max(end, time[1]), -Infinity)
  const edges = [
    [-Infinity, times[0]?.[0] ?? -Infinity],
    ...open.map(({ end, start }) => [start, end]),
    [last, Infinity]
  ]
  const inner = edges.flat().filter(Number.isFinite)
  const cut = inner.filter((moment) => Interval.alignDown(interval, moment) !== moment)
  const within = times.flatMap(([start, end]): ReadonlyArray<Range> => {
    const [from, until] = [Interval.alignUp(interval, start), Interval.alignDown(interval, end)]
    return isRange(from, until) ? [[from, until]] : []
  })
  return {
    seams: edges.map(([start = -Infinity, end = Infinity]) => ({
      start: Number.isFinite(start) ? Interval.alignDown(interval, start) : start,
      end: Number.isFinite(end) ? Interval.alignUp(interval, end) : end,
      emptyMsMax: 0
    })),
    whole: settings.whole === false ? [] : within,
    cut: new Set(cut.map((moment) => Interval.alignDown(interval, moment)))
  }
}

/** What is known of the edges of all files of a symbol. */
export const edgesOf = (
  files: ReadonlyArray<FileFacts>,
  interval: Interval.Interval,
  settings: EdgeSettings
): Edges => {
  const times = timesOf(files, interval, settings)
  if (settings.rows === "trades") return tradeEdges(times, interval, settings)
  return { seams: seamsOf(times), whole: [], cut: new Set() }
}

/** The seams that an absence in a range may go over. */
export const within = (seams: ReadonlyArray<Seam>, [start, end]: Range): ReadonlyArray<Seam> =>
  seams.filter((seam) => isRange(seam.start, end) && isRange(start, seam.end))
