/** How is what is stored compared with its source from the command line? */
import { Clock, Effect, Option, Random, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { AdminAnswer } from "../../client/admin.ts"
import type { SeamlessError } from "../../client/SeamlessError.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { isRange } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import { type Findings, isAsItShould, totalsOf, verifiedText } from "../describeVerified.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { progressFlag, rangeArguments, seriesArguments } from "../flags.ts"
import { type OperatorFlags, operatorFlags } from "../operator.ts"
import { printData, printNote } from "../print.ts"
import * as ProgressDisplay from "../ProgressDisplay.ts"
import { sampleWindows } from "../sampleWindows.ts"
import { type AskAdmin, withClient, withOperator } from "../withClient.ts"
import { WrongUsage } from "../WrongUsage.ts"

/** A source may be busy, or its budget spent, for a moment. */
const triesMax = 3
const restMs = 1000
/** Few enough that a seed is quickly typed. */
const seedsMax = 1_000_000_000
/** From here on the same question may be answered later. */
const laterFrom = 500

const parts = {
  ...seriesArguments,
  start: Argument.optional(rangeArguments.start),
  end: Argument.optional(rangeArguments.end),
  sample: Flag.Finite("sample").pipe(
    Flag.filter(
      (share) => share > 0 && share <= 1,
      () => "a share of the windows, more than 0 and at most 1, such as 0.05"
    ),
    Flag.withMetavar("SHARE"),
    Flag.withDescription("Look at this share of the covered windows; at all of them without it"),
    Flag.optional
  ),
  windows: Flag.Int("windows").pipe(
    Flag.filter(
      (count) => count >= 1,
      () => "a whole number, 1 or more"
    ),
    Flag.withMetavar("N"),
    Flag.withDescription("Look at so many of the covered windows"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withMetavar("SEED"),
    Flag.withDescription("Draws the sample again that was drawn by this seed"),
    Flag.optional
  ),
  source: Flag.String("source").pipe(
    Flag.withMetavar("S"),
    Flag.withDescription(
      "Compare all that is stored with this source, also what others have stored; each with its own without it"
    ),
    Flag.optional
  ),
  repair: Flag.Boolean("repair").pipe(
    Flag.withDescription("Make what differs into a revision of the stored bars; with --reason"),
    Flag.withDefault(false)
  ),
  reason: Flag.String("reason").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Why it is repaired; kept in the audit of the series"),
    Flag.optional
  ),
  progress: progressFlag,
  ...operatorFlags
}

interface Asked extends OperatorFlags, ProgressDisplay.ProgressChoice {
  readonly node: string
  readonly interval: string
  readonly start: Option.Option<number>
  readonly end: Option.Option<number>
  readonly sample: Option.Option<number>
  readonly windows: Option.Option<number>
  readonly seed: Option.Option<number>
  readonly source: Option.Option<string>
  readonly repair: boolean
  readonly reason: Option.Option<string>
}

const usage =
  "seamless verify NODE INTERVAL [START END] [--sample SHARE | --windows N] [--seed SEED] [--source S]\n" +
  "       [--repair --reason TEXT]"

/** What is wrong with the flags together. */
const problemOf = ({ end, reason, repair, sample, seed, start, windows }: Asked): string | undefined => {
  if (Option.isSome(sample) && Option.isSome(windows)) return "--sample and --windows: a sample has one size"
  const isSampled = Option.isSome(sample) || Option.isSome(windows)
  if (Option.isSome(seed) && !isSampled) return "--seed without --sample or --windows: nothing is drawn"
  const isSaid = Option.exists(reason, (text) => text.trim() !== "")
  if (repair && !isSaid) return "--repair without --reason: what is changed says why"
  if (!repair && Option.isSome(reason)) return "--reason without --repair: nothing is changed"
  if (Option.isSome(start) && Option.isNone(end)) return "a START without an END: a range has both"
  if (Option.isSome(start) && Option.isSome(end) && !isRange(start.value, end.value)) {
    return "the START is not before the END"
  }
  return undefined
}

interface Plan extends Pick<Findings, "seed" | "covered"> {
  readonly intervalMs: number
  readonly windows: ReadonlyArray<Window.WindowRanges>
}

/** The covered windows of the range, or a sample of them. */
const planOf = Effect.fnUntraced(function* (asked: Asked) {
  const report = yield* withClient(asked, (client) => client.coverage(asked.node, asked.interval))
  // the series is known, so its interval can be read
  const interval = Option.getOrThrow(Interval.parse(report.interval))
  const [from, to] = [Option.getOrElse(asked.start, () => -Infinity), Option.getOrElse(asked.end, () => Infinity)]
  const time = RangeSet.clip(RangeSet.make(report.coverageRanges), from, to)
  const all = Window.split(Window.makeGrid(interval, report.windowBars), time)
  const share = Option.map(asked.sample, (part) => Math.max(1, Math.round(part * all.length)))
  const count = Option.getOrUndefined(Option.orElse(asked.windows, () => share))
  const plan = { intervalMs: interval.lengthMs, covered: all.length }
  if (count === undefined) return { ...plan, seed: null, windows: all } satisfies Plan
  const seed = Option.isSome(asked.seed) ? asked.seed.value : yield* Random.nextIntBetween(0, seedsMax)
  return { ...plan, seed, windows: yield* sampleWindows(all, count, seed) } satisfies Plan
})

type Answer = AdminAnswer<"verify">

const requestOf = ({ interval, node, source }: Asked, { ranges }: Window.WindowRanges) => {
  const time = RangeMeasure.bounds(ranges)
  const { end, start } = Option.getOrElse(time, () => ({ start: 0, end: 0 }))
  return { nodeId: node, interval, start, end, ...(Option.isSome(source) && { source: source.value }) }
}

const askOnce = (asked: Asked, ask: AskAdmin, window: Window.WindowRanges): Effect.Effect<Answer, SeamlessError> => {
  const request = requestOf(asked, window)
  return asked.repair
    ? ask("repair", { ...request, reason: Option.getOrElse(asked.reason, () => "") })
    : ask("verify", request)
}

const isAnswered = ({ parts }: Answer): boolean => parts.every(({ failure }) => failure === null)

/** What was not answered may be a moment later; what else is wrong is wrong with all windows. */
const askWindow = Effect.fnUntraced(function* (asked: Asked, ask: AskAdmin, window: Window.WindowRanges) {
  for (let tries = 1; ; tries++) {
    const answer = yield* Effect.result(askOnce(asked, ask, window))
    if (Result.isFailure(answer) && answer.failure.code < laterFrom) return yield* Effect.fail(answer.failure)
    // what was repaired is told by this answer alone
    const isWhole = Result.isSuccess(answer) && (isAnswered(answer.success) || answer.success.repairedBars > 0)
    if (isWhole || tries >= triesMax) return answer
    yield* Effect.sleep(restMs * tries)
  }
})

const textOf = (findings: Findings, intervalMs: number, { format }: Asked): string =>
  format === "json" ? JSON.stringify({ ...findings, totals: totalsOf(findings) }) : verifiedText(findings, intervalMs)

/** Looks at the windows, one after the other; what was found until somebody stops it is told. */
const lookAt = (asked: Asked, { covered, intervalMs, seed, windows }: Plan) =>
  Effect.gen(function* () {
    const display = ProgressDisplay.make(asked)
    const found: Array<Answer> = []
    const unasked: Array<Findings["unasked"][number]> = []
    const findings = (): Findings => ({ seed, chosen: windows.length, covered, windows: found, unasked })
    const startedMs = yield* Clock.currentTimeMillis
    const barsOf = ({ ranges }: Window.WindowRanges): number => RangeMeasure.bars(ranges, intervalMs)
    const wanted = windows.reduce((sum, window) => sum + barsOf(window), 0)
    let done = 0
    const showProgress = Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      const perSecond = done === 0 ? null : (done * 1000) / Math.max(1, nowMs - startedMs)
      const secondsLeft = perSecond === null ? null : (wanted - done) / perSecond
      return display.show({ done, wanted, perSecond, secondsLeft, note: "" })
    })
    yield* withOperator(asked, (ask) =>
      Effect.forEach(
        windows,
        (window) =>
          Effect.gen(function* () {
            yield* showProgress
            const answer = yield* askWindow(asked, ask, window)
            if (Result.isSuccess(answer)) found.push(answer.success)
            else unasked.push({ windowStart: window.windowStart, reason: answer.failure.message })
            done += barsOf(window)
          }),
        { discard: true }
      )
    ).pipe(
      Effect.ensuring(display.clear),
      Effect.onInterrupt(() => printData(textOf(findings(), intervalMs, asked)))
    )
    yield* printData(textOf(findings(), intervalMs, asked))
    return isAsItShould(findings()) ? ExitCode.complete : ExitCode.partial
  })

const answer = Effect.fnUntraced(function* (asked: Asked) {
  const problem = problemOf(asked)
  if (problem !== undefined) return yield* new WrongUsage({ problem, usage })
  const plan = yield* planOf(asked)
  const code = yield* lookAt(asked, plan)
  if (plan.covered > 0) return code
  const note = "nothing of it is covered: there is nothing to compare"
  yield* printNote(asked.format === "json" ? JSON.stringify({ notes: [note] }) : note)
  return ExitCode.partial
})

/** `seamless verify`: compares what is stored with what its sources give now. */
export const verify = Command.make("verify", parts, (asked: Asked) => finish(asked.format)(answer(asked))).pipe(
  Command.withDescription(
    "Asks the sources of a series once more for what is stored of it, window by window, behind all other work in " +
      "their budgets, and tells which bars are not as they give them: changed, absent in the source, or extra in it. " +
      "Nothing is changed without --repair, which makes what differs into a revision: the bars are marked REVISED, " +
      "and the audit keeps what they were. Stopped by Ctrl-C it tells what it has found. Exit codes: 0 all is as its " +
      "sources give it, or is now; 2 wrong usage; 3 something differs, or could not be compared, or nothing is " +
      "covered there; 4 failed."
  ),
  Command.withShortDescription("Compares stored bars with their source, and repairs them"),
  Command.withExamples([
    { command: "seamless verify ohlcv:binance:BTC/BUSD 1m --sample 0.05", description: "A twentieth of all windows" },
    {
      command:
        'seamless verify ohlcv:binance:BTC/BUSD 1m 2022-12-13 2022-12-14 --repair --reason "the exchange corrected it"',
      description: "A day, and have it corrected"
    }
  ])
)
