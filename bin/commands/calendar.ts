/** How is a trading calendar seen from the command line? */
import { Clock, Effect, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CalendarSettings } from "../../protocol/CalendarSettings.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { calendarTable, sessionsIn } from "../describeCalendar.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { type Format, formatFlag } from "../flags.ts"
import { printData } from "../print.ts"
import { namedRange, type RangeFlags, rangeFlags } from "../rangeFlags.ts"
import { WrongUsage } from "../WrongUsage.ts"

const dayMs = 86_400_000
/** What is told where no range is named, and the most of it. */
const daysDefault = 14
const daysMax = 3660

const usage = "seamless calendar <calendar> [--config FILE] [--from T --to T], with at most ten years"

const parts = {
  calendar: Argument.String("calendar").pipe(
    Argument.withDescription("Name of a calendar, such as nyse-regular, or the path of its YAML file")
  ),
  config: Flag.String("config").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Configuration whose calendars are meant, beside those that come along"),
    Flag.optional
  ),
  ...rangeFlags,
  format: formatFlag
}

interface Asked extends RangeFlags {
  readonly calendar: string
  readonly config: Option.Option<string>
  readonly format: Format
}

const rangeOf = Effect.fnUntraced(function* (asked: Asked) {
  const named = namedRange(asked)
  if (Result.isFailure(named)) return yield* new WrongUsage({ problem: named.failure, usage })
  const today = Math.floor((yield* Clock.currentTimeMillis) / dayMs) * dayMs
  const range = Option.getOrElse(named.success, (): Range => [today, today + daysDefault * dayMs])
  if (range[1] - range[0] <= daysMax * dayMs) return range
  return yield* new WrongUsage({ problem: `the range is longer than ${daysMax} days`, usage })
})

const decode = Schema.decodeUnknownResult(Schema.Struct({ calendars: Schema.Struct({ file: CalendarSettings }) }), {
  errors: "all",
  onExcessProperty: "error"
})

/** The calendar in a file, checked as if it stood in a configuration. */
const readFile = Effect.fnUntraced(function* (file: string) {
  const { InvalidConfiguration, mistakesOf } = yield* Effect.promise(() => import("../configuration.ts"))
  const { readYaml } = yield* Effect.promise(() => import("../readYaml.ts"))
  const content = yield* Effect.mapError(readYaml(file), (mistakes) => new InvalidConfiguration({ file, mistakes }))
  const input = { calendars: { file: content } }
  const decoded = decode(input)
  if (Result.isSuccess(decoded)) return decoded.success.calendars.file
  const mistakes = mistakesOf(decoded.failure.issue, input).map(({ path, problem }) => ({
    path: path.replace(/^calendars\.file\.?/, ""),
    problem
  }))
  return yield* new InvalidConfiguration({ file, mistakes })
})

const find = Effect.fnUntraced(function* ({ calendar, config }: Asked) {
  // what is needed of the configuration takes half a second to load, which the other commands shall not wait for
  const { load } = yield* Effect.promise(() => import("../configuration.ts"))
  const { shippedCalendars } = yield* Effect.promise(() => import("../calendarFiles.ts"))
  const declared = Option.isSome(config) ? ((yield* load(config.value)).calendars ?? {}) : {}
  const own = Object.entries(declared).find(([name]) => name === calendar)
  if (own !== undefined) return own[1]
  const shipped = shippedCalendars()
  const file = shipped.get(calendar) ?? calendar
  if (shipped.has(calendar) || /[./\\]/.test(calendar)) return yield* readFile(file)
  const names = Array.from(new Set([...Object.keys(declared), ...shipped.keys()])).join(", ")
  const problem = `${JSON.stringify(calendar)} is no calendar; there is ${names}, and any file by its path`
  return yield* new WrongUsage({ problem, usage })
})

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const range = yield* rangeOf(asked)
  const settings = yield* find(asked)
  const sessions = sessionsIn(settings, range)
  const { name, version, zone } = settings
  const [from, to] = range
  yield* printData(
    asked.format === "json"
      ? JSON.stringify({ name, version, zone, from, to, sessions })
      : calendarTable(settings, sessions)
  )
  return ExitCode.complete
})

/** `seamless calendar`: the sessions of a calendar. */
export const calendar = Command.make("calendar", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Lists the sessions of a trading calendar by the clocks of its zone and in UTC, with holidays and early closes: " +
      "of the next two weeks, or of the range that is named. It checks a file of yours before a member has to. Exit " +
      "codes: 0 complete, 2 wrong usage, 4 failed."
  ),
  Command.withShortDescription("Lists the sessions of a trading calendar"),
  Command.withExamples([
    { command: "seamless calendar nyse-regular --from 2013-11-28 --to 2013-12-01", description: "Around Thanksgiving" },
    { command: "seamless calendar ./calendars/mine.yaml", description: "One of your own" }
  ])
)
