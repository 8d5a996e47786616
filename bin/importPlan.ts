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
import type { Range } from "../protocol/history/Range.ts"
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
  readonly timeUnit: Option.Option<NonNullable<LakeSettings["timeUnit"]>>
  readonly timeFormat: Option.Option<string>
  readonly zone: Option.Option<string>
  readonly stamped: Option.Option<"open" | "close">
}

/** What is to be done. */
export interface ImportPlan {
  readonly node: string
  readonly interval: Interval.Interval
  readonly range: Range
  readonly configuration: Configuration
}

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
  ...(flags.columns.length > 0 && { columns: Object.fromEntries(flags.columns) }),
  ...Option.match(flags.timeUnit, { onNone: () => ({}), onSome: (timeUnit) => ({ timeUnit }) }),
  ...Option.match(flags.timeFormat, { onNone: () => ({}), onSome: (timeFormat) => ({ timeFormat }) }),
  ...Option.match(flags.zone, { onNone: () => ({}), onSome: (zone) => ({ zone }) }),
  ...Option.match(flags.stamped, { onNone: () => ({}), onSome: (stamped) => ({ stamped }) })
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

/** Whole bars from the first time to the last. */
const rangeOf = ({ span }: Described, interval: Interval.Interval, stamped: LakeSettings["stamped"]): Range =>
  stamped === "close"
    ? [Interval.alignUp(interval, span[0]) - interval.lengthMs, Interval.alignUp(interval, span[1])]
    : [Interval.alignDown(interval, span[0]), Interval.alignDown(interval, span[1]) + interval.lengthMs]

/** What is to be stored, or what has to be said for it. */
export const planImport = (flags: ImportFlags, described: Described): Result.Result<ImportPlan, string> =>
  Result.gen(function* () {
    const name = nameOf(flags.file)
    const node = Option.getOrElse(flags.node, () => `ohlcv:${name}`)
    const interval = yield* intervalOf(flags, described)
    const symbol = yield* symbolOf(flags, described, name)
    const files: LakeSettings = {
      ...lakeOf(flags),
      rows: described.kind,
      ...(described.kind === "bars" && { interval: interval.text })
    }
    const source = plain(`${node}-${interval.text}`)
    return {
      node,
      interval,
      range: rangeOf(described, interval, files.stamped),
      configuration: {
        sources: { [source]: files },
        series: [{ node, intervals: [interval.text], sources: [source], symbol }]
      }
    }
  })

/** The configuration of all that is imported already, and of this; what was imported as the same series gives way. */
export const withImport = (before: Configuration, { configuration }: ImportPlan): Configuration => {
  const [imported] = configuration.series
  const isKept = ({ intervals, node }: Configuration["series"][number]): boolean =>
    node !== imported.node || intervals[0] !== imported.intervals[0]
  return {
    ...before,
    sources: { ...before.sources, ...configuration.sources },
    series: [imported, ...before.series.filter(isKept)]
  }
}
