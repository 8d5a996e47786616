/**
 * What can be told of files that nobody has configured?
 *
 * Whether their rows are bars or trades, which column is which, how times are written, how long the bars are, and from
 * when to when they go. What can't be told is an error that says how to say it.
 */
import { Effect, Option } from "effect"
import * as Interval from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { RequestFailed } from "./DataSource.ts"
import { greatestDivisor } from "./greatestDivisor.ts"
import type { RowKind } from "./lakeColumns.ts"
import * as LakeIndex from "./LakeIndex.ts"
import { pageQuery } from "./lakeQuery.ts"
import { filesWith, symbolsOf } from "./lakeSymbols.ts"
import type { TimeUnit } from "./lakeTime.ts"
import type { FileFacts } from "./learnFile.ts"
import { type FileReader, localFiles, unreadable } from "./Parquet.ts"

/** What files are. */
export interface Described {
  readonly files: number
  readonly rows: number
  readonly kind: RowKind
  /** The files' column, or two of them, by our name; as the first file has them. */
  readonly columns: ReadonlyArray<readonly [ours: string, theirs: string]>
  /** The files' columns that are not read; as the first file has them. */
  readonly leftOut: ReadonlyArray<string>
  readonly unit: TimeUnit
  /** The first and the last time that a row has, in epoch milliseconds. */
  readonly span: Range
  /** Those that a column names; none where no column does. */
  readonly symbols: ReadonlyArray<string>
  /** The longest interval that all bars of the symbol are on; undefined for trades, and where nothing fits. */
  readonly interval: Interval.Interval | undefined
}

/** From so many rows their distance is told. */
const rowsLooked = 100_000

const everything: Range = [-Infinity, Infinity]

/** The interval of bars that begin at these times, which ascend: as long as the shortest step, if all are multiples. */
export const intervalOf = (times: ReadonlyArray<number>): Interval.Interval | undefined => {
  const steps = times.flatMap((time, row) => (row > 0 && time > times[row - 1]! ? [time - times[row - 1]!] : []))
  if (steps.length === 0) return undefined
  const divisor = steps.reduce(greatestDivisor, 0)
  // months are no multiples of their shortest, and no interval either
  if (divisor % 1000 !== 0 || divisor !== steps.reduce((a, b) => Math.min(a, b))) return undefined
  const text = divisor === 7 * 86_400_000 ? "1w" : `${divisor / 1000}s`
  return Option.getOrUndefined(Interval.parse(text))
}

const spanOf = (facts: ReadonlyArray<FileFacts>): Range | undefined => {
  const spans = facts.flatMap(({ span }) => (span === undefined ? [] : [span]))
  return spans.length === 0 ? undefined : [Math.min(...spans.map(([a]) => a)), Math.max(...spans.map(([, b]) => b))]
}

const lacksColumns = ({ reason }: RequestFailed): boolean => reason.includes("no column is known as the")

/** The settings under which the files can be read, by the kind of row that they have, and what is in them. */
const learn = (settings: LakeSettings, reader: FileReader) => {
  const as = (rows: RowKind) =>
    Effect.gen(function* () {
      const index = yield* LakeIndex.make({ ...settings, rows }, process.cwd(), reader)
      return { rows, facts: yield* index.filesOf(undefined, everything) } as const
    })
  if (settings.rows !== undefined) return as(settings.rows)
  // what is no file of trades is told as what bars lack; what has the columns of trades, as what is wrong with them
  return Effect.matchEffect(as("bars"), {
    onSuccess: Effect.succeed,
    onFailure: (failure) =>
      Effect.mapError(as("trades"), (other) => (lacksColumns(failure) && !lacksColumns(other) ? other : failure))
  })
}

/** The rows of a symbol, where columns name symbols. */
const mine = (facts: ReadonlyArray<FileFacts>, symbol: string) =>
  Effect.mapError(Effect.fromResult(filesWith(symbol, facts)), (problem) => unreadable(problem))

const columnsOf = ({ layout: { roles } }: FileFacts): Described["columns"] => [
  ["time", roles.eventTime.map(({ name }) => name).join(" and ")],
  ...(roles.symbol === undefined ? [] : [["symbol", roles.symbol.name] as const]),
  ...roles.values.map(([role, { name }]) => [role, name] as const)
]

/** The files of some settings, whose paths count from the working folder; of a symbol where they name several. */
export const describeFiles: (settings: LakeSettings, symbol?: string) => Effect.Effect<Described, RequestFailed> =
  Effect.fnUntraced(function* (settings: LakeSettings, symbol?: string) {
    const { facts, rows: kind } = yield* learn(settings, localFiles)
    const [first] = facts
    if (first === undefined) return yield* unreadable("there is no row in it")
    const known = { ...settings, rows: kind }
    const symbols = symbolsOf(facts)
    const files = yield* mine(facts, symbol ?? symbols[0] ?? "")
    const span = spanOf(files)
    if (span === undefined) return yield* unreadable("there is no row in it")
    const query = pageQuery({ files, range: [span[0], span[1] + 1], limit: rowsLooked }, known)
    const { t = [] } = query === undefined || kind === "trades" ? {} : yield* localFiles.ask(query)
    return {
      files: facts.length,
      rows: files.reduce((sum, { rows }) => sum + rows, 0),
      kind,
      columns: columnsOf(first),
      leftOut: first.others.map(({ name }) => name),
      unit: first.layout.unit,
      span,
      symbols,
      interval: intervalOf(t.map(Number))
    }
  })
