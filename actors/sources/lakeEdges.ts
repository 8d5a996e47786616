/**
 * Where do files begin and end, and what is not known there?
 *
 * Pure. Before the first file, behind the last and between two another one may be absent, so an absence over such a
 * seam says nothing, whatever part of it was asked about. Two files follow each other at once where the time between
 * them is short beside both. Of trades the bar at an edge may go on in a file that is not there: it is no bar then.
 */
import * as Interval from "../../protocol/history/Interval.ts"
import { isRange, type Range } from "../../protocol/history/Range.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
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

/** Time between two files that is long enough for another one to be absent there. */
const gapsOf = (times: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const gaps: Array<Range> = []
  let before = times[0]
  for (const time of times) {
    if (before !== undefined && isRange(before[1], time[0])) {
      const shorterMs = Math.min(before[1] - before[0], time[1] - time[0])
      if (time[0] - before[1] > shorterMs * seamShare) gaps.push([before[1], time[0]])
    }
    if (before === undefined || isRange(before[1], time[1])) before = time
  }
  return gaps
}

/** What is known of the edges of some files. */
export interface Edges {
  /** Time over which an absence says nothing. */
  readonly seams: ReadonlyArray<Range>
  /** Time of which a file has all that there was. */
  readonly whole: ReadonlyArray<Range>
  /** Bars that may go on in a file that is not there, by their begins. */
  readonly cut: ReadonlySet<number>
}

/** What is known of the edges of all files of a symbol. */
export const edgesOf = (
  files: ReadonlyArray<FileFacts>,
  interval: Interval.Interval,
  settings: EdgeSettings
): Edges => {
  const times = timesOf(files, interval, settings)
  const last = times.reduce((end, time) => Math.max(end, time[1]), -Infinity)
  const open: ReadonlyArray<Range> = [[-Infinity, times[0]?.[0] ?? Infinity], ...gapsOf(times), [last, Infinity]]
  const seams = open.map(([start, end]): Range => [
    Number.isFinite(start) ? Interval.alignDown(interval, start) : start,
    Number.isFinite(end) ? Interval.alignUp(interval, end) : end
  ])
  if (settings.rows !== "trades") return { seams, whole: [], cut: new Set() }
  const inner = open.flat().filter(Number.isFinite)
  const cut = inner.filter((moment) => Interval.alignDown(interval, moment) !== moment)
  const within = times.flatMap(([start, end]): ReadonlyArray<Range> => {
    const [from, until] = [Interval.alignUp(interval, start), Interval.alignDown(interval, end)]
    return isRange(from, until) ? [[from, until]] : []
  })
  return {
    seams,
    whole: settings.whole === false ? [] : within,
    cut: new Set(cut.map((moment) => Interval.alignDown(interval, moment)))
  }
}

/** The seams that an absence in a range may go over. */
export const within = (seams: ReadonlyArray<Range>, [start, end]: Range): ReadonlyArray<Range> =>
  seams.filter((seam) => isRange(seam[0], end) && isRange(start, seam[1]))
