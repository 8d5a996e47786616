/**
 * How does one actor live?
 *
 * A bounded mailbox and one fiber that takes messages from it, a lot at a time. An activation that fails is started
 * again by its type's schedule, with what waits in the mailbox; when the schedule ends, the actor is left alone for a
 * while and says so. A message upon which it failed becomes a dead letter.
 */
import { Cause, Data, Duration, Effect, Exit, Option, Schedule } from "effect"
import { type Address, type Ending, envelopeFormat, type Undelivered } from "../protocol/wire/Envelope.ts"
import {
  ActorStopped,
  ActorUnavailable,
  DeadlineExceeded,
  type Fenced,
  MessageDeadLettered,
  type MeshUnavailable
} from "../protocol/wire/Errors.ts"
import type { ActorType, Behavior, Result, Stopped } from "./Actor.ts"
import type { ActorFigures } from "./ActorFigures.ts"
import { monotonicMs } from "./Deadline.ts"
import type { Note } from "./Invariants.ts"
import type { Mailbox } from "./Mailbox.ts"
import type { Tenure } from "./Tenure.ts"
import { endingOf, type Reply, type Work } from "./Work.ts"

/** What asks the actor to see to what is due: its timers. */
export const wakeMessage = "$wake"

/** How long an actor that has given up is left alone. */
const leftAloneMs = 30_000

/** Restarts of an activation that fails again and again without handling anything. */
const restartDefault = Schedule.upTo(Schedule.exponential("100 millis"), { times: 5 })

/** One actor in this process. */
export interface Resident {
  readonly name: string
  readonly address: Address
  readonly type: ActorType<never>
  readonly tenure: Tenure
  readonly mailbox: Mailbox<Work>
  /** What waits or is in hand, by message id. */
  readonly underWay: Map<string, Work>
  readonly figures: ActorFigures
  inHand: ReadonlyArray<Work>
  behavior: Behavior | undefined
  bytes: number
  usedAtMs: number
  /** Whether its life has begun. */
  hasBegun: boolean
  /** Why it is left alone, and until when. */
  stopped: { readonly reason: string; readonly untilMs: number } | undefined
  /** Called each time that nothing waits and nothing is in hand. */
  onQuiet: () => void
}

/** What the life of an actor needs of the host. */
export interface Surroundings {
  readonly owner: string
  /** Called when a message has ended here. */
  readonly ended: (work: Work, how: Ending) => void
  /** Keeps a message upon which the actor failed. */
  readonly bury: (
    work: Work,
    failure: { readonly reason: string; readonly trace: string; readonly epoch: number; readonly label: string }
  ) => Effect.Effect<void, MeshUnavailable>
  /** Called after each lot that was handled. */
  readonly handled: (resident: Resident) => void
  readonly activated: () => void
  readonly note: Note
}

/** Whether nothing waits for it and it has nothing in hand. */
export const isQuiet = ({ inHand, mailbox, underWay }: Resident): boolean =>
  underWay.size === 0 && inHand.length === 0 && mailbox.size() === 0

const respondAll = (work: Work, reply: Reply): void => {
  for (const respond of work.responders) respond(reply)
}

/** A message, and what becomes of it. */
interface Outcome {
  readonly work: Work
  readonly reply: Exclude<Reply, { readonly accepted: string }>
}

/** Answers a message that never had to wait: whoever sent it is told. */
export const answerAtOnce = ({ ended }: Pick<Surroundings, "ended">, { reply, work }: Outcome): void => {
  respondAll(work, reply)
  ended(work, "undelivered" in reply ? endingOf(reply.undelivered) : "handled")
}

/** Ends a message: whoever waits is told. */
export const finish = (
  { name, underWay }: Pick<Resident, "name" | "underWay">,
  around: Pick<Surroundings, "ended" | "note">,
  outcome: Outcome
): void => {
  const { id, message } = outcome.work.incoming
  const isOpen = underWay.get(id) === outcome.work
  around.note("endedOnce", isOpen, () => ({ actor: name, message, id, ending: Object.keys(outcome.reply) }))
  underWay.delete(id)
  answerAtOnce(around, outcome)
}

const refused = (undelivered: Undelivered) => ({ undelivered })

/** Those whose time is not over; the others are told so, and nothing of them is begun. */
const timely = (resident: Resident, around: Surroundings, nowMs: number): ReadonlyArray<Work> =>
  resident.inHand.filter((work) => {
    if (work.incoming.deadlineMs > nowMs) return true
    const late = new DeadlineExceeded({ waitingFor: resident.name, budgetMs: work.envelope.budgetMs })
    finish(resident, around, { work, reply: refused(late) })
    return false
  })

const buryOne = Effect.fnUntraced(function* (
  resident: Resident,
  around: Surroundings,
  { failure, work }: { readonly work: Work; readonly failure: { readonly reason: string; readonly trace: string } }
) {
  const epoch = resident.behavior?.epoch ?? 0
  const buried = yield* Effect.exit(around.bury(work, { ...failure, epoch, label: resident.type.label ?? "" }))
  yield* Effect.logWarning("actor failed upon a message", {
    actor: resident.name,
    message: work.incoming.message,
    reason: failure.reason
  })
  const { id } = work.incoming
  const undelivered = Exit.isSuccess(buried)
    ? new MessageDeadLettered({ address: resident.name, id, reason: failure.reason })
    : new ActorUnavailable({ address: resident.name, reason: `${failure.reason}; and its letter can't be kept` })
  finish(resident, around, { work, reply: refused(undelivered) })
})

/** How long a message of the actor's own may wait: what does not fit today comes again with the next waking. */
const ownBudgetMs = 60_000

/** Puts a message of the actor's own into its mailbox; one that is there already is not put there again. */
export const remind = (
  resident: Resident,
  { id, message, payload }: { readonly id: string; readonly message: string; readonly payload: unknown },
  nowMs: number
): void => {
  if (resident.underWay.has(id)) return
  const common = { id, cause: "timer", budgetMs: ownBudgetMs }
  const work: Work = {
    envelope: { ...common, format: envelopeFormat, to: resident.address, body: { message, payload } },
    incoming: { ...common, message, payload, own: true, traceParent: "", ageMs: 0, deadlineMs: nowMs + ownBudgetMs },
    arrivedMs: nowMs,
    responders: [],
    tellers: new Set()
  }
  resident.underWay.set(id, work)
  if (!resident.mailbox.offer(work)) resident.underWay.delete(id)
}

const finishAll = Effect.fnUntraced(function* (
  resident: Resident,
  around: Surroundings,
  { results, works }: { readonly works: ReadonlyArray<Work>; readonly results: ReadonlyArray<Result> }
) {
  const nowMs = yield* monotonicMs
  for (const [index, work] of works.entries()) {
    const result = results[index] ?? { failed: { reason: "the actor gave no answer", trace: "" } }
    resident.figures.count(nowMs, nowMs - work.arrivedMs)
    if ("failed" in result) yield* buryOne(resident, around, { work, failure: result.failed })
    else if ("due" in result) {
      for (const timer of result.due) remind(resident, timer, nowMs)
      resident.underWay.delete(work.incoming.id)
    } else finish(resident, around, { work, reply: result })
  }
})

/** An activation that has failed. */
class Crashed extends Data.TaggedError("Crashed")<{
  readonly reason: string
  /** Whether it had handled something before. */
  readonly lasted: boolean
  /** Whether to start it again may help: a state that can't be read stays unreadable. */
  readonly mayHelp: boolean
}> {}

const crashReason = (cause: Cause.Cause<unknown>): string => {
  const [failure] = Cause.prettyErrors(cause)
  return failure?.message ?? "unknown"
}

/** One activation, until it is interrupted or fails. */
const live = (resident: Resident, around: Surroundings) => {
  let lasted = false
  const serve = Effect.gen(function* () {
    const { address, tenure, type } = resident
    const { owner } = around
    // whose slot is in doubt may be another's by now: to find that out by a write, again and again, is a storm
    if (!tenure.isValid()) yield* tenure.untilValid
    const behavior = yield* type.activate({ address, owner, slot: tenure.slot, slotEpoch: tenure.slotEpoch })
    resident.behavior = behavior
    around.activated()
    while (true) {
      resident.inHand = yield* resident.mailbox.take(
        behavior.batchMax,
        ({ incoming: first }, { incoming: next }) => behavior.isTakenWith?.(first, next) ?? true
      )
      if (!tenure.isValid()) yield* tenure.untilValid
      const nowMs = yield* monotonicMs
      const works = timely(resident, around, nowMs)
      if (works.length > 0) {
        resident.inHand = works
        const batch = works.map(({ incoming }) => ({ ...incoming, budgetMs: incoming.deadlineMs - nowMs }))
        yield* finishAll(resident, around, { works, results: yield* behavior.handle(batch) })
        lasted = true
      }
      resident.inHand = []
      around.handled(resident)
      if (resident.mailbox.size() === 0) resident.onQuiet()
    }
  }).pipe(Effect.scoped)

  /** What stops an activation for good goes on; all else is a crash, upon the messages in hand where there are any. */
  const crash = Effect.fnUntraced(function* (cause: Cause.Cause<Stopped>) {
    const stopped = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
    if (stopped?._tag === "Fenced" || stopped?._tag === "MeshUnavailable") return yield* stopped
    const reason = crashReason(cause)
    for (const work of resident.inHand) {
      if (resident.underWay.has(work.incoming.id))
        yield* buryOne(resident, around, { work, failure: { reason, trace: Cause.pretty(cause) } })
    }
    resident.inHand = []
    resident.behavior = undefined
    resident.onQuiet()
    yield* Effect.logWarning("activation failed", { actor: resident.name, reason })
    return yield* new Crashed({ reason, lasted, mayHelp: stopped?._tag !== "MalformedMessage" })
  })
  return Effect.catchCause(serve, crash)
}

/** Leaves the actor alone: whoever waits is told, and whoever comes for a while. */
const giveUp = Effect.fnUntraced(function* (resident: Resident, around: Surroundings, { reason }: Crashed) {
  const nowMs = yield* monotonicMs
  yield* Effect.logError("actor stopped", { actor: resident.name, reason })
  // from here on without a pause: one that is interrupted half-way would leave those who wait without a word
  resident.stopped = { reason, untilMs: nowMs + leftAloneMs }
  for (const work of resident.mailbox.clear()) finish(resident, around, { work, reply: stoppedReply(resident, nowMs) })
  resident.onQuiet()
})

/** What those are told who ask an actor that is left alone. */
export const stoppedReply = ({ name, stopped }: Resident, nowMs: number) => {
  const { reason, untilMs } = stopped ?? { reason: "unknown", untilMs: nowMs }
  const leftMs = Math.max(1, Math.ceil(untilMs - nowMs))
  return refused(new ActorStopped({ address: name, reason, retryAfterMs: leftMs }))
}

/** The life of an actor: ends well when it has given up, and fails with what stops it. */
export const lifeOf = (resident: Resident, around: Surroundings): Effect.Effect<void, Fenced | MeshUnavailable> => {
  const again: Effect.Effect<void, Fenced | MeshUnavailable> = Effect.suspend(() => live(resident, around)).pipe(
    Effect.retry({
      schedule: resident.type.restart ?? restartDefault,
      while: (error) => error._tag === "Crashed" && error.mayHelp && !error.lasted
    }),
    Effect.catchTag("Crashed", (crashed) =>
      crashed.mayHelp && crashed.lasted ? again : giveUp(resident, around, crashed)
    )
  )
  return again
}

/** How soon a full mailbox may have room again, by how fast its actor is. */
export const retryAfterMs = ({ figures }: Resident, nowMs: number): number => {
  const perMessageMs = 1000 / Math.max(1, figures.rate(nowMs))
  return Math.ceil(Math.min(5000, Math.max(10, perMessageMs)))
}

/** What nobody told otherwise: an actor sleeps after five minutes without a message. */
export const passivateAfterDefault = Duration.minutes(5)
