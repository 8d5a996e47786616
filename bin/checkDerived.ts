/**
 * Is each series that is rolled up made of one that is kept, and fits it?
 *
 * It looks at the plain data, like all that spans several places of a configuration. Each step is to a shorter
 * interval, so that no series can be made of itself by way of others.
 */
import { Option, Predicate, Result, Schema } from "effect"
import { canRollUp } from "../actors/conformance/rollUpColumns.ts"
import { derivedPrefix } from "../actors/sources/SeriesCatalog.ts"
import * as Interval from "../protocol/history/Interval.ts"
import { SchemaSettings } from "../protocol/SchemaSettings.ts"
import type { Mistake } from "./Mistake.ts"

const decodeSchema = Schema.decodeUnknownResult(SchemaSettings)

/** What only series have that sources are asked for. */
const ofFetched = ["sources", "symbol", "listedAt", "delistedAt"] as const
/** What those can't do without. */
const needed = ["sources", "symbol"] as const

const fieldOf = (value: unknown, key: string): unknown => (Predicate.hasProperty(value, key) ? value[key] : undefined)

const intervalsOf = (kept: unknown): ReadonlyArray<readonly [index: number, interval: Interval.Interval]> => {
  const texts: unknown = fieldOf(kept, "intervals")
  if (!Array.isArray(texts)) return []
  return texts.flatMap((text: unknown, index) =>
    typeof text === "string" ? Option.toArray(Interval.parse(text)).map((interval) => [index, interval] as const) : []
  )
}

/** The intervals that are kept of a node. */
const keptOf = (series: ReadonlyArray<unknown>, node: unknown): ReadonlyArray<string> =>
  series
    .filter((kept) => fieldOf(kept, "node") === node)
    .flatMap((kept) => intervalsOf(kept).map(([, { text }]) => text))

/** Why bars of one interval are not made of whole ones of the other; undefined where they are. */
const misfit = (longer: Interval.Interval, shorter: Interval.Interval): string | undefined => {
  if (Interval.isDividedBy(longer, shorter)) return undefined
  if (longer.text === shorter.text) return `${longer.text} can't be made of itself: name a finer interval`
  if (shorter.lengthMs >= longer.lengthMs)
    return `${longer.text} is no longer than ${shorter.text}: name a finer interval`
  if (longer.lengthMs % shorter.lengthMs !== 0) return `${longer.text} is no whole number of ${shorter.text}`
  const anchors = "weeks count from a Monday, all else from the Unix epoch"
  return `bars of ${longer.text} begin where no bar of ${shorter.text} does: ${anchors}`
}

/** The name of the schema of the bars that a node's are made of at last; undefined where they have none. */
const schemaBelow = (series: ReadonlyArray<unknown>, node: unknown, from: string): unknown => {
  let finer = from
  for (let steps = 0; steps < series.length; steps++) {
    const below = series.find(
      (kept) => fieldOf(kept, "node") === node && intervalsOf(kept).some(([, { text }]) => text === finer)
    )
    const next = fieldOf(below, "derivedFrom")
    if (typeof next !== "string") return fieldOf(below, "schema")
    finer = Option.match(Interval.parse(next), { onNone: () => next, onSome: ({ text }) => text })
  }
  return undefined
}

/** The required columns of which a longer bar has nothing: every one of it would be missing. */
const checkColumns = (path: string, schemas: unknown, name: unknown): ReadonlyArray<Mistake> => {
  const settings = typeof name === "string" ? decodeSchema(fieldOf(schemas, name)) : undefined
  // what is wrong with the schema itself is told there
  if (settings === undefined || Result.isFailure(settings)) return []
  const lost = settings.success.fields.filter((field) => field.required && !canRollUp(field))
  const where = `schemas.${String(name)}`
  return lost.map((field) => ({
    path,
    problem: `${field.name} is required, and nothing says what a longer bar has of it: name its rollUp in ${where}`
  }))
}

const checkOne = (
  series: ReadonlyArray<unknown>,
  schemas: unknown,
  kept: unknown,
  at: number
): ReadonlyArray<Mistake> => {
  const path = `series[${at}]`
  const text = fieldOf(kept, "derivedFrom")
  if (text === undefined) {
    const absent = needed.filter((key) => Predicate.isObject(kept) && fieldOf(kept, key) === undefined)
    return absent.map((key) => ({ path: `${path}.${key}`, problem: "is missing" }))
  }
  const own = ofFetched
    .filter((key) => fieldOf(kept, key) !== undefined)
    .map((key) => ({
      path: `${path}.${key}`,
      problem: "is not for a series that is derived: it is as what it is made of"
    }))
  // what is no text the schema refuses
  if (typeof text !== "string") return own
  const parsed = Interval.parse(text)
  if (Option.isNone(parsed)) {
    const problem = `${JSON.stringify(text)} is no interval: a whole number and s, m, h, d or w, such as 1m or 4h`
    return [...own, { path: `${path}.derivedFrom`, problem }]
  }
  const finer = parsed.value
  const misfits = intervalsOf(kept).flatMap(([index, interval]) => {
    const problem = misfit(interval, finer)
    return problem === undefined ? [] : [{ path: `${path}.intervals[${index}]`, problem }]
  })
  const node = fieldOf(kept, "node")
  const known = keptOf(series, node)
  if (typeof node !== "string") return [...own, ...misfits]
  if (known.includes(finer.text)) {
    const lost = checkColumns(`${path}.derivedFrom`, schemas, schemaBelow(series, node, finer.text))
    return [...own, ...misfits, ...lost]
  }
  const problem = `no series of ${node} is kept at ${finer.text}; there is ${[...new Set(known)].join(", ") || "none"}`
  return [...own, { path: `${path}.derivedFrom`, problem }, ...misfits]
}

/** What is wrong with the series that are derived, and what those lack that are not. */
export const checkDerived = (series: ReadonlyArray<unknown>, schemas: unknown): ReadonlyArray<Mistake> =>
  series.flatMap((kept, at) => checkOne(series, schemas, kept, at))

/** The sources that are called as other series are. */
export const checkDerivedNames = (sources: ReadonlyArray<string>): ReadonlyArray<Mistake> =>
  sources
    .filter((name) => name.startsWith(derivedPrefix))
    .map((name) => ({
      path: `sources.${name}`,
      problem: `names that begin with ${derivedPrefix} are those of series: take another name`
    }))
