/** How are changes of coverage seen from the command line? */
import { Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import { describeChange } from "../describeChange.ts"
import { ExitCode } from "../ExitCode.ts"
import type { AddressFlags } from "../findAddress.ts"
import { finish } from "../finish.ts"
import { addressFlags, type Format, formatFlag, seriesArguments } from "../flags.ts"
import { isTaken, printData, printNote } from "../print.ts"
import { asked, withClientDoing } from "../withClient.ts"
import { WrongUsage } from "../WrongUsage.ts"

const parts = {
  node: Argument.optional(seriesArguments.node),
  interval: Argument.optional(seriesArguments.interval),
  from: Flag.Int("from").pipe(
    Flag.filter(
      (version) => version >= 1,
      () => "a version, 1 or more"
    ),
    Flag.withMetavar("VERSION"),
    Flag.withDescription("The first version that is shown, of one series; without it the newest of each comes first"),
    Flag.optional
  ),
  once: Flag.Boolean("once").pipe(
    Flag.withDescription("End when all that there is has been shown"),
    Flag.withDefault(false)
  ),
  format: formatFlag,
  ...addressFlags
}

interface Asked extends AddressFlags {
  readonly node: Option.Option<string>
  readonly interval: Option.Option<string>
  readonly from: Option.Option<number>
  readonly once: boolean
  readonly format: Format
}

/**
 * Says of one series that there is nothing to wait for, or not yet. A watch itself is none of the hosts' business, and
 * goes on where none answers.
 */
const foresee = Effect.fnUntraced(function* (client: SeamlessClient, { from, interval, node, once }: Asked) {
  if (Option.isNone(node) || Option.isNone(interval)) return
  const known = yield* Effect.result(asked(() => client.coverage(node.value, interval.value)))
  if (Result.isFailure(known)) {
    const { failure } = known
    if (!failure.is("UnknownSeries")) return
    if (once) return yield* Effect.fail(failure)
    return yield* printNote(`${failure.message}. Its changes are shown when there are any.`)
  }
  const newest = known.success.coverageVersion
  if (Option.isNone(from) && newest > 0) return
  if (newest === 0) return yield* printNote(`nothing of ${node.value} ${interval.value} is covered yet`)
  const first = Option.getOrElse(from, () => 1)
  if (first > newest) yield* printNote(`version ${first} has not come yet: the newest is ${newest}`)
})

const textOf = { table: describeChange, json: JSON.stringify }

const show = (client: SeamlessClient, { format, from, interval, node, once }: Asked) => {
  const watched = {
    ...(Option.isSome(node) && { nodeId: node.value }),
    ...(Option.isSome(interval) && { interval: interval.value })
  }
  return Effect.acquireUseRelease(
    Effect.sync(() => client.watch(watched, { once, ...(Option.isSome(from) && { from: from.value }) })),
    Effect.fnUntraced(function* (changes) {
      // whoever read what is shown may have gone
      while (isTaken()) {
        const { done, value } = yield* asked(() => changes.next())
        if (done === true) return
        yield* printData(textOf[format](value))
      }
    }),
    (changes) => Effect.promise(() => changes.return())
  )
}

const answer = Effect.fnUntraced(function* (wanted: Asked) {
  if (Option.isSome(wanted.from) && Option.isNone(wanted.interval)) {
    const problem = "--from counts the versions of one series: name its node and its interval"
    return yield* new WrongUsage({ problem, usage: "seamless watch NODE INTERVAL --from VERSION" })
  }
  yield* withClientDoing(wanted, (client) => Effect.andThen(foresee(client, wanted), show(client, wanted))).pipe(
    // to be stopped is how it ends
    Effect.onInterrupt(() => Effect.sync(() => void (process.exitCode = ExitCode.complete)))
  )
  return ExitCode.complete
})

/** `seamless watch`: each change of coverage as it comes, until it is stopped. */
export const watch = Command.make("watch", parts, (wanted: Asked) => finish(wanted.format)(answer(wanted))).pipe(
  Command.withDescription(
    "Shows each change of the coverage of one series, of all of a node, or of all there are: each once, in order, " +
      "and those too that came while the connection was away. With --format json each is a line of JSON. " +
      "It ends by Ctrl-C. A series that no host knows is told on the error output, and with --once ends it with 4."
  ),
  Command.withShortDescription("Shows each change of coverage"),
  Command.withExamples([
    { command: "seamless watch", description: "Of all series, the newest of each first" },
    { command: "seamless watch ohlcv:binance:BTC/BUSD 1m --from 1", description: "All of the history of one, and on" },
    {
      command: "seamless watch ohlcv:binance:BTC/BUSD 1m --from 18 --once --format json",
      description: "What has changed since version 17, for a program"
    }
  ])
)
