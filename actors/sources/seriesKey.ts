/** What is a series called in subjects and keys, for those who ask for it again and again? */
import type { Series } from "../../protocol/history/Series.ts"
import * as Subject from "../../protocol/wire/Subject.ts"

// the catalog has one object for each series, and every read of it asks several times
const known = new WeakMap<Series, string>()

/** The key of the series. */
export const seriesKey = (series: Series): string => {
  const found = known.get(series)
  if (found !== undefined) return found
  const key = Subject.series(series.nodeId, series.interval)
  known.set(series, key)
  return key
}
