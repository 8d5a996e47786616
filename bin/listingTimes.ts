/**
 * When does a configuration say that trading began and ended?
 *
 * A person writes a date; what is made of the file has epoch milliseconds. It is read as the command line reads times:
 * UTC where no zone is named.
 */
import { Predicate } from "effect"
import { isRange } from "../protocol/history/Range.ts"
import { isoTime } from "./isoTime.ts"
import type { Mistake } from "./Mistake.ts"
import { likelyMeant, parseTime } from "./parseTime.ts"

const keys = ["listedAt", "delistedAt"] as const

const fieldOf = (value: unknown, key: string): unknown => (Predicate.hasProperty(value, key) ? value[key] : undefined)

const timeOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value
  return typeof value === "string" ? parseTime(value) : undefined
}

/** What is wrong with the times of one series. What is neither text nor number the schema refuses. */
export const checkListingTimes = (path: string, kept: unknown): ReadonlyArray<Mistake> => {
  const wrong = keys.flatMap((key): ReadonlyArray<Mistake> => {
    const value = fieldOf(kept, key)
    const meant = typeof value === "number" ? likelyMeant(String(value)) : undefined
    if (meant !== undefined)
      return [{ path: `${path}.${key}`, problem: `${String(value)} is too small for epoch ms: did you mean ${meant}?` }]
    if (typeof value !== "string" || parseTime(value) !== undefined) return []
    const problem = `${JSON.stringify(value)} is no time: ISO 8601 such as 2019-09-23 or 2019-09-23T12:00Z, or epoch ms`
    return [{ path: `${path}.${key}`, problem }]
  })
  const [listed, delisted] = keys.map((key) => timeOf(fieldOf(kept, key)))
  if (listed === undefined || delisted === undefined || isRange(listed, delisted)) return wrong
  const problem = `is ${isoTime(delisted)}, and has to be later than listedAt, which is ${isoTime(listed)}`
  return [...wrong, { path: `${path}.delistedAt`, problem }]
}

const withTimes = (kept: unknown): unknown => {
  if (!Predicate.isObject(kept)) return kept
  // a text that is no time is told of already, and left out here: it is one mistake, not two
  const times = keys.flatMap((key) => {
    const value = fieldOf(kept, key)
    return typeof value === "string" ? [[key, parseTime(value)] as const] : []
  })
  const rest = Object.entries(kept).filter(([key]) => !times.some(([name]) => name === key))
  return Object.fromEntries([...rest, ...times.filter(([, time]) => time !== undefined)])
}

/** The plain data of a configuration with epoch milliseconds in the place of dates. */
export const withListingTimes = (input: unknown): unknown => {
  const series = fieldOf(input, "series")
  return Predicate.isObject(input) && Array.isArray(series) ? { ...input, series: series.map(withTimes) } : input
}
