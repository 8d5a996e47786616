/**
 * How does a slot get to another host that lives?
 *
 * No further message is taken; what is in the mailboxes is finished; the record is given back; and the other host,
 * which hears of it at once, claims it. Messages find nobody meanwhile, so their senders try again.
 */
import { Effect, Fiber, Option } from "effect"
import { monotonicMs } from "../runtime/Deadline.ts"
import type { HeldSlot } from "./HeldSlot.ts"
import type { Move } from "./planClaims.ts"
import type { SlotBook } from "./SlotBook.ts"
import type { SlotNews } from "./SlotNews.ts"
import { writeSlot } from "./SlotRecords.ts"

/** What handing a slot over should take at most, in milliseconds. */
const goalMs = 250

// a host that is told claims within milliseconds; one that died meanwhile, or drains too, never does
const ownerWithin = "1 second"

/** Tells of the slots that were handed over since it last told. */
export const noteBatch = Effect.fnUntraced(function* (book: SlotBook) {
  const { batchMs } = book
  if (batchMs.length === 0) return
  book.batchMs = []
  const msMax = Math.max(...batchMs)
  const figures = { slots: batchMs.length, msMax: Math.round(msMax) }
  if (msMax > goalMs) return yield* Effect.logWarning(`slots handed over, but not within ${goalMs} ms`, figures)
  yield* Effect.logInfo("slots handed over", figures)
})

const countOne = (book: SlotBook, ms: number): void => {
  const { handoverMsMax, handovers } = book.counts
  book.counts = { ...book.counts, handovers: handovers + 1, handoverMsMax: Math.max(handoverMsMax, ms) }
  book.batchMs = [...book.batchMs, ms]
}

/** Finishes the slot's work and ends its tenure; what no longer comes is told to nobody. */
const retire = ({ handler, retiring }: SlotBook, name: string, slot: HeldSlot) =>
  Effect.gen(function* () {
    retiring.set(name, slot)
    yield* slot.unsubscribe
    yield* handler.onHandOver(slot.tenure)
    slot.end()
  }).pipe(Effect.ensuring(Effect.sync(() => void retiring.delete(name))))

const giveBack = Effect.fnUntraced(function* (book: SlotBook, news: SlotNews, { isAwaited, record }: Move) {
  const owned = yield* Effect.forkChild(news.nextOwner(record.slot, record.slotEpoch), { startImmediately: true })
  yield* writeSlot(book.mesh, { ...record, owner: "" })
  // where no other host would hear of it, nobody is waited for
  if (isAwaited) yield* Effect.timeoutOption(Fiber.join(owned), ownerWithin)
})

/**
 * Hands the slot over, or only gives it back where it is not held; tells whether it is given back. It's `busy` until
 * its new owner is known; one that can't be given back is still this host's by its record, and found at the next check.
 */
export const handOver = (book: SlotBook, news: SlotNews, move: Move): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const { slot: name } = move.record
    const slot = Option.fromUndefinedOr(book.held.get(name))
    book.busy.add(name)
    book.held.delete(name)
    const startedMs = yield* monotonicMs
    if (Option.isSome(slot)) yield* retire(book, name, slot.value)
    yield* giveBack(book, news, move)
    if (Option.isSome(slot)) countOne(book, (yield* monotonicMs) - startedMs)
  }).pipe(
    Effect.as(true),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logDebug("slot not given back", { slot: move.record.slot }, cause), false)
    ),
    Effect.ensuring(Effect.sync(() => void book.busy.delete(move.record.slot)))
  )
