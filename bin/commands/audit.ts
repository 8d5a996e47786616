/** How is it asked from the command line what has happened to a series? */
import { Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { auditText, verdictText } from "../describeAudit.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { seriesArguments } from "../flags.ts"
import { isoTime } from "../isoTime.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import { namedRange, type RangeFlags, rangeFlags } from "../rangeFlags.ts"
import { withAdmin } from "../withClient.ts"

const limitMax = 1000

const parts = {
  ...seriesArguments,
  ...rangeFlags,
  limit: Flag.Int("limit").pipe(
    Flag.filter(
      (limit) => limit >= 1 && limit <= limitMax,
      () => `a whole number from 1 to ${limitMax}`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription("So many changes, the newest; 50 without it"),
    Flag.optional
  ),
  before: Flag.Int("before").pipe(
    Flag.filter(
      (version) => version >= 1,
      () => "a version: a whole number from 1"
    ),
    Flag.withMetavar("VERSION"),
    Flag.withDescription("Only changes before this version: the next page of older ones"),
    Flag.optional
  ),
  verify: Flag.Boolean("verify").pipe(
    Flag.withDescription("Replay the whole history: whether it holds, and adds up to just what is covered"),
    Flag.withDefault(false)
  ),
  ...operatorFlags
}

interface Asked extends OperatorFlags, RangeFlags {
  readonly node: string
  readonly interval: string
  readonly limit: Option.Option<number>
  readonly before: Option.Option<number>
  readonly verify: boolean
}

const usage = "Usage: seamless audit NODE INTERVAL [--from T --to T] [--limit N] [--before VERSION] [--verify]"

const requestOf = ({ before, interval, limit, node, verify }: Asked, range: Option.Option<Range>) => ({
  nodeId: node,
  interval,
  ...(Option.isSome(range) && { from: range.value[0], to: range.value[1] }),
  ...(Option.isSome(limit) && { limit: limit.value }),
  ...(Option.isSome(before) && { beforeVersion: before.value }),
  ...(verify && { verify })
})

const entriesText = (count: number): string => (count === 1 ? "1 entry" : `${count} entries`)

/** What the answer lacks, or what is wrong with the history; none where neither is so. */
const notesOf = ({ explanation, unreadable, verdict }: AdminAnswer<"audit">, range: Option.Option<Range>) => {
  const isShort = explanation !== undefined && Option.exists(range, ([, end]) => explanation.until < end)
  return [
    ...(isShort ? [`explained up to ${isoTime(explanation.until)}: the rest is told with --from there`] : []),
    ...(unreadable > 0 ? [`${entriesText(unreadable)} can't be read: --verify tells the first`] : []),
    ...(verdict?.holds === false ? [verdictText(verdict)] : [])
  ]
}

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const range = namedRange(asked)
  if (Result.isFailure(range)) {
    yield* printNote(`${range.failure}\n\n${usage}`)
    return ExitCode.wrongUsage
  }
  const told = yield* withAdmin(asked, "audit", requestOf(asked, range.success))
  yield* printData(asked.format === "json" ? JSON.stringify(told) : auditText(told))
  const notes = notesOf(told, range.success)
  if (notes.length === 0) return ExitCode.complete
  yield* printNote(asked.format === "json" ? JSON.stringify({ notes }) : notes.join("\n"))
  return ExitCode.partial
})

/** `seamless audit`: what has changed of a series' coverage, and why a range is covered or not. */
export const audit = Command.make("audit", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Shows the changes of a series' coverage, the newest last: what each added or removed, when, by which source and " +
      "for whom. With --from and --to it tells of each part of the range why it is covered or not. Exit codes: 0 " +
      "complete, 2 wrong usage, 3 not all could be told, or with --verify the history does not hold (it is on the " +
      "error output), 4 failed."
  ),
  Command.withShortDescription("Shows what changed, and why a range is covered or not"),
  Command.withExamples([
    { command: "seamless audit ohlcv:binance:BTC/BUSD 1m --limit 10", description: "The newest ten changes" },
    {
      command: "seamless audit ohlcv:binance:BTC/BUSD 1m --from 2022-12-13 --to 2022-12-14",
      description: "Why a day is there, or is not"
    },
    { command: "seamless audit ohlcv:binance:BTC/BUSD 1m --verify", description: "Whether its history holds" }
  ])
)
