/**
 * How do operators retry, skip, cancel and set aside windows?
 *
 * The range names windows, and those of them have a say whose jobs suit the verb. Their coverage actor does it, since
 * it alone opens jobs; each message to it is one version in the history of the series, with who asked and why.
 */
import { Effect } from "effect"
import { NoSuitedJob } from "../../protocol/messages/JobErrors.ts"
import { type JobVerb, type Operate, operateMessage, suits } from "../../protocol/messages/Operate.ts"
import { ask } from "../../runtime/ActorSystem.ts"
import { countsOf } from "./JobTally.ts"
import { summaryOf } from "./summaryOf.ts"
import {
  type AskedTime,
  jobsOf,
  keyOf,
  type Meant,
  type NamedSeries,
  seriesOf,
  untilSeen,
  windowsIn
} from "./windowsOf.ts"

const windowsMax = 1000
/** Windows in one message: its answer has a record of each, and must fit into one message, too. */
const perMessage = 250

/** What is asked for. */
export interface AskedWindows extends NamedSeries, AskedTime, Meant {
  readonly reason?: string
}

const askOperate = ask(operateMessage)

/** Lists of so many of them, in their order. */
export const inParts = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, part) => all.slice(part * size, (part + 1) * size))

/** Applies the verb to the windows of the range whose jobs suit it; fails where there is none. */
export const operateWindows = Effect.fnUntraced(function* (verb: JobVerb, asked: AskedWindows, who: string) {
  const { entry, grid } = yield* seriesOf(asked)
  const { series } = entry
  const windows = yield* windowsIn(grid, asked, windowsMax)
  const jobs = yield* jobsOf(series, windows, asked)
  const suited = jobs.filter((job) => suits(verb, job)).map(({ windowStart }) => windowStart)
  if (suited.length === 0) {
    return yield* new NoSuitedJob({ verb, windows: windows.length, counts: countsOf(jobs.map(({ state }) => state)) })
  }
  const said = yield* Effect.forEach(inParts(suited, perMessage), ([first = 0, ...others]) => {
    const { reason = "", source } = asked
    const word: Operate = {
      series,
      verb,
      windows: [first, ...others],
      ...(source !== undefined && { source }),
      who,
      reason
    }
    return askOperate(keyOf(series), word)
  })
  const version = Math.max(...said.map((operated) => operated.version))
  yield* untilSeen(series, version)
  return { version, jobs: said.flatMap((operated) => operated.jobs).map(summaryOf) }
})
