/** Which windows of a series does an operator mean, and what is being done about them? */
import { Effect, Option } from "effect"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import { isRange } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { Series } from "../../protocol/history/Series.ts"
import * as Window from "../../protocol/history/Window.ts"
import { jobKey, readJob } from "../../protocol/messages/Backfill.ts"
import { Coverage } from "../../protocol/messages/Coverage.ts"
import { TooManyWindows } from "../../protocol/messages/JobErrors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"

/** Records that are read at once. */
const readConcurrency = 32

/** A series by its names; the interval may be spelt in any way. */
export interface NamedSeries {
  readonly nodeId: string
  readonly interval: string
}

/** The key of a series. */
export const keyOf = ({ interval, nodeId }: Series): string => Subject.series(nodeId, interval)

/** What is configured of a series, and the grid of what is stored of it. */
export const seriesOf = Effect.fnUntraced(function* ({ interval, nodeId }: NamedSeries) {
  const entry = yield* (yield* SeriesCatalog).find(nodeId, interval)
  const { root } = yield* (yield* Coverage).of(entry.series)
  return { entry, grid: Window.makeGrid(entry.interval, root.windowBars) }
})

/** Waits a moment until readers of this host see a version; what was done is done, also where it does not come. */
export const untilSeen = Effect.fnUntraced(function* (series: Series, minVersion: number) {
  const coverage = yield* Coverage
  yield* Effect.ignore(coverage.of(series, { minVersion }))
})

/** Times as they are asked for; without an end the window that holds the start is meant. */
export interface AskedTime {
  readonly start: number
  readonly end?: number
}

/** The starts of the windows that have any of the time, so many at most. */
export const windowsIn = Effect.fnUntraced(function* (
  grid: Window.Grid,
  { end, start }: AskedTime,
  windowsMax: number
) {
  if (end === undefined) return [Window.windowStart(grid, start)]
  if (!isRange(start, end)) {
    const problem = `is ${start} and end is ${end}: a range is [start, end), and start comes first`
    return yield* new InvalidRequest({ field: "start", problem })
  }
  const asked = RangeSet.of(start, end)
  const windows = Window.count(grid, asked)
  if (windows > windowsMax) return yield* new TooManyWindows({ windows, windowsMax })
  return Window.split(grid, asked).map(({ windowStart }) => windowStart)
})

/** Which job of a window is meant: what asks the source for its bars once more, or what fills the window. */
export interface Meant {
  readonly source?: string
}

/** The job of a window, as its leader says; none where there is no record. */
export const jobAt = Effect.fnUntraced(function* (series: Series, windowStart: number, { source }: Meant) {
  const mesh = yield* Mesh
  const key = jobKey({ series, windowStart, ...(source !== undefined && { revises: source }) })
  const subject = keySubject(Stream.jobs, key)
  const stored = yield* mesh.read(Stream.jobs.name, subject)
  return Option.flatMap(stored, ({ value }) => readJob(value))
})

/** The jobs of these windows; those without one are left out. */
export const jobsOf = (series: Series, windowStarts: ReadonlyArray<number>, meant: Meant) =>
  Effect.forEach(windowStarts, (windowStart) => jobAt(series, windowStart, meant), {
    concurrency: readConcurrency
  }).pipe(Effect.map((jobs): ReadonlyArray<BackfillJob> => jobs.flatMap(Option.toArray)))
