/**
 * How does a host get, keep and give back slots?
 *
 * A slot is one record; owning it is having written it last, by compare-and-set. Each check looks at what stands and
 * at who lives, plans, and does it. Checks come at once when hosts come or go, and twice a second until nothing is
 * left to do; a slot that was given back is claimed as soon as that is heard. The ack of a write decides, never what
 * was read or heard.
 */
import { type Cause, Effect, Exit, FiberSet, Option, Queue, Scope, Semaphore } from "effect"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import { clockMs } from "../runtime/Deadline.ts"
import { Mesh } from "../runtime/Mesh.ts"
import { patiently } from "../runtime/patiently.ts"
import { makeDrain, type DrainFigures } from "./Drain.ts"
import { handOver, noteBatch } from "./Handoff.ts"
import { hold, makePorch } from "./HeldSlot.ts"
import { HostSession } from "./HostSession.ts"
import { makePlanner } from "./makePlanner.ts"
import { planFreed, type SlotRecord } from "./planClaims.ts"
import * as SlotBook from "./SlotBook.ts"
import type { SlotHandler } from "./SlotHandler.ts"
import * as SlotNews from "./SlotNews.ts"
import { writeSlot } from "./SlotRecords.ts"
import { SlotStanding } from "./SlotStanding.ts"

const checkEvery = "500 millis"
// whatever happens is heard; this is for what was not
const calmCheckEvery = "2 seconds"
// what changes with one host changes many slots within milliseconds: one turn sees all of it
const settleFor = "10 millis"
// a host that starts alone claims every slot: more at once only wait in the server
const writesMax = 64
// more in a row than there are before touch is lost
const failuresTold = 5

/** The slots of this host. */
export interface SlotClaims {
  /** The names of the slots that it holds. */
  readonly names: () => ReadonlyArray<string>
  readonly counts: () => SlotBook.SlotCounts
  /** Gives all slots to the others and takes no more; however often it is asked for, it is done once. */
  readonly drain: Effect.Effect<DrainFigures>
}

/** Subscribes, writes the record, and lets the messages in: whoever hears of the claim is heard already. */
const claim = Effect.fnUntraced(function* (book: SlotBook.SlotBook, standing: SlotRecord) {
  const { handler, held, mesh, session } = book
  // the plan was made in touch, and touch may be lost by now
  if (!session.isValidNow()) return
  const stretch = session.stretch()
  const slotEpoch = Math.max(standing.slotEpoch, SlotBook.latestEpoch(book, standing.slot)) + 1
  const wanted = { ...standing, owner: session.incarnation, slotEpoch }
  const subscription = yield* Scope.make()
  const porch = makePorch(yield* clockMs)
  const revision = yield* mesh.subscribe(ActorSubject.slot(wanted.slot), porch.onMessage).pipe(
    Scope.provide(subscription),
    Effect.andThen(writeSlot(mesh, wanted)),
    Effect.onError((cause) => Scope.close(subscription, Exit.failCause(cause)))
  )
  SlotBook.noteEpoch(book, wanted.slot, slotEpoch)
  const onOutbid = (by: number): void => {
    SlotBook.noteEpoch(book, wanted.slot, by)
    book.onOutbid()
  }
  const slot = hold({ record: { ...wanted, revision }, session, stretch, subscription, onOutbid })
  held.set(wanted.slot, slot)
  book.counts = { ...book.counts, claims: book.counts.claims + 1 }
  yield* Effect.ensuring(
    handler.onClaimed(slot.tenure),
    Effect.sync(() => porch.open((message, waitedMs) => handler.onMessage(slot.tenure, message, waitedMs)))
  )
})

/** Writes the record again as it stands: its tenure goes on. */
const confirm = Effect.fnUntraced(function* (book: SlotBook.SlotBook, standing: SlotRecord) {
  const { held, mesh, session } = book
  const slot = held.get(standing.slot)
  if (slot === undefined || !session.isValidNow()) return
  const stretch = session.stretch()
  const revision = yield* writeSlot(mesh, standing)
  slot.confirm({ ...standing, revision }, stretch)
  book.counts = { ...book.counts, confirms: book.counts.confirms + 1 }
})

/** Lets go of a slot that someone else owns by now, or by which nothing can be saved. */
const lose = Effect.fnUntraced(function* (book: SlotBook.SlotBook, name: string) {
  const slot = book.held.get(name)
  if (slot === undefined) return
  book.held.delete(name)
  slot.end()
  yield* Effect.andThen(slot.unsubscribe, book.handler.onLost(slot.tenure))
})

/** Tells once of checks that fail one after the other though the session is certain: losing touch is told elsewhere. */
const makeFailureLog = () => {
  let failures = 0
  return {
    onFailure: (cause: Cause.Cause<unknown>) =>
      Effect.suspend(() => {
        failures += 1
        return failures === failuresTold
          ? Effect.logWarning("slots can't be checked", cause)
          : Effect.logDebug("slots not checked", cause)
      }),
    onSuccess: () => {
      failures = 0
    }
  }
}

/** A turn, which fails where NATS does not answer. */
type Turn = Effect.Effect<unknown, MeshUnavailable>

// what fails was someone else's, or is tried again at the next check
const each = <A, E>(items: ReadonlyArray<A>, act: (item: A) => Effect.Effect<void, E>): Effect.Effect<void> =>
  Effect.forEach(items, (item) => Effect.ignore(act(item)), { concurrency: writesMax, discard: true })

/** What is to be done at the next turn. */
const makeAgenda = ({ busy, held, session }: SlotBook.SlotBook, wake: () => void) => {
  const freed = new Map<string, SlotRecord>()
  let isLookDue = false
  const lookSoon = (): void => {
    isLookDue = true
    wake()
  }
  return {
    lookSoon,
    noteSlot: (record: SlotRecord): void => {
      const { owner, slot } = record
      if (held.has(slot) && owner !== session.incarnation) lookSoon()
      if (owner !== "" || busy.has(slot)) return
      freed.set(slot, record)
      wake()
    },
    /** Whether a look is due, and the slots that were given back since the last turn: a look would see them. */
    takeNext: () => {
      const next = { isLookDue, freed: Array.from(freed.values()) }
      isLookDue = false
      freed.clear()
      return next
    }
  }
}

/** Checks at once when there is something to do, and now and then in any case; until the scope ends. */
const keepChecking = Effect.fnUntraced(function* (
  wakes: Queue.Dequeue<void>,
  { act, isCalm }: { readonly act: (isIdle: boolean) => Turn; readonly isCalm: () => boolean }
) {
  const failures = makeFailureLog()
  const woken = Effect.andThen(Queue.take(wakes), Effect.sleep(settleFor))
  yield* Effect.suspend(() => Effect.timeoutOption(woken, isCalm() ? calmCheckEvery : checkEvery)).pipe(
    Effect.tap(Queue.clear(wakes)),
    Effect.flatMap((woken) => act(Option.isNone(woken))),
    Effect.tap(Effect.sync(failures.onSuccess)),
    Effect.catchCause(failures.onFailure),
    Effect.forever,
    Effect.forkScoped
  )
})

/** Claims slots as long as the scope lives, and gives them back at its end. */
export const claimSlots = Effect.fnUntraced(function* (handler: SlotHandler) {
  const book = SlotBook.empty({
    mesh: yield* Mesh,
    session: yield* HostSession,
    handler,
    onOutbid: () => agenda.lookSoon()
  })
  const { busy, held, session } = book
  const wakes = yield* Queue.sliding<void>(1)
  const agenda = makeAgenda(book, () => void Queue.offerUnsafe(wakes, undefined))
  const news = yield* SlotNews.listen({ onHosts: agenda.lookSoon, onSlot: agenda.noteSlot })
  const runFork = yield* FiberSet.makeRuntime()
  const look = makePlanner(book, news)
  let live: ReadonlyArray<SessionRecord> = []
  let isCalm = false
  const turn = yield* Semaphore.make(1)

  /** Whether nothing is left to do, and nothing under way. */
  const check = Effect.gen(function* () {
    isCalm = false
    if (!session.isValidNow()) return false
    agenda.takeNext()
    const { plan, ...seen } = yield* look
    live = seen.live
    isCalm = seen.isCalm
    yield* each(plan.lost, (name) => lose(book, name))
    // what was void may be claimed now
    if (plan.lost.length > 0) agenda.lookSoon()
    yield* each(plan.confirms, (record) => confirm(book, record))
    yield* each(plan.claims, (record) => claim(book, record))
    for (const move of plan.moves) {
      busy.add(move.record.slot)
      // one that can't be given back now is looked at in its turn: it would fail as soon again
      runFork(Effect.map(handOver(book, news, move), (isGivenBack) => isGivenBack && agenda.lookSoon()))
    }
    const isDone = plan.moves.length + plan.confirms.length + busy.size === 0
    if (isDone) yield* noteBatch(book)
    return isDone
  }).pipe(turn.withPermits(1))

  // with those who lived at the last look: that is all that a slot waits for which was given back
  const claimFreed = (freed: ReadonlyArray<SlotRecord>): Turn =>
    Effect.suspend(() => {
      // one that can't be claimed now is looked at soon
      isCalm = false
      return each(planFreed({ me: session.record(), live, held, busy }, freed), (record) => claim(book, record))
    }).pipe(turn.withPermits(1))

  const { drain, isDrained } = makeDrain(book, check)
  ;(yield* SlotStanding).tell({
    unconfirmed: () => Array.from(held.values()).filter((slot) => !slot.isConfirmed()).length,
    isDrained
  })
  yield* session.onRestored(agenda.lookSoon)
  yield* session.onSilence(agenda.lookSoon)
  yield* keepChecking(wakes, {
    isCalm: () => isCalm,
    act: (isIdle) => {
      const { freed, isLookDue } = agenda.takeNext()
      return isIdle || isLookDue ? check : claimFreed(freed)
    }
  })
  yield* Effect.addFinalizer(() => drain)
  yield* patiently(check)
  return { names: () => Array.from(held.keys()), counts: () => book.counts, drain } satisfies SlotClaims
})
