/**
 * How does a host leave politely?
 *
 * It says that it drains, so that the others take what it gives; hands over slot after slot; and gives up what is left
 * when the time is over. From then on it takes nothing any more.
 */
import { Deferred, Effect, Fiber, Option, Semaphore } from "effect"
import { monotonicMs } from "../runtime/Deadline.ts"
import * as Invariants from "../runtime/Invariants.ts"
import { writeSlot } from "./SlotRecords.ts"
import type { SlotBook } from "./SlotBook.ts"

const drainWithin = "10 seconds"
// what could not be handed over is dropped, and given back in one go
const dropWithin = "1 second"
const dropsMax = 64
const lookEveryMs = 20
const lookEveryMsMax = 250
// without NATS nothing can be handed over: the others find the slots when the session has ended. A server that only
// restarts is back sooner
const silentMsMax = 3000
const downMsMax = 1000

/** What a drain came to. */
export interface DrainFigures {
  readonly handovers: number
  readonly handoverMsMax: number
  readonly elapsedMs: number
}

const isAway = ({ mesh, session }: SlotBook): boolean =>
  session.silentMs() > (mesh.connected() ? silentMsMax : downMsMax)

const handAllOver = Effect.fnUntraced(function* (book: SlotBook, check: Effect.Effect<boolean, unknown>) {
  const { held, session } = book
  // said in any case, since what is given up now must not be claimed later: only nobody is waited for who can't hear it
  const told = yield* Effect.forkChild(session.setDraining, { startImmediately: true })
  if (isAway(book)) return
  yield* Fiber.join(told)
  let pauseMs = lookEveryMs
  while (!isAway(book)) {
    const before = book.counts.handovers
    const isDone = yield* Effect.option(check)
    if (Option.getOrElse(isDone, () => false) && held.size === 0) return
    yield* Effect.sleep(pauseMs)
    // what can't be given back now would fail as soon again
    pauseMs = book.counts.handovers > before ? lookEveryMs : Math.min(lookEveryMsMax, pauseMs * 2)
  }
})

const dropRest = Effect.fnUntraced(function* ({ handler, held, mesh, retiring }: SlotBook) {
  // what can't be finished in time is stopped as well: whoever drains is gone behind this
  const rest = [...held.values(), ...retiring.values()]
  // before anything is waited for: the time may be over before all could be given back
  held.clear()
  for (const slot of rest) slot.end()
  const writes = yield* Semaphore.make(dropsMax)
  yield* Effect.forEach(
    rest,
    (slot) =>
      slot.unsubscribe.pipe(
        Effect.andThen(handler.onLost(slot.tenure)),
        Effect.andThen(writes.withPermit(writeSlot(mesh, { ...slot.record(), owner: "" }))),
        Effect.ignore
      ),
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.timeoutOption(dropWithin))
})

/** Asserts that nothing is held any more, and that no actor lives here whose messages nobody would bring. */
const checkLeft = ({ handler, held, session }: SlotBook): Effect.Effect<void> => {
  const residents = handler.residents?.() ?? 0
  return Invariants.check("drainLosesNothing", held.size + residents === 0, () => ({
    incarnation: session.incarnation,
    slots: Array.from(held.keys()),
    residents
  }))
}

/** The drain of a host: done once, however often it is asked for. */
export const makeDrain = (book: SlotBook, check: Effect.Effect<boolean, unknown>) => {
  const figures = Deferred.makeUnsafe<DrainFigures>()
  let isBegun = false
  let isDrained = false

  const run = Effect.gen(function* () {
    const startedMs = yield* monotonicMs
    const before = book.counts
    // the longest of the drain, not of all time
    book.counts = { ...before, handoverMsMax: 0 }
    yield* Effect.timeoutOption(handAllOver(book, check), drainWithin)
    const left = book.held.size + book.busy.size
    yield* dropRest(book)
    isDrained = true
    yield* checkLeft(book)
    const { handoverMsMax, handovers } = book.counts
    book.counts = { ...book.counts, handoverMsMax: Math.max(handoverMsMax, before.handoverMsMax) }
    const elapsedMs = (yield* monotonicMs) - startedMs
    if (left > 0) yield* Effect.logWarning("drained, but some slots could not be handed over", { slots: left })
    return { handovers: handovers - before.handovers, handoverMsMax, elapsedMs }
  })

  const drain = Effect.suspend(() => {
    if (isBegun) return Deferred.await(figures)
    isBegun = true
    // apart from who asks: the next one who asks waits for the same drain
    return Effect.andThen(Effect.forkDetach(Deferred.into(run, figures)), Deferred.await(figures))
  })
  return { drain, isDrained: () => isDrained }
}
