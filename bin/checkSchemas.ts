/**
 * Can rows be conformed under the schemas of a configuration?
 *
 * What the form of a schema does not show: a column that stands twice, a default that its type can't hold, a rule that
 * needs a column which is not there. A schema whose form is wrong is passed over: that has been told already.
 */
import { Option, Predicate, Result, Schema } from "effect"
import { castColumn } from "../actors/conformance/castColumn.ts"
import { conform } from "../actors/conformance/conform.ts"
import { type ConformanceRules, rulesOf } from "../protocol/frame/ConformanceRules.ts"
import { type Field, reservedColumns } from "../protocol/frame/DataSchema.ts"
import { planQuality } from "../protocol/frame/planQuality.ts"
import type { QualityRules } from "../protocol/frame/QualityRules.ts"
import * as Interval from "../protocol/history/Interval.ts"
import { SchemaSettings } from "../protocol/SchemaSettings.ts"
import type { Mistake } from "./Mistake.ts"

const decode = Schema.decodeUnknownResult(SchemaSettings)

const reserved: ReadonlyArray<string> = Object.values(reservedColumns)

const checkNames = (path: string, fields: ReadonlyArray<Field>): ReadonlyArray<Mistake> => {
  const taken = new Map<string, string>()
  return fields.flatMap(({ from = [], name }, at) => {
    const here = `${path}.fields[${at}]`
    const names = [...new Set([name, ...from])]
    const problems = names.flatMap((each) => {
      if (reserved.includes(each)) return [{ path: here, problem: `${each} is a column of time or lineage` }]
      const before = taken.get(each)
      return before === undefined
        ? []
        : [{ path: here, problem: `${JSON.stringify(each)} stands at ${before} already` }]
    })
    for (const each of names) if (!taken.has(each)) taken.set(each, here)
    return problems
  })
}

/** What of a field its type has no use for, or can't hold. */
const checkField = (path: string, field: Field): ReadonlyArray<Mistake> => {
  const { default: fallback, spellings, type, unit } = field
  const cast = fallback === undefined ? undefined : castColumn(field, { rows: 1 }, {})
  return [
    ...(cast !== undefined && Result.isFailure(cast)
      ? [{ path: `${path}.default`, problem: `${JSON.stringify(fallback)} can't stand in a column of type ${type}` }]
      : []),
    ...(spellings !== undefined && type !== "bool" && type !== "category"
      ? [{ path: `${path}.spellings`, problem: "is for columns of type bool or category" }]
      : []),
    ...(unit !== undefined && type !== "timestamp"
      ? [{ path: `${path}.unit`, problem: "is for columns of type timestamp" }]
      : []),
    ...(field.required && field.experimental === true
      ? [{ path: `${path}.experimental`, problem: "is for columns that are not required" }]
      : [])
  ]
}

const minute = Option.getOrThrow(Interval.parse("1m"))

/** The columns that rows under the rules would have at least. */
const leastColumns = (fields: ReadonlyArray<Field>, { rollUp, tradeColumns = {} }: ConformanceRules) => {
  const names =
    rollUp === "trades"
      ? [tradeColumns.price ?? "price", tradeColumns.amount ?? "amount"]
      : fields.map(({ name }) => name)
  return [...new Set(names)].map((name) => ({ name, values: [] }))
}

/** What goes wrong with any rows at all, as no rows show. */
const checkRun = (path: string, { fields, rules = {} }: SchemaSettings, source: string): ReadonlyArray<Mistake> => {
  const columns = leastColumns(fields, rulesOf(rules, source))
  const options = {
    schema: { version: 1, fields },
    rules,
    interval: minute,
    source,
    ingestAtMs: 0,
    jobId: "",
    flags: 0
  }
  return Result.match(conform({ eventTime: [], columns }, options), {
    onSuccess: () => [],
    onFailure: ({ message }) => [{ path, problem: message }]
  })
}

const checkQualityRules = (
  path: string,
  fields: ReadonlyArray<Field>,
  rules: QualityRules = []
): ReadonlyArray<Mistake> =>
  planQuality(rules, { schema: { version: 1, fields }, intervalMs: minute.lengthMs }).problems.map((found) => {
    const at = rules.findIndex(({ name, rule }) => (name ?? rule) === found.rule)
    return { path: `${path}[${at}]`, problem: found.problem }
  })

const ordered: ReadonlyArray<string> = ["int64", "float64", "timestamp"]

/** Whether there are versions to decide by, where that is the rule. */
const checkVersions = (
  path: string,
  fields: ReadonlyArray<Field>,
  { conflict, versionColumn = "version" }: ConformanceRules
): ReadonlyArray<Mistake> => {
  if (conflict !== "version") return []
  const type = fields.find(({ name }) => name === versionColumn)?.type
  const names = fields.map(({ name }) => name).join(", ")
  if (type === undefined) return [{ path, problem: `${versionColumn} is no column of the schema; there is ${names}` }]
  if (ordered.includes(type)) return []
  return [{ path, problem: `${versionColumn} is ${type}: versions are of type ${ordered.join(", ")}` }]
}

const checkRules = (path: string, { fields, rules = {} }: SchemaSettings): ReadonlyArray<Mistake> => {
  const names = fields.map(({ name }) => name)
  const { drop = [] } = rules
  const isStampedTrades = rules.rollUp === "trades" && rules.time?.stamped === "close"
  return [
    ...drop.flatMap((name, at) =>
      names.includes(name) ? [{ path: `${path}.drop[${at}]`, problem: `${name} is a column of the schema` }] : []
    ),
    ...checkVersions(`${path}.conflict`, fields, rules),
    ...(isStampedTrades ? [{ path: `${path}.time.stamped`, problem: "is for bars: a trade has no end" }] : []),
    ...checkQualityRules(`${path}.quality`, fields, rules.quality)
  ]
}

const checkSchema = (
  path: string,
  settings: SchemaSettings,
  sources: ReadonlyArray<string>
): ReadonlyArray<Mistake> => {
  const named = Object.keys(settings.rules?.sources ?? {})
  const unknown = named.filter((name) => !sources.includes(name))
  const plain = [
    ...checkNames(path, settings.fields),
    ...settings.fields.flatMap((field, at) => checkField(`${path}.fields[${at}]`, field)),
    ...checkRules(`${path}.rules`, settings),
    ...unknown.map((name) => ({
      path: `${path}.rules.sources.${name}`,
      problem: `is no source; declared under sources: ${sources.join(", ") || "none"}`
    }))
  ]
  if (plain.length > 0) return plain
  const forAll = checkRun(path, settings, "")
  return forAll.length > 0 ? forAll : named.flatMap((name) => checkRun(`${path}.rules.sources.${name}`, settings, name))
}

const propertyOf = (value: unknown, key: string): unknown =>
  Predicate.hasProperty(value, key) ? value[key] : undefined

/** What of rules a source does itself: its rows come with their times read, in order, and its trades as bars. */
interface ReadyRows {
  readonly rows: string
  readonly source: string
  readonly instead: Readonly<Record<"time" | "order" | "rollUp" | "tradeColumns", string>>
}

const ofLakes: ReadyRows = {
  rows: "files",
  source: "a lake",
  instead: {
    time: "say it of the source itself, by timeUnit, timeFormat, zone and stamped",
    order: "rows of files are sorted by their times",
    rollUp: "say rows: trades of the source itself",
    tradeColumns: "say columns of the source itself"
  }
}

const ofTrades: ReadyRows = {
  rows: "trades of an exchange",
  source: "asked for trades",
  instead: {
    time: "their times are known, and bars of them begin at their starts",
    order: "they are in the order of their numbers",
    rollUp: "bars come of them as they are",
    tradeColumns: "bars come of them, and no columns of trades"
  }
}

/** What a source does itself, by its settings; undefined where rules say how its rows are read. */
const readyRowsOf = (settings: unknown): ReadyRows | undefined => {
  const [kind, rows] = ["kind", "rows"].map((key) => propertyOf(settings, key))
  if (kind === "lake") return ofLakes
  return kind === "exchange" && rows === "trades" ? ofTrades : undefined
}

/** Rules that would do nothing, or harm, to the rows of a source of a series. */
const checkReadyRows = (
  { rules = {} }: SchemaSettings,
  [schema, series]: readonly [name: string, path: string],
  [source, ready]: readonly [name: string, rows: ReadyRows]
): ReadonlyArray<Mistake> =>
  Object.entries(ready.instead).flatMap(([rule, instead]) => {
    const own = propertyOf(rules.sources?.[source], rule) !== undefined
    if (!own && propertyOf(rules, rule) === undefined) return []
    const path = `schemas.${schema}.rules.${own ? `sources.${source}.` : ""}${rule}`
    const among = own ? "" : "; what is of other sources stands under rules.sources"
    const which = `is not for ${ready.rows}, and ${series} has ${source}, which is ${ready.source}`
    return [{ path, problem: `${which}: ${instead}${among}` }]
  })

/** Series that demand a volume of files that have none. */
const checkAbsent = (declared: object, sources: unknown, series: ReadonlyArray<unknown>): ReadonlyArray<Mistake> => {
  const hasNone = (name: unknown): boolean => {
    const without = typeof name === "string" && propertyOf(propertyOf(sources, name), "without")
    return Array.isArray(without) && without.includes("volume")
  }
  const demands = (schema: unknown): boolean =>
    typeof schema !== "string" ||
    Result.match(decode(propertyOf(declared, schema)), {
      onFailure: () => false,
      onSuccess: ({ fields }) => fields.some(({ name, required }) => name === "volume" && required)
    })
  return series.flatMap((kept, at) => {
    const [schema, asked] = [propertyOf(kept, "schema"), propertyOf(kept, "sources")]
    const absent = Array.isArray(asked) ? asked.filter(hasNone) : []
    if (absent.length === 0 || !demands(schema)) return []
    const problem = `demands a volume, and ${absent.join(", ")} has none: say a schema in which it is not required`
    return [{ path: `series[${at}].schema`, problem }]
  })
}

/** The rules of schemas that series have for sources whose rows come ready. */
const checkReady = (declared: object, sources: unknown, series: ReadonlyArray<unknown>): ReadonlyArray<Mistake> => {
  const readyOf = (name: unknown): ReadonlyArray<readonly [string, ReadyRows]> => {
    const ready = typeof name === "string" ? readyRowsOf(propertyOf(sources, name)) : undefined
    return ready === undefined ? [] : [[String(name), ready]]
  }
  const found = series.flatMap((kept, at) => {
    const [name, asked] = [propertyOf(kept, "schema"), propertyOf(kept, "sources")]
    if (typeof name !== "string" || !Array.isArray(asked)) return []
    return Result.match(decode(propertyOf(declared, name)), {
      onFailure: () => [],
      onSuccess: (settings) =>
        asked.flatMap(readyOf).flatMap((ready) => checkReadyRows(settings, [name, `series[${at}]`], ready))
    })
  })
  // several series of one schema tell one mistake
  return found.filter(({ path }, at) => found.findIndex((other) => other.path === path) === at)
}

/** What is wrong with the schemas of a configuration, and with the names by which series call them. */
export const checkSchemas = (input: unknown): ReadonlyArray<Mistake> => {
  const [schemas, sources, series] = ["schemas", "sources", "series"].map((key) => propertyOf(input, key))
  const declared = Predicate.isObject(schemas) ? schemas : {}
  const sourceNames = Predicate.isObject(sources) ? Object.keys(sources) : []
  const each = Object.entries(declared).flatMap(([name, settings]) =>
    Result.match(decode(settings), {
      onFailure: () => [],
      onSuccess: (decoded) => checkSchema(`schemas.${name}`, decoded, sourceNames)
    })
  )
  const known = Object.keys(declared)
  const named = (Array.isArray(series) ? series : []).flatMap((kept: unknown, at) => {
    const name = propertyOf(kept, "schema")
    if (typeof name !== "string" || known.includes(name)) return []
    const problem = `${JSON.stringify(name)} is no schema; declared under schemas: ${known.join(", ") || "none"}`
    return [{ path: `series[${at}].schema`, problem }]
  })
  const ofSeries: ReadonlyArray<unknown> = Array.isArray(series) ? series : []
  return [...each, ...checkReady(declared, sources, ofSeries), ...checkAbsent(declared, sources, ofSeries), ...named]
}
