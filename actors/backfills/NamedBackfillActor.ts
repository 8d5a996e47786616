/**
 * Who sees to it that all of a named backfill's range gets filled, whatever happens meanwhile?
 *
 * One actor a name. While it runs it is woken once a second, and has the coverage actor fill the next windows: no more
 * at a time than keep the workers busy. A host that dies takes nothing along: a note has the actor woken elsewhere, and
 * what it knew beside its record it is told again.
 */
import { Clock, Effect, Option, Schema, Scope } from "effect"
import { BackfillExists, UnknownBackfill } from "../../protocol/history/BackfillErrors.ts"
import { type BackfillJob, isRevision } from "../../protocol/history/BackfillJob.ts"
import { BackfillName, BackfillReport, type NamedBackfill, specOf } from "../../protocol/history/NamedBackfill.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { readJob } from "../../protocol/messages/Backfill.ts"
import * as Messages from "../../protocol/messages/Backfills.ts"
import type { Coverage } from "../../protocol/messages/Coverage.ts"
import { MalformedMessage, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { Activation, ActorType, Behavior } from "../../runtime/Actor.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import { Timers } from "../../runtime/DurableTimer.ts"
import { handler, on } from "../../runtime/handler.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { wakeMessage } from "../../runtime/Resident.ts"
import type { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as backfillStep from "./backfillStep.ts"
import { goOn, look, lookEveryMs, type Standing } from "./goOn.ts"
import { outstandingMax } from "./planWork.ts"
import { nothing, reportOf } from "./reportOf.ts"

/** How often progress is saved with which nothing else changes: lists show what was saved. */
const saveEveryMs = 10_000

const isName = Schema.is(BackfillName)
const encodeReport = Schema.encodeUnknownOption(BackfillReport)

/** When the actor is woken; notes are written only where they have to be. */
const makeAlarm = Effect.fnUntraced(function* ({ address, slot, slotEpoch }: Activation) {
  const timers = yield* Timers
  let expectedAt: number | undefined
  let isKnown = false
  return Effect.fnUntraced(function* (at: number | undefined) {
    const nowMs = yield* Clock.currentTimeMillis
    // a note that is due wakes once a second, until it is replaced
    const isSoon = (time: number | undefined) => time !== undefined && time <= nowMs + lookEveryMs
    // what an earlier owner has noted is not known: the first is written in any case
    if (isKnown && (expectedAt === at || (isSoon(expectedAt) && isSoon(at)))) return
    yield* timers.expect({ slot, slotEpoch, address }, at)
    expectedAt = at
    isKnown = true
  })
})

/** What an activation has in its hands. */
interface Hands {
  readonly name: string
  readonly state: ActorState.ActorState<NamedBackfill | null>
  readonly expect: Effect.Success<ReturnType<typeof makeAlarm>>
  /** The record as it is by now, which may be newer than what is saved of it, and what is known beside it. */
  standing: Standing | null
  /** The last that was told of the jobs of windows since it looked. */
  readonly heard: Map<number, BackfillJob>
  /** The scope of the activation. */
  readonly scope: Scope.Scope
  isListening: boolean
  savedAtMs: number
}

/** What is told of jobs between two looks is kept up to so many windows; of the others it asks now and then. */
const heardMax = 4 * outstandingMax

/** Takes in what is told of a job: failures are told of here, and nowhere else. */
const hear = ({ heard, standing }: Hands, data: Uint8Array): void => {
  if (standing === null || standing.knowledge.outstanding.size === 0) return
  Option.map(readJob(Option.some(data)), (job) => {
    // what asks for stored bars once more fills nothing
    if (isRevision(job)) return
    if (heard.has(job.windowStart) || heard.size < heardMax) heard.set(job.windowStart, job)
  })
}

/** What was told since the last look. */
const takeHeard = ({ heard }: Hands): ReadonlyArray<BackfillJob> => {
  const jobs = Array.from(heard.values())
  heard.clear()
  return jobs
}

const fresh = (backfill: NamedBackfill): Standing => ({ backfill, knowledge: nothing, askedAtMs: -Infinity })

const save = Effect.fnUntraced(function* (hands: Hands, standing: Standing) {
  yield* hands.state.save(standing.backfill)
  hands.standing = standing
  hands.savedAtMs = yield* Clock.currentTimeMillis
})

const known = ({ name, standing }: Hands): Effect.Effect<Standing, UnknownBackfill> =>
  standing === null ? Effect.fail(new UnknownBackfill({ backfill: name })) : Effect.succeed(standing)

const report = ({ backfill, knowledge }: Standing): BackfillReport => reportOf(backfill, knowledge)

/** With the figures of now. */
const lookedAt = (standing: Standing, heard: ReadonlyArray<BackfillJob> = []) =>
  Effect.map(look(standing, heard), ({ plan: { figures, outstanding, quarantined } }) => ({
    ...standing,
    backfill: { ...standing.backfill, figures },
    knowledge: { ...standing.knowledge, outstanding, quarantined }
  }))

/** Listens to what is told of the jobs of its series, as long as the activation lives. */
const listen = Effect.fnUntraced(function* (hands: Hands, { interval, nodeId }: NamedBackfill) {
  if (hands.isListening) return
  const mesh = yield* Mesh
  const subject = Announcement.changedUnder("jobs", Subject.series(nodeId, interval))
  yield* Scope.provide(
    mesh.subscribe(subject, ({ data }) => hear(hands, data)),
    hands.scope
  )
  hands.isListening = true
})

const create = Effect.fnUntraced(function* (hands: Hands, order: Messages.CreateBackfill) {
  const { expect, name, standing } = hands
  if (standing !== null) {
    const { backfill } = standing
    if (backfillStep.isOf(backfill, order.spec)) return report(standing)
    return yield* new BackfillExists({ backfill: name, status: backfill.status, existing: specOf(backfill) })
  }
  const nowMs = yield* Clock.currentTimeMillis
  const begun = yield* Effect.mapError(
    lookedAt(fresh(backfillStep.created(name, order, nowMs))),
    ({ message }) => new MeshUnavailable({ operation: "read coverage", reason: message })
  )
  // the note first: none is ever running without somebody to wake it
  yield* expect(nowMs)
  yield* save(hands, begun)
  return report(begun)
})

const change = Effect.fnUntraced(function* (hands: Hands, wanted: Messages.ChangeBackfill) {
  const before = yield* known(hands)
  const nowMs = yield* Clock.currentTimeMillis
  const backfill = yield* Effect.fromResult(backfillStep.changed(before.backfill, wanted, nowMs))
  if (backfill === before.backfill) return report(before)
  const { outstanding } = before.knowledge
  const next = { ...fresh(backfill), knowledge: { ...nothing, outstanding } }
  // figures that can't be had now are those of the last look
  const after = yield* Effect.orElseSucceed(lookedAt(next), () => next)
  const isRunning = backfill.status === "running"
  if (isRunning) yield* hands.expect(nowMs)
  yield* save(hands, after)
  if (!isRunning) yield* hands.expect(undefined)
  return report(after)
})

/**
 * One that does not run looks when somebody asks: what was under way is finished meanwhile, and operators may have done
 * something about the rest. What it asked for is nothing of its own once it has ended.
 */
const show = Effect.fnUntraced(function* (hands: Hands) {
  const found = yield* known(hands)
  const { status } = found.backfill
  if (status === "running") return report(found)
  const standing = status === "paused" ? found : { ...found, knowledge: nothing }
  const now = yield* Effect.orElseSucceed(lookedAt(standing, takeHeard(hands)), () => standing)
  hands.standing = now
  return report(now)
})

const wake = Effect.fnUntraced(function* (hands: Hands) {
  const before = hands.standing
  if (before?.backfill.status !== "running") return yield* hands.expect(undefined)
  yield* listen(hands, before.backfill)
  const { nextLookAt, ...after } = yield* goOn(before, takeHeard(hands))
  const { backfill, knowledge } = after
  if (knowledge.trouble !== "" && knowledge.trouble !== before.knowledge.trouble) {
    yield* Effect.logWarning("backfill does not go on", { name: hands.name, reason: knowledge.trouble })
  }
  if (backfill.status !== before.backfill.status) {
    yield* Effect.logInfo("backfill changed", { name: hands.name, status: backfill.status, reason: backfill.reason })
  }
  const isNews =
    backfill.status !== before.backfill.status || !RangeSet.equals(backfill.quarantined, before.backfill.quarantined)
  const hasMoved = backfill.figures.leftBars !== hands.state.current()?.figures.leftBars
  if (isNews || (hasMoved && backfill.figures.at - hands.savedAtMs >= saveEveryMs)) yield* save(hands, after)
  else hands.standing = after
  yield* hands.expect(backfill.status === "running" ? nextLookAt : undefined)
})

const openState = ({ address, owner, slot, slotEpoch }: Activation) =>
  ActorState.open({
    bucket: Stream.actors,
    key: ActorSubject.actorKey(address),
    slot,
    slotEpoch,
    owner,
    form: Messages.BackfillState,
    initial: null
  })

const activate = Effect.fnUntraced(function* (activation: Activation) {
  const { address } = activation
  if (!isName(address.key)) {
    return yield* new MalformedMessage({ what: `key ${JSON.stringify(address.key)}`, problem: "names no backfill" })
  }
  const provide = Effect.provide(yield* Effect.context<Coverage | Mesh | SeriesCatalog>())
  const state = yield* openState(activation)
  const found = state.current()
  const hands: Hands = {
    name: address.key,
    state,
    expect: yield* makeAlarm(activation),
    standing: found === null ? null : fresh(found),
    heard: new Map(),
    scope: yield* Effect.scope,
    isListening: false,
    savedAtMs: -Infinity
  }
  yield* hands.expect(found?.status === "running" ? yield* Clock.currentTimeMillis : undefined)
  return {
    ...handler(address, [
      on(Messages.createMessage, (order) => provide(create(hands, order))),
      on(Messages.changeMessage, (wanted) => provide(change(hands, wanted))),
      on(Messages.showMessage, () => provide(show(hands))),
      { name: wakeMessage, isTogether: false, handle: () => Effect.as(provide(wake(hands)), [{ body: null }]) }
    ]),
    epoch: state.epoch,
    bytes: state.bytes,
    // what is looked at each second need not be looked at for who asks
    peek: ({ message }) => {
      const { standing } = hands
      if (message !== Messages.showMessage.name || standing?.backfill.status !== "running") return undefined
      return Option.getOrUndefined(Option.map(encodeReport(report(standing)), (body) => ({ body })))
    }
  } satisfies Behavior
})

/** The type of the named backfills; their keys are the names. */
export const namedBackfillActor: ActorType<Mesh | Timers | Coverage | SeriesCatalog> = {
  name: Messages.backfillActor,
  activate
}
