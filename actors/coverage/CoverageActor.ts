/**
 * Who decides what a series' coverage is, and what is done about its gaps?
 *
 * One actor a series. It alone changes the root, and it alone opens jobs, so that a window never has two. What an
 * answer changes is decided in Coverage.ts, what a demand needs in planJobs.ts; here they are put into effect.
 */
import { Clock, Effect } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import * as MissingRange from "../../protocol/history/MissingRange.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Window from "../../protocol/history/Window.ts"
import * as Messages from "../../protocol/messages/Coverage.ts"
import { MalformedMessage } from "../../protocol/wire/Errors.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { type Activation, type ActorType, handler, on } from "../../runtime/Actor.ts"
import { Timers } from "../../runtime/DurableTimer.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import { randomId } from "../../runtime/randomId.ts"
import { wakeMessage } from "../../runtime/Resident.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as CoverageRecord from "./CoverageRecord.ts"
import * as JobRecords from "./JobRecords.ts"

/** How soon runs that have not ended are put into the queue again, in case their entry got lost. */
const lookAfterMs = 1000

const entryOf = Effect.fnUntraced(function* (key: string) {
  const catalog = yield* SeriesCatalog
  const unknown = new MalformedMessage({ what: `key ${key}`, problem: "names no configured series" })
  const { interval, nodeId } = yield* Effect.mapError(Effect.fromOption(Subject.parseSeries(key)), () => unknown)
  return yield* Effect.mapError(catalog.find(nodeId, interval), () => unknown)
})

/** Demands on windows whose open run brings less than they want: kept until that run has ended. */
type Following = Map<number, { readonly ranges: RangeSet.RangeSet; readonly demand: Messages.Ensure }>

/** What others want of the windows that a demand touches. */
const followed = (following: Following, wanted: RangeSet.RangeSet, grid: Window.Grid): RangeSet.RangeSet =>
  RangeSet.unionAll(Window.split(grid, wanted).flatMap(({ windowStart }) => following.get(windowStart)?.ranges ?? []))

const ensureIn = (record: CoverageRecord.CoverageRecord, jobs: JobRecords.JobRecords, following: Following) =>
  Effect.fn(Span.coverageEnsure)(function* (message: Messages.Ensure) {
    const nowMs = yield* Clock.currentTimeMillis
    const missing = RangeSet.subtract(message.ranges, record.covered())
    // who asks for what is covered has not heard of it yet, or knows better: storage may have been rolled back
    if (isEmpty(missing)) yield* record.checkStanding
    const wanted = MissingRange.askable(MissingRange.classify(missing, record.root().exceptions), nowMs)
    if (isEmpty(wanted)) return { version: record.root().version, jobs: [] }
    const stillMissing = RangeSet.subtract(followed(following, wanted, record.grid), record.covered())
    // those who wait for a run to end share the next one: whoever opens it opens it for all of them
    const windows = Window.split(record.grid, RangeSet.union(wanted, stillMissing))
    const generations = yield* record.generations(windows.map(({ windowStart }) => windowStart))
    const generationOf = (windowStart: number): number => generations.get(windowStart) ?? 0
    const plans = yield* jobs.demand({ ...message, nonce: yield* randomId, nowMs, generationOf }, windows)
    for (const plan of plans) {
      if (plan.action === "follow") following.set(plan.job.windowStart, { ranges: plan.ranges, demand: message })
      else if (plan.action !== "refuse") following.delete(plan.job.windowStart)
    }
    return { version: record.root().version, jobs: plans.map(({ job }) => job) }
  })

/** Puts what has not ended into the queue again, and opens what waits for it; gives whether anything is left to do. */
const lookAfterIn = (record: CoverageRecord.CoverageRecord, jobs: JobRecords.JobRecords, following: Following) =>
  Effect.gen(function* () {
    const ensure = ensureIn(record, jobs, following)
    const open = new Set(yield* jobs.republish)
    for (const [windowStart, { demand, ranges }] of following) {
      if (open.has(windowStart)) continue
      yield* ensure({ ...demand, ranges })
      // what was not opened is not missing any more, or may not be asked for now
      if (following.get(windowStart)?.ranges === ranges) following.delete(windowStart)
    }
    return open.size + following.size > 0
  })

const activate = Effect.fnUntraced(function* ({ address, owner, slot, slotEpoch }: Activation) {
  const entry = yield* entryOf(address.key)
  const timers = yield* Timers
  const record = yield* CoverageRecord.open(entry, { address, owner, slot, slotEpoch })
  const jobs = yield* JobRecords.open(entry.series)
  const following: Following = new Map()
  const ensure = ensureIn(record, jobs, following)
  let isExpected = false

  /** Has the actor woken as long as there are jobs, on whichever host it is by then. */
  const expect = Effect.fnUntraced(function* (isNeeded: boolean) {
    // what is not needed is taken back in any case: an earlier owner may have noted it
    if (isNeeded && isExpected) return
    const nowMs = yield* Clock.currentTimeMillis
    yield* timers.expect({ slot, slotEpoch, address }, isNeeded ? nowMs + lookAfterMs : undefined)
    isExpected = isNeeded
  })
  const lookAfter = lookAfterIn(record, jobs, following)
  const notLookedAfter = (error: { readonly message: string }) =>
    Effect.logWarning("jobs not looked after", { series: address.key, reason: error.message })
  // jobs that an earlier activation opened; what can't be looked after now is when the timer comes
  const isLeft = yield* lookAfter.pipe(Effect.catch((error) => Effect.as(notLookedAfter(error), true)))
  yield* expect(isLeft)

  return handler(address, [
    // the note first: no job is ever open without somebody to look after it
    on(Messages.ensureMessage, (demand) => Effect.andThen(expect(true), ensure(demand))),
    on(Messages.commitMessage, record.commit),
    {
      name: wakeMessage,
      handle: () => Effect.flatMap(lookAfter, expect).pipe(Effect.catch(notLookedAfter), Effect.as({ body: null }))
    }
  ])
})

/** The type of the coverage actors; their keys are series keys. */
export const coverageActor: ActorType<Mesh | Timers | ChunkStore | SeriesCatalog> = {
  name: Messages.ensureMessage.actor,
  activate
}
