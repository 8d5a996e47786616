/**
 * What is to be stored of somebody's files, under which name?
 *
 * Pure: from what the command line says and what the files say themselves. What neither says is an error that names the
 * flag for it.
 */
import { Option, Result } from "effect"
import { basename, resolve } from "node:path"
import type { Described } from "../actors/sources/describeFiles.ts"
import * as Interval from "../protocol/history/Interval.ts"
import { isRange, type Range } from "../protocol/history/Range.ts"
import type { SchemaSettings } from "../protocol/SchemaSettings.ts"
import type { Configuration } from "../protocol/Settings.ts"
import type { LakeSettings } from "../protocol/SourceSettings.ts"

/** What the command line says of the files. */
export interface ImportFlags {
  readonly file: string
  readonly node: Option.Option<string>
  readonly interval: Option.Option<Interval.Interval>
  readonly symbol: Option.Option<string>
  readonly rows: Option.Option<"bars" | "trades">
  readonly columns: ReadonlyArray<readonly [ours: string, theirs: string]>
  readonly header: Option.Option<readonly [string, ...ReadonlyArray<string>]>
  /** A column of bars that the files do not have. */
  readonly without: Option.Option<"volume">
  readonly decimal: Option.Option<"." | ",">
  readonly timeUnit: Option.Option<NonNullable<LakeSettings["timeUnit"]>>
  readonly timeFormat: Option.Option<string>
  readonly zone: Option.Option<string>
  readonly stamped: Option.Option<"open" | "close">
  readonly whole: Option.Option<"days">
  readonly calendar: Option.Option<string>
  /** Whether files of another path take the place of those that were imported as the same series. */
  readonly replace: boolean
}

/** What is to be done. */
export interface ImportPlan {
  readonly node: string
  readonly interval: Interval.Interval
  readonly range: Range
  readonly configuration: Configuration
  /** What the command line says of the series: it goes before what was set of it. */
  readonly said: Pick<Configuration["series"][number], "symbol" | "calendar">
  readonly replace: boolean
}

/** The name of the time in files' settings, by what people call it. */
const roleOf = (ours: string): string => (ours === "time" || ours === "event_time" ? "eventTime" : ours)

/** Letters, digits, and dashes for all else. */
const plain = (text: string): string => text.replaceAll(/[^\p{L}\p{N}_-]+/gu, "-").replaceAll(/^-+|-+$/g, "") || "files"

/** The file's own name, without its folder and its ending. */
const nameOf = (file: string): string =>
  plain(
    basename(file)
      .replace(/\.(gz|zst)$/i, "")
      .replace(/\.[^.]*$/, "")
  )

/** The settings of the files as far as the command line says them. */
export const lakeOf = (flags: ImportFlags): LakeSettings => ({
  kind: "lake",
  path: resolve(flags.file),
  ...Option.match(flags.rows, { onNone: () => ({}), onSome: (rows) => ({ rows }) }),
  ...Option.match(flags.header, { onNone: () => ({}), onSome: (header) => ({ header }) }),
  ...(flags.columns.length > 0 && {
    columns: Object.fromEntries(flags.columns.map(([ours, theirs]) => [roleOf(ours), theirs]))
  }),
  ...Option.match(flags.without, { onNone: () => ({}), onSome: (column) => ({ without: [column] as const }) }),
  ...Option.match(flags.decimal, { onNone: () => ({}), onSome: (decimal) => ({ decimal }) }),
  ...Option.match(flags.timeUnit, { onNone: () => ({}), onSome: (timeUnit) => ({ timeUnit }) }),
  ...Option.match(flags.timeFormat, { onNone: () => ({}), onSome: (timeFormat) => ({ timeFormat }) }),
  ...Option.match(flags.zone, { onNone: () => ({}), onSome: (zone) => ({ zone }) }),
  ...Option.match(flags.stamped, { onNone: () => ({}), onSome: (stamped) => ({ stamped }) }),
  ...Option.match(flags.whole, { onNone: () => ({}), onSome: (whole) => ({ whole }) })
})

const minute = Option.getOrThrow(Interval.parse("1m"))

const intervalOf = (
  flags: ImportFlags,
  { interval: told, kind }: Described
): Result.Result<Interval.Interval, string> => {
  const said = Option.getOrUndefined(flags.interval)
  if (kind === "trades") return Result.succeed(said ?? minute)
  if (said === undefined) {
    return Result.fromNullishOr(told, () => "how long its bars are can't be told from their distance: say --interval")
  }
  return told !== undefined && told.lengthMs < said.lengthMs
    ? Result.fail(`its bars are ${told.text} apart, not ${said.text}: leave --interval away, or say ${told.text}`)
    : Result.succeed(said)
}

const symbolOf = (flags: ImportFlags, { symbols }: Described, name: string): Result.Result<string, string> => {
  if (Option.isSome(flags.symbol)) return Result.succeed(flags.symbol.value)
  if (symbols.length <= 1) return Result.succeed(symbols[0] ?? name)
  const told = symbols.slice(0, 10).join(", ")
  return Result.fail(`it has ${symbols.length} symbols: say by --symbol which of them; there is ${told}`)
}

/**
 * From the first bar to the last. Of trades, those that are there whole: what is at an edge may go on in other files,
 * unless files are of whole days.
 */
const rangeOf = (
  { kind, span }: Described,
  interval: Interval.Interval,
  { stamped, whole }: Pick<LakeSettings, "stamped" | "whole">
): Range => {
  if (kind === "trades" && whole !== "days") {
    return [Interval.alignUp(interval, span[0]), Interval.alignDown(interval, span[1] + 1)]
  }
  return stamped === "close"
    ? [Interval.alignUp(interval, span[0]) - interval.lengthMs, Interval.alignUp(interval, span[1])]
    : [Interval.alignDown(interval, span[0]), Interval.alignDown(interval, span[1]) + interval.lengthMs]
}

const noWholeBar = (interval: Interval.Interval): string =>
  `no bar of ${interval.text} is in it from end to end: say --whole days where files are of whole days in UTC`

/** The schema of bars without volume, and its name. */
const pricesAlone = "prices"
const schemaOfPrices: SchemaSettings = {
  fields: [
    { name: "open", type: "float64", required: true },
    { name: "high", type: "float64", required: true },
    { name: "low", type: "float64", required: true },
    { name: "close", type: "float64", required: true }
  ]
}

/** The node id under which the files are stored. */
const nodeOf = ({ file, node }: ImportFlags): string => Option.getOrElse(node, () => `ohlcv:${nameOf(file)}`)

/** How the files are to be read: what was set of them when they were imported before, and what is said now. */
export const settingsOf = (flags: ImportFlags, before: Configuration | undefined): LakeSettings => {
  const said = lakeOf(flags)
  const names = before?.series.flatMap((each) => (each.node === nodeOf(flags) ? (each.sources?.[0] ?? []) : [])) ?? []
  const set = flags.replace
    ? undefined
    : names.map((name) => before?.sources[name]).find((source) => pathsOf(source) === said.path)
  return set?.kind === "lake" ? { ...set, ...said } : said
}

/** What is to be stored of files that are read so, or what has to be said for it. */
export const planImport = (
  flags: ImportFlags,
  described: Described,
  settings: LakeSettings = lakeOf(flags)
): Result.Result<ImportPlan, string> =>
  Result.gen(function* () {
    const name = nameOf(flags.file)
    const node = nodeOf(flags)
    const interval = yield* intervalOf(flags, described)
    const symbol = yield* symbolOf(flags, described, name)
    const files: LakeSettings = {
      ...settings,
      rows: described.kind,
      ...(described.kind === "bars" && { interval: interval.text })
    }
    const range = rangeOf(described, interval, files)
    if (!isRange(...range)) return yield* Result.fail(noWholeBar(interval))
    const source = plain(`${node}-${interval.text}`)
    const calendar = Option.match(flags.calendar, { onNone: () => ({}), onSome: (calendar) => ({ calendar }) })
    const hasVolume = files.without === undefined
    return {
      node,
      interval,
      range,
      said: { ...calendar, ...Option.match(flags.symbol, { onNone: () => ({}), onSome: (symbol) => ({ symbol }) }) },
      replace: flags.replace,
      configuration: {
        sources: { [source]: files },
        series: [
          {
            node,
            intervals: [interval.text],
            sources: [source],
            symbol,
            ...(!hasVolume && { schema: pricesAlone }),
            ...calendar
          }
        ],
        ...(!hasVolume && { schemas: { [pricesAlone]: schemaOfPrices } })
      }
    }
  })

type Source = Configuration["sources"][string]
type Series = Configuration["series"][number]

/** The schema that a series has from now on: one that somebody gave it stays, that of prices beside volume does not. */
const schemaAgain = (old: Series | undefined, { schema }: Series, files: Source): Pick<Series, "schema"> => {
  const hasVolume = !("without" in files)
  const kept = old?.schema === pricesAlone && hasVolume ? undefined : old?.schema
  const named = kept ?? schema
  return named === undefined ? {} : { schema: named }
}

const unnamed = (series: Series): Series => {
  const { schema: _schema, ...rest } = series
  return rest
}

/** A name that no other series' source has: names of nodes may be alike but for their signs. */
const freeName = (sources: Configuration["sources"], name: string): string => {
  let free = name
  for (let count = 2; sources[free] !== undefined; count++) free = `${name}-${count}`
  return free
}

// how files are read, which other files in their place need not be; all else that somebody wrote stays in any case
const ofImport: ReadonlyArray<string> = [
  "kind",
  "path",
  "format",
  "rows",
  "columns",
  "header",
  "without",
  "decimal",
  "timeUnit",
  "timeFormat",
  "zone",
  "stamped",
  "interval",
  "whole"
]

const mergedSource = (before: Source | undefined, now: Source, replace: boolean): Source => {
  const kept = Object.entries(before ?? {}).filter(([key]) => !replace || !ofImport.includes(key))
  return { ...Object.fromEntries(kept), ...now }
}

const pathsOf = (source: Source | undefined): string =>
  source?.kind === "lake" ? [source.path].flat().join(", ") : "another source"

/**
 * The configuration of all that is imported already, and of this. What was imported as the same series gives way, and
 * keeps what somebody has set of it; files of another path are refused, unless they are to take its place.
 */
export const withImport = (
  before: Configuration,
  { configuration, node, replace, said }: ImportPlan
): Result.Result<Configuration, string> => {
  const [imported] = configuration.series
  const old = before.series.find((each) => each.node === node && each.intervals[0] === imported.intervals[0])
  const others = before.series.filter((each) => each !== old)
  const [name = ""] = imported.sources ?? []
  const oldName = old?.sources?.[0]
  const files = configuration.sources[name]!
  const [was, is] = [pathsOf(before.sources[oldName ?? ""]), pathsOf(files)]
  if (oldName !== undefined && was !== is && !replace) {
    const told = `${node} ${imported.intervals[0]} was imported from ${was}`
    return Result.fail(`${told}: say --replace to have ${is} in its place, or --node for another name`)
  }
  const source = oldName ?? freeName(before.sources, name)
  const merged = mergedSource(before.sources[source], files, replace)
  return Result.succeed({
    ...before,
    sources: { ...before.sources, [source]: merged },
    // what somebody has made of a schema since stays
    ...(configuration.schemas !== undefined && { schemas: { ...configuration.schemas, ...before.schemas } }),
    series: [
      { ...unnamed({ ...imported, sources: [source], ...old, ...said }), ...schemaAgain(old, imported, merged) },
      ...others
    ]
  })
}
