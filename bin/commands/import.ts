/** How does somebody's own file become a series from the command line? */
import { Data, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { RequestFailed } from "../../actors/sources/DataSource.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { asFlags } from "../asFlags.ts"
import { describeFindings } from "../describeFindings.ts"
import { describeMissing } from "../describeMissing.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { type Format, formatFlag } from "../flags.ts"
import type { ImportFlags } from "../importPlan.ts"
import { isZone, zoneForm } from "../isZone.ts"
import { printData, printNote } from "../print.ts"

/** The files can't be read, or something has to be said of them. */
class UnreadableFiles extends Data.TaggedError("UnreadableFiles")<{ readonly reason: string }> {
  override get message() {
    return this.reason
  }
}

const intervalFlag = Flag.String("interval").pipe(
  Flag.filterMap(Interval.parse, (text) => `an interval such as 1m, 4h or 1d, not ${JSON.stringify(text)}`),
  Flag.withMetavar("I"),
  Flag.withDescription("How long a bar is; told from the file, and 1m for trades, without it"),
  Flag.optional
)

const columnFlag = Flag.String("column").pipe(
  Flag.withMetavar("OURS=THEIRS"),
  Flag.withDescription("The file's column for one of ours, such as close=Last or eventTime=When; several times"),
  Flag.atLeast(0),
  Flag.filterMap(
    (texts) => {
      const pairs = texts.map((text) => /^(\w+)=(.+)$/.exec(text))
      return pairs.includes(null)
        ? Option.none()
        : Option.some(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""] as const))
    },
    () => "OURS=THEIRS, such as close=Last"
  )
)

const headerFlag = Flag.String("header").pipe(
  Flag.filterMap(
    (text): Option.Option<readonly [string, ...ReadonlyArray<string>]> => {
      const [first = "", ...rest] = text.split(",").map((name) => name.trim())
      return [first, ...rest].includes("") ? Option.none() : Option.some([first, ...rest])
    },
    () => "names with commas between them, such as ts,open,high,low,close,volume"
  ),
  Flag.withMetavar("NAMES"),
  Flag.withDescription("The columns in order, with commas between them, of a CSV file without a header line"),
  Flag.optional
)

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const flags = {
  file: Argument.String("file").pipe(
    Argument.withDescription("A CSV or Parquet file, or a pattern in quotes such as 'prices/*.csv'")
  ),
  node: text("node", "NODE", "Node id under which it is stored; ohlcv: and the file's name without it"),
  interval: intervalFlag,
  symbol: text("symbol", "S", "Which symbol, where the file has several"),
  rows: Flag.Literals("rows", ["bars", "trades"]).pipe(
    Flag.withDescription("What a row is; told from the columns without it"),
    Flag.optional
  ),
  columns: columnFlag,
  header: headerFlag,
  without: Flag.Literals("without", ["volume"]).pipe(
    Flag.withDescription("That bars have no volume: they get a schema of prices alone"),
    Flag.optional
  ),
  decimal: Flag.Literals("decimal", [".", ","]).pipe(
    Flag.withDescription("What stands before the fraction of a number; a point without it"),
    Flag.optional
  ),
  timeUnit: Flag.Literals("time-unit", ["s", "ms", "us", "ns", "iso"]).pipe(
    Flag.withDescription("What a number that stands for a time counts; told from its size without it"),
    Flag.optional
  ),
  timeFormat: text("time-format", "F", "How a time is written that is no ISO 8601, such as '%d.%m.%Y %H:%M'"),
  zone: Flag.String("zone").pipe(
    Flag.filter(isZone, () => `a zone: ${zoneForm}`),
    Flag.withMetavar("ZONE"),
    Flag.withDescription("Zone of times that name none, such as America/New_York; UTC without it"),
    Flag.optional
  ),
  stamped: Flag.Literals("stamped", ["open", "close"]).pipe(
    Flag.withDescription("Whether a bar's time is its beginning or its end; its beginning without it"),
    Flag.optional
  ),
  whole: Flag.Literals("whole", ["days"]).pipe(
    Flag.withDescription("That each file of trades is of whole days in UTC: its first and last bar are whole, too"),
    Flag.optional
  ),
  calendar: text("calendar", "NAME", "When its market is closed, such as nyse-regular; 24x7 without it"),
  replace: Flag.Boolean("replace").pipe(
    Flag.withDescription(
      "Take the place of other files that were imported as the same series, and of how they are read"
    ),
    Flag.withDefault(false)
  ),
  dataDir: Flag.String("data-dir").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Folder where it is stored, by a NATS server of its own"),
    Flag.withDefault("./.seamless-files")
  ),
  format: formatFlag
}

interface Asked extends ImportFlags {
  readonly dataDir: string
  readonly format: Format
}

const orUnreadable = <A>(found: Effect.Effect<A, RequestFailed>): Effect.Effect<A, UnreadableFiles> =>
  Effect.mapError(found, ({ reason }) => new UnreadableFiles({ reason: asFlags(reason) }))

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const { dataDir, format } = asked
  // what only this command needs takes half a second to load
  const { describeFiles } = yield* Effect.promise(() => import("../../actors/sources/describeFiles.ts"))
  const { planImport, settingsOf } = yield* Effect.promise(() => import("../importPlan.ts"))
  const files = yield* Effect.promise(() => import("../importFiles.ts"))
  const { countBars, storeFiles, writeConfiguration } = files
  const { storedText, understoodText } = yield* Effect.promise(() => import("../describeImport.ts"))
  const lake = settingsOf(asked, yield* files.importedBefore(dataDir))
  const described = yield* orUnreadable(describeFiles(lake, Option.getOrUndefined(asked.symbol)))
  const plan = yield* Effect.mapError(
    Effect.fromResult(planImport(asked, described, lake)),
    (problem) => new UnreadableFiles({ reason: `${asked.file}: ${problem}` })
  )
  if (format === "table") yield* printNote(understoodText(described, plan, lake))
  const bars = yield* orUnreadable(countBars(plan))
  const config = yield* writeConfiguration(plan, dataDir)
  const { findings, missing, ...stored } = yield* storeFiles(plan, config, dataDir)
  const again = described.kind === "bars" ? described.rows - bars : 0
  const told = { ...stored, bars, again }
  const { interval, node, range } = plan
  const json = { node, interval: interval.text, range, described: { ...described, interval: interval.text }, ...told }
  yield* printData(
    format === "json" ? JSON.stringify({ ...json, config }) : storedText(told, plan, { config, dataDir })
  )
  if (Object.keys(findings).length > 0) yield* printNote(describeFindings(findings, format))
  if (missing.length === 0) return ExitCode.complete
  yield* printNote(describeMissing(missing, format))
  return ExitCode.partial
})

/** `seamless import`: a file becomes a series, in a data folder of its own. */
export const importFiles = Command.make("import", flags, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Reads a CSV or Parquet file of bars or trades, says what it understood of it, and stores it as a series in " +
      "a data folder of its own, with a configuration beside it to serve it by. No member has to run, and one that " +
      "runs is not touched. Exit codes: 0 all of the file's time is covered, 2 wrong usage, 3 some is missing (it " +
      "is on the error output), 4 failed."
  ),
  Command.withShortDescription("Stores a CSV or Parquet file as a series"),
  Command.withExamples([
    { command: "seamless import prices.csv", description: "All is told from the file" },
    {
      command: "seamless import 'ticks/*.csv' --node ohlcv:mine --rows trades --interval 5m",
      description: "Bars of five minutes from trades in several files"
    },
    {
      command: "seamless import spy.csv --zone America/New_York --column close=Last",
      description: "With what can't be told from the file"
    }
  ])
)
