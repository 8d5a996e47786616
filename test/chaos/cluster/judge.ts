/** What in a run can't be where the cluster keeps its promises? */
import { Effect } from "effect"
import type { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as ActorHistory from "../../support/ActorHistory.ts"
import type { BarFile } from "../../support/BarFile.ts"
import { readFile } from "../../support/ClusterHarness.ts"
import { type CounterInput, counterModel } from "../../support/history/counterModel.ts"
import { check } from "../../support/history/linearizability.ts"
import type { Operation as ModelOperation } from "../../support/history/Operation.ts"
import { recorded, recordedCommits } from "../../support/members/recordedCommits.ts"
import { Saved } from "../../support/members/testActors.ts"
import * as StoredRoots from "../../support/StoredRoots.ts"
import type { Bottle } from "./Bottle.ts"
import { differences } from "./compareRows.ts"
import type { History, Operation } from "./History.ts"
import { counterKeys, type CoverageAnswer, records, type Seen } from "./operations.ts"
import {
  brokenPromises,
  failovers,
  foreignCommits,
  replayCounters,
  type Replayed,
  slotViolations,
  unexplained
} from "./replay.ts"

const keyOf = (key: string): string => ActorSubject.actorKey({ type: Saved.name, key })

const amountOf = (input: unknown): number => (input as { readonly by: number }).by

const amountsOf = (operations: ReadonlyArray<Operation>): ReadonlyMap<string, number> =>
  new Map(operations.filter(({ what }) => what === "add").map(({ id, input }) => [id, amountOf(input)] as const))

type CounterOperation = ModelOperation<CounterInput, number>

const wrongRings = (operations: ReadonlyArray<Operation>, { counters, effects }: Replayed): ReadonlyArray<string> =>
  operations.flatMap(({ id, key, what }) => {
    if (what !== "ring") return []
    const count = counters.get(keyOf(key))?.rings ?? 0
    const expected = effects.has(id) ? 1 : 0
    return count === expected ? [] : [`${key}: rang ${count} times, where ${id} took effect ${expected} times`]
  })

/**
 * An operation on a counter as the model knows it; nothing where it never took effect, or is no such operation. One
 * whose client heard nothing, and which is on record, has taken effect with the count that its record says.
 */
const modelled = (operation: Operation, { effects }: Replayed, endMs: number): ReadonlyArray<CounterOperation> => {
  const { client, completedMs, id, input, invokedMs, key, outcome, output, what } = operation
  const isAdd = what === "add"
  if (!(isAdd && effects.has(id)) && !(what === "get" && outcome === "ok")) return []
  const asked: CounterInput = isAdd ? { _tag: "add", amount: amountOf(input) } : { _tag: "read" }
  return [
    {
      client,
      key,
      invokedAt: invokedMs,
      completedAt: outcome === "ok" ? completedMs : endMs,
      input: asked,
      output: isAdd ? effects.get(id) : (output as { readonly count: number }).count
    }
  ]
}

const judgeOrder = (operations: ReadonlyArray<Operation>, replayed: Replayed): ReadonlyArray<string> => {
  const endMs = operations.reduce((last, { completedMs }) => Math.max(last, completedMs), 0)
  return counterKeys.flatMap((key) => {
    const ofKey = operations.filter((each) => each.key === key)
    const verdict = check(
      ofKey.flatMap((each) => modelled(each, replayed, endMs)),
      counterModel
    )
    return verdict._tag === "Linearizable" ? [] : [verdict.explanation]
  })
}

/** Roots whose coverage is not what the diff to the one before says, or that took any away without being told to. */
const lossesOf = (roots: ReadonlyArray<CoverageRoot>): ReadonlyArray<string> =>
  roots.flatMap(({ covered, diff, series, version }, index) => {
    const before = roots[index - 1]?.covered ?? RangeSet.empty
    const expected = RangeSet.union(RangeSet.subtract(before, diff.removed), diff.added)
    const where = `${series.nodeId} version ${version}`
    const isRight = RangeSet.equals(covered, expected)
    // nobody invalidates anything in a run
    const isKept = RangeSet.contains(covered, before)
    return [
      ...(isRight ? [] : [`${where}: its coverage is not what its diff makes of the one before`]),
      ...(isKept ? [] : [`${where}: it lost coverage`])
    ]
  })

/** Answers that say something else of coverage than the root of their version, or more where they were late. */
const strangeAnswers = (
  answers: ReadonlyArray<CoverageAnswer>,
  roots: ReadonlyArray<CoverageRoot>
): ReadonlyArray<string> =>
  answers.flatMap(({ covered, id, isWhole, node, range, version }) => {
    const standing = RangeSet.clip(roots[version - 1]?.covered ?? RangeSet.empty, ...range)
    const told = RangeSet.clip(RangeSet.make(covered), ...range)
    const where = `${id}, ${node} ${JSON.stringify(range)}`
    const isRight = isWhole ? RangeSet.equals(standing, told) : RangeSet.contains(standing, told)
    return isRight ? [] : [`${where}: told of other coverage than version ${version} has`]
  })

const judgeSeries = Effect.fnUntraced(function* ({ nc }: Bottle, file: BarFile, { answers }: Seen) {
  const { root, roots } = yield* StoredRoots.settled(nc, file)
  return [
    ...StoredRoots.gaps(roots, root).map((gap) => `${file.node}: ${gap}`),
    ...lossesOf(roots),
    ...strangeAnswers(
      answers.filter(({ node }) => node === file.node),
      roots
    )
  ]
})

/** Reads all of each file, and compares it bit for bit. */
const judgeRows = ({ history }: Bottle) =>
  Effect.map(
    Effect.forEach(records, ({ file, record }) =>
      Effect.match(
        readFile(history, file, record.range, { strategy: "partial_fill", sla: { totalDeadlineMs: 10_000 } }),
        {
          onFailure: ({ message }) => [`${file.node} can't be read at the end: ${message}`],
          onSuccess: (answer) => {
            const differing = differences(record, record.range, answer)
            const isWhole = RangeSet.equals(RangeSet.make(answer.meta.coverageRanges), RangeSet.make(record.covered))
            return [
              ...(differing.length === 0 ? [] : [`${file.node} differs at the end in ${differing.join(", ")}`]),
              ...(isWhole ? [] : [`${file.node} is not covered at the end as far as the exchange can prove it`])
            ]
          }
        }
      )
    ),
    (found) => found.flat()
  )

/** Looks at all that is stored, and reads it back; notes the failovers in the history. */
export const collect = Effect.fnUntraced(function* (bottle: Bottle, history: History, seen: Seen) {
  const rows = yield* judgeRows(bottle)
  const slots = yield* recorded(bottle.nc, Stream.slots)
  for (const { atMs, key } of failovers(slots)) history.event(`slot ${key}`, "slots", history.sinceMs(atMs))
  const series = yield* Effect.forEach(records, ({ file }) => judgeSeries(bottle, file, seen))
  return {
    slots,
    /** What is wrong with the answers and the series, as far as it has shown already. */
    found: [...seen.violations, ...rows, ...series.flat()],
    counters: yield* recordedCommits(bottle.nc),
    coverage: yield* recordedCommits(bottle.nc, Stream.coverage)
  }
})

/** What was collected. */
export type Evidence = Effect.Success<ReturnType<typeof collect>>

/** All that is wrong, a line each. It takes its time, in which nothing else happens: better after the cluster's. */
export const judge = ({ counters, coverage, found, slots }: Evidence, history: History): ReadonlyArray<string> => {
  const operations = history.operations()
  const replayed = replayCounters(counters, amountsOf(operations))
  return [
    ...found,
    ...unexplained(operations),
    ...replayed.violations,
    ...brokenPromises(operations, replayed),
    ...wrongRings(operations, replayed),
    ...judgeOrder(operations, replayed),
    ...slotViolations(slots),
    ...foreignCommits(counters, slots),
    ...foreignCommits(coverage, slots),
    ...ActorHistory.violations(coverage)
  ]
}
