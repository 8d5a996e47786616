/**
 * Who decides what a series' coverage is, and what is done about its gaps?
 *
 * One actor a series. It alone changes the root, and it alone opens jobs, so that a window never has two. What an
 * answer changes is decided in Coverage.ts, what a demand needs in planJobs.ts, what an operator's word does in
 * operateJob.ts; here they are put into effect.
 */
import { Clock, Effect, Result } from "effect"
import { confirmMessage } from "../../protocol/messages/ConfirmCoverage.ts"
import { commitMessage, ensureMessage } from "../../protocol/messages/Coverage.ts"
import { invalidateMessage, operateMessage } from "../../protocol/messages/Operate.ts"
import { MalformedMessage } from "../../protocol/wire/Errors.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { Activation, ActorType } from "../../runtime/Actor.ts"
import { Timers } from "../../runtime/DurableTimer.ts"
import { handler, on, onAll } from "../../runtime/handler.ts"
import type { LiveHosts } from "../../runtime/LiveHosts.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import { wakeMessage } from "../../runtime/Resident.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as CoverageRecord from "./CoverageRecord.ts"
import * as JobRecords from "./JobRecords.ts"
import { demands } from "./demands.ts"
import { operations } from "./operations.ts"

/** How soon runs that have not ended are put into the queue again, in case their entry got lost. */
const lookAfterMs = 1000

const entryOf = Effect.fnUntraced(function* (key: string) {
  const catalog = yield* SeriesCatalog
  const unknown = new MalformedMessage({ what: `key ${key}`, problem: "names no configured series" })
  const { interval, nodeId } = yield* Effect.mapError(Effect.fromOption(Subject.parseSeries(key)), () => unknown)
  return yield* Effect.mapError(catalog.find(nodeId, interval), () => unknown)
})

/** Has the actor woken when there is something to do, on whichever host it is by then. */
const makeAlarm = Effect.fnUntraced(function* ({ address, slot, slotEpoch }: Activation) {
  const timers = yield* Timers
  let noted: number | undefined
  const set = Effect.fnUntraced(function* (at: number | undefined) {
    // what is not needed is taken back in any case: an earlier owner may have noted it
    if (at !== undefined && noted === at) return
    yield* timers.expect({ slot, slotEpoch, address }, at)
    noted = at
  })
  return {
    set,
    /** As long as there are jobs: one that was set for earlier rings each second. */
    setSoon: Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      noted !== undefined && noted <= nowMs + lookAfterMs ? Effect.void : set(nowMs + lookAfterMs)
    )
  }
})

const activate = Effect.fnUntraced(function* (activation: Activation) {
  const { address } = activation
  const entry = yield* entryOf(address.key)
  const alarm = yield* makeAlarm(activation)
  const record = yield* CoverageRecord.open(entry, activation)
  const jobs = yield* JobRecords.open(entry.series)
  const { ensure, lookAfter, noteQuarantined } = demands(record, jobs)
  const { invalidate, operate } = operations(record, jobs)

  const notLookedAfter = (error: { readonly message: string }) =>
    Effect.logWarning("jobs not looked after", { series: address.key, reason: error.message })
  const lookNow = Effect.flatMap(lookAfter, ({ isOpen, nextDueMs }) => (isOpen ? alarm.setSoon : alarm.set(nextDueMs)))
  // jobs that an earlier activation opened; what can't be looked after now is when the timer comes
  yield* lookNow.pipe(Effect.catch((error) => Effect.andThen(notLookedAfter(error), alarm.setSoon)))
  // the note first: no job is ever open without somebody to look after it
  const noted = <A, E, R>(act: Effect.Effect<A, E, R>) => Effect.andThen(alarm.setSoon, act)
  const quietly = <A, E extends { readonly message: string }, R>(act: Effect.Effect<A, E, R>) =>
    act.pipe(Effect.asVoid, Effect.catch(notLookedAfter))
  // what a commit leaves to settle has its time, also where no job is open any more
  const noteUnsettled = Effect.suspend(() =>
    record.root().unsettled === undefined ? Effect.void : quietly(alarm.setSoon)
  )
  const wake = Effect.as(quietly(lookNow), [{ body: null }])

  return handler(address, [
    on(ensureMessage, (demand) => noted(ensure(demand))),
    onAll(commitMessage, (commits) => Effect.tap(record.commitAll(commits), noteUnsettled)),
    // one write answers all who had asked before it began
    onAll(confirmMessage, (asked) => Effect.map(record.confirm, (version) => asked.map(() => Result.succeed(version)))),
    on(operateMessage, (word) => Effect.tap(noted(operate(word)), () => wake)),
    // what waits for a person does so whether or not what was covered beside it counts
    on(invalidateMessage, (word) => Effect.tap(noted(invalidate(word)), () => quietly(noteQuarantined))),
    { name: wakeMessage, isTogether: false, handle: () => wake }
  ])
})

/** The type of the coverage actors; their keys are series keys. */
export const coverageActor: ActorType<Mesh | Timers | LiveHosts | ChunkStore | SeriesCatalog> = {
  name: ensureMessage.actor,
  activate
}
