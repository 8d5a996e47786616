/**
 * How does an actor that was defined by steps live?
 *
 * Its messages are taken a lot at a time: the steps run one after another, one save makes all of them true, and only
 * then anybody is answered and anything is sent. What only reads is answered from what was last saved.
 */
import { Clock, Effect, Random, type Result, Schema } from "effect"
import { MalformedMessage } from "../protocol/wire/Errors.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import type { Activation, Behavior, Incoming, Result as MessageResult, Stopped } from "./Actor.ts"
import * as ActorState from "./ActorState.ts"
import { Timers } from "./DurableTimer.ts"
import * as Invariants from "./Invariants.ts"
import * as Ledger from "./Ledger.ts"
import { Mesh } from "./Mesh.ts"
import type { Migrations } from "./Migrations.ts"
import { Outbox } from "./Outbox.ts"
import { wakeMessage } from "./Resident.ts"
import { type Errand, type Program, runStep, type Standing, type Stepped } from "./runStep.ts"

/** Messages that one save makes true. */
const batchMax = 64

/** A definition, with its types hidden. */
export interface Plan extends Program {
  readonly initial: (key: string) => unknown
  readonly decodeState: (stored: unknown) => Result.Result<unknown, string>
  readonly migrations: Migrations
  readonly ledger: Ledger.LedgerLimits
}

/** Where the state of an activation is kept, if anywhere. */
interface Keeping {
  readonly epoch: number
  readonly initial: unknown
  readonly book: ActorState.Book
  readonly save: (encoded: unknown, book: () => ActorState.Book) => Effect.Effect<void, Stopped>
  readonly bytes: () => number
}

/** What an actor whose state is not saved takes in memory, for want of knowing: a record's overhead. */
const volatileBytes = 1024

const fit = (what: string, coded: Result.Result<unknown, string>): Effect.Effect<unknown, MalformedMessage> =>
  Effect.mapError(Effect.fromResult(coded), (problem) => new MalformedMessage({ what, problem }))

const keepDurable = Effect.fnUntraced(function* (
  plan: Plan,
  { address, owner, slot, slotEpoch }: Activation,
  first: unknown
) {
  const state = yield* ActorState.open({
    bucket: Stream.actors,
    key: ActorSubject.actorKey(address),
    slot,
    slotEpoch,
    owner,
    form: Schema.Unknown,
    initial: first,
    migrations: plan.migrations
  })
  const keeping: Keeping = {
    epoch: state.epoch,
    initial: state.current(),
    book: state.book(),
    save: (encoded, bookOf) => state.save(encoded, bookOf()),
    bytes: state.bytes
  }
  return keeping
})

const keepNowhere = ({ slotEpoch }: Activation, first: unknown): Keeping => ({
  epoch: slotEpoch,
  initial: first,
  book: ActorState.emptyBook,
  // its state is in the hands of the activation alone
  save: () => Effect.void,
  bytes: () => volatileBytes
})

const isDone = (ledger: Ledger.Ledger, { id, nowMs }: { readonly id: string; readonly nowMs: number }): boolean =>
  ledger.find(id, { nowMs, ageMs: 0 }).found === "answer"

const nextDue = ({ timers }: Pick<Standing, "timers">): number | undefined =>
  timers.length === 0 ? undefined : Math.min(...timers.map(({ at }) => at))

/** What a lot of messages makes of an actor. */
interface Lot {
  readonly results: ReadonlyArray<MessageResult>
  readonly standing: Standing
  readonly changed: boolean
  /** What to do once it is saved, each with the message that asked for it. */
  readonly errands: ReadonlyArray<readonly [errand: Errand, cause: string]>
  /** Whether the actor was woken. */
  readonly woken: boolean
}

/** Runs the steps of a lot, one behind the other. Pure. */
const runLot = (
  from: Standing,
  batch: ReadonlyArray<Incoming>,
  { nowMs, step }: { readonly nowMs: number; readonly step: (from: Standing, incoming: Incoming) => Stepped }
): Lot => {
  let standing = from
  let changed = false
  let woken = false
  const results: Array<MessageResult> = []
  const errands: Array<readonly [Errand, string]> = []
  for (const incoming of batch) {
    if (incoming.message === wakeMessage) {
      woken = true
      results.push({ due: standing.timers.filter(({ at }) => at <= nowMs) })
      continue
    }
    const stepped = step(standing, incoming)
    standing = stepped.standing
    changed ||= stepped.changed
    results.push(stepped.result)
    for (const errand of stepped.errands) errands.push([errand, incoming.id])
  }
  return { results, standing, changed, errands, woken }
}

/** How an activation keeps its notes and does what its steps asked for. */
const makeHands = Effect.gen(function* () {
  const timers = yield* Timers
  const outbox = yield* Outbox
  const mesh = yield* Mesh
  return {
    expect: timers.expect,
    run: (errand: Errand, cause: string): Effect.Effect<void> => {
      if (errand.action === "publish") return Effect.ignore(mesh.publish(errand.subject, errand.data))
      if (outbox.post({ ...errand, cause })) return Effect.void
      return Effect.logWarning("not sent: the outbox is full", errand.to)
    }
  }
})

/** Starts an activation of an actor that was defined by steps. */
export const activate = Effect.fnUntraced(function* (plan: Plan, activation: Activation) {
  const { address, slot } = activation
  const who = { slot, slotEpoch: activation.slotEpoch, address }
  const hands = yield* makeHands
  const random = yield* Random.Random
  const clock = yield* Clock.Clock
  const note = yield* Invariants.noting
  const name = `${address.type}/${address.key}`

  const first = yield* fit(`initial state of ${name}`, plan.encodeState(plan.initial(address.key)))
  const keeping = plan.isDurable ? yield* keepDurable(plan, activation, first) : keepNowhere(activation, first)
  const state = yield* fit(`state of ${name}`, plan.decodeState(keeping.initial))
  const ledger = Ledger.make(keeping.book, plan.ledger)
  let standing: Standing = { state, encoded: keeping.initial, timers: keeping.book.timers }
  // what the notes of its slot say is not known: those who owned it before may have written it
  if (standing.timers.length > 0) yield* hands.expect(who, nextDue(standing))

  const step = (from: Standing, incoming: Incoming): Stepped => {
    const { budgetMs, id, message, own = false } = incoming
    const nowMs = clock.currentTimeMillisUnsafe()
    const details = () => ({ actor: name, epoch: keeping.epoch, message, id, budgetMs })
    note("startedInTime", budgetMs > 0, details)
    // one save makes its effect true and takes it away
    note("firedOnce", !own || !isDone(ledger, { id, nowMs }) || from.timers.every((timer) => timer.id !== id), details)
    return runStep(plan, from, ledger, {
      ...incoming,
      nowMs,
      key: address.key,
      epoch: keeping.epoch,
      random: () => random.nextDoubleUnsafe()
    })
  }

  /** Makes a lot true, and does what it asked for; once begun, both. */
  const commit = Effect.fnUntraced(function* ({ errands, standing: next }: Lot) {
    const [before, after] = [nextDue(standing), nextDue(next)]
    // an earlier note first: to be woken for nothing does no harm
    const isEarlier = after !== undefined && (before === undefined || after < before)
    if (plan.isDurable) {
      if (isEarlier) yield* hands.expect(who, after)
      yield* keeping.save(next.encoded, () => ({ ...ledger.record(), timers: next.timers }))
    }
    standing = next
    for (const [errand, cause] of errands) yield* hands.run(errand, cause)
    // one that could not be put off wakes the actor for nothing, and is put off then
    if (!isEarlier && before !== after) yield* Effect.ignore(hands.expect(who, after))
  }, Effect.uninterruptible)

  const handle = Effect.fnUntraced(function* (batch: ReadonlyArray<Incoming>) {
    const lot = runLot(standing, batch, { nowMs: clock.currentTimeMillisUnsafe(), step })
    // most lots of an actor whose state is not saved are true at once
    if (lot.changed && !plan.isDurable && lot.errands.length === 0) standing = lot.standing
    else if (lot.changed) yield* commit(lot)
    // a note that stands for nothing is taken back, or put off
    const due = nextDue(standing)
    if (lot.woken && (due === undefined || due > clock.currentTimeMillisUnsafe())) {
      yield* Effect.ignore(hands.expect(who, due))
    }
    return lot.results
  })
  return {
    epoch: keeping.epoch,
    batchMax,
    handle,
    peek: (incoming) =>
      plan.codecs.get(incoming.message)?.readOnly === true ? step(standing, incoming).result : undefined,
    bytes: keeping.bytes
  } satisfies Behavior
})
