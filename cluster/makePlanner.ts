/**
 * What is there to do about slots, as far as can be seen now?
 *
 * Reads may be old. What they suggest is tried by compare-and-set; only a host that the leader, too, knows nothing of
 * is taken for dead, and only a record that the leader does not have, either, for one that storage has lost.
 */
import { Effect } from "effect"
import { MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import { type ClaimPlan, type ClaimView, planClaims, type SlotRecord } from "./planClaims.ts"
import * as SlotBook from "./SlotBook.ts"
import type { SlotNews } from "./SlotNews.ts"
import { readRevision, slotReader } from "./SlotRecords.ts"

// what was asked when touch was lost is never answered: the next look must not wait for it
const lookWithin = "1 second"
// a replica that is behind may know nothing yet of all that was just claimed
const readsMax = 64
// two checks: a host that shows up for a moment moves nothing
const acquaintedAfterMs = 500

/** Since when which hosts have been there without a break, as this one saw it. */
const makeAcquaintance = () => {
  let since = new Map<string, number>()
  return (live: ReadonlyArray<SessionRecord>, nowMs: number): ReadonlySet<string> => {
    since = new Map(live.map(({ incarnation }) => [incarnation, since.get(incarnation) ?? nowMs]))
    const long = Array.from(since).filter(([, sinceMs]) => nowMs - sinceMs >= acquaintedAfterMs)
    return new Set(long.map(([incarnation]) => incarnation))
  }
}

/** The owners in the plan that may be dead; of these, a replica behind the leader may only not know yet. */
const spareLiving = Effect.fnUntraced(function* ({ session }: SlotBook.SlotBook, plan: ClaimPlan) {
  const owners = new Set(plan.claims.map(({ owner }) => owner))
  owners.delete("")
  owners.delete(session.incarnation)
  const living = new Set(yield* Effect.filter(owners, session.isLive))
  return { ...plan, claims: plan.claims.filter(({ owner }) => !living.has(owner)) }
})

/**
 * Whether a slot that is held was outbid, or storage lost its record: the leader, too, has an earlier one than was
 * written.
 */
const isVoid = (
  book: SlotBook.SlotBook,
  { revision, slot, slotEpoch }: SlotRecord,
  read: SlotRecord | undefined
): Effect.Effect<boolean, MeshUnavailable> => {
  if (SlotBook.latestEpoch(book, slot) > slotEpoch) return Effect.succeed(true)
  if (read !== undefined && read.revision >= revision) return Effect.succeed(false)
  return Effect.map(readRevision(book.mesh, slot), (standing) => standing < revision)
}

/** Whether nothing is to be done, and nothing will be before something is heard. */
const isCalm = ({ acquainted, busy, live, mayBury, mayMove }: ClaimView, plan: ClaimPlan): boolean =>
  mayBury &&
  mayMove &&
  acquainted.size === live.length &&
  plan.claims.length + plan.confirms.length + plan.moves.length + plan.lost.length + busy.size === 0

/** Looks at what stands and at who lives, and plans; remembers since when it saw each host. */
export const makePlanner = (book: SlotBook.SlotBook, news: SlotNews) => {
  const { mesh, session } = book
  const acquaint = makeAcquaintance()
  const readSlots = slotReader(mesh)
  return Effect.gen(function* () {
    // slots first: whoever owns one by then had a session by then
    const records = yield* readSlots
    const live = yield* session.live
    news.noteHosts(live)
    news.noteRecords(records.values())
    const holdings = yield* Effect.forEach(
      book.held,
      ([name, slot]) =>
        Effect.map(isVoid(book, slot.record(), records.get(name)), (isVoid) => {
          const holding = { record: slot.record(), isConfirmed: slot.isConfirmed(), isVoid }
          return [name, holding] as const
        }),
      { concurrency: readsMax }
    )
    const view: ClaimView = {
      me: session.record(),
      live,
      records,
      held: new Map(holdings),
      busy: book.busy,
      mayBury: yield* session.mayBury,
      mayMove: yield* session.mayMove,
      acquainted: acquaint(live, yield* monotonicMs)
    }
    const plan = yield* spareLiving(book, planClaims(view))
    return { live, plan, isCalm: isCalm(view, plan) }
  }).pipe(
    Effect.timeoutOrElse({
      duration: lookWithin,
      orElse: () => Effect.fail(new MeshUnavailable({ operation: "look at slots", reason: "no answer" }))
    })
  )
}
