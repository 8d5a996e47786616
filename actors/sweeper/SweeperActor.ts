/**
 * Who sees to it that what nothing names any more goes away?
 *
 * One actor of the whole cluster, so one host at a time. It is woken when it is time, works in a fiber of its own as
 * long as its activation lives, and saves now and then how far it is: the next owner goes on from there. That two
 * never sweep at once is thrift, and not what keeps anything safe: each deletion is right by itself.
 */
import { Clock, Effect, FiberHandle, Option, Schema } from "effect"
import * as Messages from "../../protocol/messages/Sweep.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { MalformedMessage } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import type { Activation, ActorType, Behavior } from "../../runtime/Actor.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import { Timers } from "../../runtime/DurableTimer.ts"
import { handler, on } from "../../runtime/handler.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import { randomId } from "../../runtime/randomId.ts"
import { wakeMessage } from "../../runtime/Resident.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as sweepRun from "./sweepRun.ts"
import type { SweepTerms } from "./sweepSeries.ts"

/** What is younger may yet be named by whoever put it. */
const ageMsDefault = 24 * 3_600_000
const graceMs = 3_600_000
/** How often progress is saved: what was done since is done again after a failover, to no effect. */
const saveEveryMs = 10_000
/** By whose word it begins where it is time. */
const itself = "seamless"

/** How a cluster sweeps. */
export interface SweeperOptions {
  /** How long roots count that no longer stand; infinite for ever. */
  readonly rootsMs: number
  /** How long it rests between two runs. */
  readonly everyMs: number
  /** Less than a day is for tests alone: what is put and not named yet would be taken away. */
  readonly ageMs?: number
}

const encodeReport = Schema.encodeUnknownOption(Messages.SweepReport)

const initial: Messages.SweeperState = { format: 1, run: null, last: null, nextAt: 0, swept: null }

/** What an activation has in its hands. */
interface Hands {
  readonly options: SweeperOptions
  readonly entries: ReadonlyArray<CatalogEntry>
  readonly state: ActorState.ActorState<Messages.SweeperState>
  readonly expect: (at: number) => Effect.Effect<void, Effect.Error<ReturnType<Timers["Service"]["expect"]>>>
  /** Begins to work, in the place of what is under way. */
  readonly work: (progress: sweepRun.Progress) => Effect.Effect<void>
  progress: sweepRun.Progress | undefined
  savedAtMs: number
}

const orderOf = ({ by, series }: Messages.SweepRun): SweepTerms["order"] => {
  if (by === itself) return "none"
  return series === null ? "all" : "one"
}

const termsOf = ({ entries, options, state }: Hands, run: Messages.SweepRun): SweepTerms => {
  const { ageMs = ageMsDefault, rootsMs } = options
  const { swept } = state.current()
  const order = orderOf(run)
  // who orders a sweep is told of all that there is
  const isKnown = order === "none" && rootsMs === Infinity && swept?.catalog === sweepRun.catalogOf(entries)
  const from = isKnown ? { chunks: swept.chunks + 1, pages: swept.pages + 1 } : { chunks: 1, pages: 1 }
  return { isDry: run.isDry, order, rootsMs, graceMs: ageMs < ageMsDefault ? 0 : graceMs, ageMs, from }
}

/** What the sweeper does now, and did last. */
const reportOf = ({ progress, state }: Hands): Messages.SweepReport => {
  const { last, nextAt, run } = state.current()
  return { run: progress?.run ?? run, last, nextAt }
}

const begin = Effect.fnUntraced(function* (hands: Hands, { by, isDry, series }: Messages.SweepOrder) {
  const nowMs = yield* Clock.currentTimeMillis
  const run: Messages.SweepRun = {
    id: yield* randomId,
    by,
    isDry,
    series,
    startedAt: nowMs,
    endedAt: null,
    seriesDone: 0,
    seriesTotal: sweepRun.wantedBy({ series }, hands.entries).length,
    tally: sweepRun.noTally,
    troubles: []
  }
  // the note first: no run is ever open without somebody to look after it
  yield* hands.expect(nowMs)
  const { swept } = hands.state.current()
  // where roots are not kept for ever, nothing stays known to be named
  yield* hands.state.save({ ...hands.state.current(), run, swept: hands.options.rootsMs === Infinity ? swept : null })
  hands.progress = sweepRun.begin(run)
  hands.savedAtMs = nowMs
  yield* hands.work(hands.progress)
  return run
})

const order = Effect.fnUntraced(function* (hands: Hands, wanted: Messages.SweepOrder) {
  const { run } = reportOf(hands)
  if (run !== null && hands.progress?.isOver !== true) {
    const { by, seriesDone, seriesTotal } = run
    return yield* new Messages.SweepUnderWay({ by, seriesDone, seriesTotal })
  }
  yield* conclude(hands)
  return yield* begin(hands, wanted)
})

/** Notes what a run that is over came to. */
const conclude = Effect.fnUntraced(function* ({ entries, options, progress, state }: Hands) {
  if (progress?.isOver !== true || state.current().run === null) return
  const nowMs = yield* Clock.currentTimeMillis
  const { nextAt, swept } = state.current()
  const last = { ...progress.run, endedAt: nowMs }
  const { by, isDry, tally, troubles } = last
  yield* Effect.logInfo("swept", { by, isDry, tally, troubles })
  yield* state.save({
    format: 1,
    run: null,
    last,
    nextAt: by === itself ? nowMs + options.everyMs : nextAt,
    swept: sweepRun.sweptBy(progress, swept, { entries, rootsMs: options.rootsMs })
  })
})

const wake = Effect.fnUntraced(function* (hands: Hands) {
  yield* conclude(hands)
  const nowMs = yield* Clock.currentTimeMillis
  const { nextAt, run } = hands.state.current()
  if (run === null) {
    hands.progress = undefined
    if (nowMs < nextAt) return yield* hands.expect(nextAt)
    yield* begin(hands, { by: itself, isDry: false, series: null })
    return
  }
  if (hands.progress === undefined) {
    // an earlier owner has begun it: which sequences it looked at is not known any more
    hands.progress = sweepRun.begin(run)
    yield* hands.work(hands.progress)
  }
  if (nowMs - hands.savedAtMs < saveEveryMs) return
  hands.savedAtMs = nowMs
  yield* hands.state.save({ ...hands.state.current(), run: hands.progress.run })
})

const openState = ({ address, owner, slot, slotEpoch }: Activation) =>
  ActorState.open({
    bucket: Stream.actors,
    key: ActorSubject.actorKey(address),
    slot,
    slotEpoch,
    owner,
    form: Messages.SweeperState,
    initial
  })

const makeHands = Effect.fnUntraced(function* (options: SweeperOptions, activation: Activation) {
  const { address, slot, slotEpoch } = activation
  const timers = yield* Timers
  const { all: entries } = yield* SeriesCatalog
  const state = yield* openState(activation)
  const fiber = yield* FiberHandle.make<void>()
  const context = yield* Effect.context<Mesh | ChunkStore>()
  const hands: Hands = {
    options,
    entries,
    state,
    expect: (at) => timers.expect({ slot, slotEpoch, address }, at),
    work: (progress) =>
      sweepRun.goOn(progress, sweepRun.wantedBy(progress.run, entries), termsOf(hands, progress.run)).pipe(
        Effect.catchDefect((defect) => Effect.sync(() => sweepRun.fail(progress, String(defect)))),
        Effect.provide(context),
        FiberHandle.run(fiber),
        Effect.asVoid
      ),
    progress: undefined,
    savedAtMs: 0
  }
  return hands
})

const activateWith = (options: SweeperOptions) =>
  Effect.fnUntraced(function* (activation: Activation) {
    const { address } = activation
    if (address.key !== Messages.sweeperKey) {
      return yield* new MalformedMessage({ what: `key ${JSON.stringify(address.key)}`, problem: "names no sweeper" })
    }
    const hands = yield* makeHands(options, activation)
    const { state } = hands
    const found = state.current()
    const nowMs = yield* Clock.currentTimeMillis
    // a cluster that is new has nothing to sweep for a while
    if (found.nextAt === 0) yield* state.save({ ...found, nextAt: nowMs + options.everyMs })
    yield* hands.expect(found.run === null ? state.current().nextAt : nowMs)
    return {
      ...handler(address, [
        on(Messages.orderMessage, (wanted) => order(hands, wanted)),
        on(Messages.showMessage, () => Effect.sync(() => reportOf(hands))),
        { name: wakeMessage, isTogether: false, handle: () => Effect.as(wake(hands), [{ body: null }]) }
      ]),
      epoch: state.epoch,
      bytes: state.bytes,
      peek: ({ message }) =>
        message === Messages.showMessage.name
          ? Option.getOrUndefined(Option.map(encodeReport(reportOf(hands)), (body) => ({ body })))
          : undefined
    } satisfies Behavior
  })

/** The type of the one sweeper. */
export const sweeperActor = (options: SweeperOptions): ActorType<Mesh | Timers | ChunkStore | SeriesCatalog> => ({
  name: Messages.orderMessage.actor,
  activate: activateWith(options)
})
