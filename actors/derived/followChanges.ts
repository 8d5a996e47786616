/**
 * How do changes of a finer series come to the series above it?
 *
 * One step: what has changed below since the last one takes the bars above it out of their coverage, and then it is
 * noted how far that was. Done again it changes nothing that a read would not bring back; so it may be broken off
 * anywhere. What was known of bars that can't be made is looked at again, for it may not hold any more.
 */
import { Clock, Effect, Option } from "effect"
import { outward } from "../../protocol/history/alignRanges.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { bounds, isEmpty, size } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { Coverage, type CoverageView } from "../../protocol/messages/Coverage.ts"
import type { Following } from "../../protocol/messages/Derived.ts"
import { invalidateMessage } from "../../protocol/messages/Operate.ts"
import { ask } from "../../runtime/ActorSystem.ts"
import { revisionOf } from "../../runtime/compareAndSet.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { isCarriedUp, proveBars } from "../conformance/proveBars.ts"
import { audited } from "../../protocol/messages/LoggedRoot.ts"
import * as Reach from "../sources/Reach.ts"
import * as RootLog from "../sources/RootLog.ts"
import { type CatalogEntry, derivedSource } from "../sources/SeriesCatalog.ts"
import * as takeChanges from "./takeChanges.ts"

/** A derived series, and the one that it is made of. */
export interface Pair {
  readonly entry: CatalogEntry
  readonly finer: CatalogEntry
}

/** How long it may take until the coverage actor answers: longer than it takes until another host has it. */
const askWithinMs = 10_000
/** Ranges in one word to the coverage actor; of more, all between the first and the last is taken out. */
const rangesMax = 5000

const askInvalidate = ask(invalidateMessage)

/**
 * How bars are made of what is stored below: whose rows count, how they are taken together, and what time counts as
 * known to be empty. Where the configuration says something else, bars that are there are not what they would be.
 */
const recipeOf = ({ delistedAt, listedAt, rules, schema, sources }: CatalogEntry): string => {
  const { conflict = "priority", versionColumn = null } = rules
  const fields = schema.fields.map(({ name, rollUp = null, type }) => [name, type, rollUp])
  return sha256(JSON.stringify([sources, conflict, versionColumn, fields, listedAt, delistedAt]))
}

/** Where to begin: what is made from now on is made of this version or a later one. */
export const begin = Effect.fnUntraced(function* ({ finer }: Pair) {
  // before the root: what it lacks of the history is behind this
  const last = yield* RootLog.endOf(finer)
  const { root } = yield* (yield* Coverage).of(finer.series, { fresh: true })
  const made = { from: finer.series.interval, recipe: recipeOf(finer) }
  return { format: 1, ...made, version: root.version, revision: revisionOf(last) } satisfies Following
})

/** From the first to the last moment of all that is covered, above or below. */
const everything = (finer: CoverageView, above: CoverageView): RangeSet.RangeSet =>
  Option.match(bounds(RangeSet.union(finer.covered, above.covered)), {
    onNone: () => RangeSet.empty,
    onSome: ({ end, start }) => RangeSet.of(start, end)
  })

const joinedBeyond = (set: RangeSet.RangeSet): RangeSet.RangeSet =>
  size(set) <= rangesMax
    ? set
    : Option.match(bounds(set), { onNone: () => set, onSome: ({ end, start }) => RangeSet.of(start, end) })

/** Takes the bars above the touched time out of the coverage, also those that are on their way. */
const takeOut = Effect.fnUntraced(function* ({ entry, finer }: Pair, view: CoverageView, taken: takeChanges.Taken) {
  const above = yield* (yield* Coverage).of(entry.series, { fresh: true })
  const touched = taken.isBroken ? everything(view, above) : taken.touched
  const ranges = joinedBeyond(outward(touched, entry.interval))
  if (isEmpty(ranges)) return
  const reason = taken.isBroken
    ? `what changed up to version ${taken.version} is not known`
    : `version ${taken.version}`
  const source = derivedSource(finer.series.interval)
  const word = { series: entry.series, ranges, source, who: source, reason }
  yield* askInvalidate(RootLog.keyOf(entry), word).pipe(withBudget(askWithinMs))
})

/** Forgets what was said of bars above that does not follow from what is known below any more. */
const forgetOutdated = Effect.fnUntraced(function* ({ entry, finer }: Pair, view: CoverageView) {
  const coverage = yield* Coverage
  const { interval } = finer.series
  const above = yield* coverage.of(entry.series)
  const carried = above.root.exceptions.filter((each) => isCarriedUp(each, interval))
  if (carried.length === 0) return
  const nowMs = yield* Clock.currentTimeMillis
  const time = RangeSet.subtract(MissingRange.timeOf(carried), above.covered)
  const covered = RangeSet.intersect(RangeSet.union(view.covered, Reach.untraded(finer)), time)
  const missing = Reach.classify(finer, RangeSet.subtract(time, covered), view.root.exceptions, nowMs)
  const { exceptions } = proveBars(time, entry.interval, { covered, missing, interval }, nowMs)
  const holds = carried.map(({ end, reason, start, state }) => {
    const same = exceptions.filter((each) => each.state === state && each.reason === reason)
    return RangeSet.clip(MissingRange.timeOf(same), start, end)
  })
  const outdated = RangeSet.subtract(time, RangeSet.unionAll(holds))
  if (isEmpty(outdated)) return
  yield* coverage
    .commit({
      series: entry.series,
      windows: [],
      answered: outdated,
      exceptions: [],
      jobs: [],
      source: derivedSource(interval),
      cause: `version ${view.root.version} of its ${interval} bars`
    })
    .pipe(withBudget(askWithinMs))
})

/** Where in the history what was taken ends: what was taken from roots that stood has not been looked up there. */
const placeOf = Effect.fnUntraced(function* (log: RootLog.RootLog, { revision, version }: Following) {
  const taken = yield* RootLog.lastUpTo(log, "version", version)
  return Math.max(revision, taken?.revision ?? 0)
})

/** What the history has behind what was taken: a page of it, and whether that is all up to the end its leader knows. */
const readOn = Effect.fnUntraced(function* ({ finer }: Pair, before: Following) {
  const log = yield* RootLog.open(finer)
  let taken = takeChanges.from(before.version)
  if (log === undefined) return { taken, isLast: true, revision: before.revision }
  let revision = yield* placeOf(log, before)
  yield* RootLog.followEntries(finer, { from: revision + 1, to: log.end }, (entries) =>
    Effect.gen(function* () {
      for (const entry of entries) {
        const root = audited(entry)
        // what can't be read is missing: the next one shows it
        if (Option.isSome(root)) taken = takeChanges.take(taken, root.value)
        // an entry may have a hundred kilobytes: others on this host have their turn in between
        yield* Effect.yieldNow
      }
      revision = entries.at(-1)?.revision ?? log.end
      return false
    })
  )
  return { taken, isLast: revision >= log.end, revision }
})

/** What has changed since, as far as one step goes. */
const changesSince = Effect.fnUntraced(function* (pair: Pair, { root }: CoverageView, before: Following) {
  const next = takeChanges.take(takeChanges.from(before.version), root)
  // the root that stands tells of itself, whether or not it is in the history yet
  if (!next.isBroken) return { taken: next, isLast: true, revision: before.revision }
  const read = yield* readOn(pair, before)
  if (!read.isLast) return read
  const taken = root.version === read.taken.version + 1 ? takeChanges.take(read.taken, root) : read.taken
  if (taken.version > before.version || read.revision > before.revision) return { ...read, taken }
  // before another root stands, the one before it is in the history: what is missing of it is lost
  return { taken: next, isLast: true, revision: 0 }
})

/** What was made of another series, or in another way, counts no more: all of it is made anew. */
const startOver = Effect.fnUntraced(function* (pair: Pair) {
  const begun = yield* begin(pair)
  const view = yield* (yield* Coverage).of(pair.finer.series)
  yield* takeOut(pair, view, { ...takeChanges.from(begun.version), isBroken: true })
  return begun
})

/** One step: how far it has come. Gives what was there before where there is nothing to take over. */
export const followChanges = Effect.fnUntraced(function* (pair: Pair, before: Following, isFirst: boolean) {
  const recipe = recipeOf(pair.finer)
  const isMadeAnew = before.from !== pair.finer.series.interval || (before.recipe ?? recipe) !== recipe
  if (isMadeAnew) return yield* startOver(pair)
  const view = yield* (yield* Coverage).of(pair.finer.series)
  if (view.root.version <= before.version) {
    if (isFirst) yield* forgetOutdated(pair, view)
    return before.recipe === recipe ? before : ({ ...before, recipe } satisfies Following)
  }
  const changes = yield* changesSince(pair, view, before)
  yield* takeOut(pair, view, changes.taken)
  if (changes.isLast) yield* forgetOutdated(pair, view)
  return { ...before, recipe, version: changes.taken.version, revision: changes.revision } satisfies Following
})
