/**
 * Who sees to it that no bar is served that is made of what is not so any more?
 *
 * One actor for each derived series. Once it was told to follow it is woken once a second, on whichever host it is by
 * then, and takes over what has changed below. How far that was is its state, and saved behind what it did: who dies in
 * between does it again.
 */
import { Clock, Effect, Option, Schema } from "effect"
import type { Coverage } from "../../protocol/messages/Coverage.ts"
import { Following, followMessage } from "../../protocol/messages/Derived.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { MalformedMessage, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { Activation, ActorType, Behavior } from "../../runtime/Actor.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import type { ActorSystem } from "../../runtime/ActorSystem.ts"
import { Timers } from "../../runtime/DurableTimer.ts"
import { handler, on } from "../../runtime/handler.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import { wakeMessage } from "../../runtime/Resident.ts"
import { type CatalogEntry, SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { begin, followChanges, type Pair } from "./followChanges.ts"

/** The state: null until somebody has it follow. */
const State = Schema.NullOr(Following)
type State = typeof State.Type

/** Steps at one wake: a long history is taken over bit by bit. */
const stepsMax = 10

/** What an activation has in its hands. */
interface Hands {
  readonly key: string
  /** None where the configuration has no such series any more. */
  readonly pair: Option.Option<Pair>
  readonly state: ActorState.ActorState<State>
  readonly expect: (at: number | undefined) => Effect.Effect<void, MeshUnavailable>
  /** Whether it has not looked yet in this life. */
  isFresh: boolean
}

const unread = ({ message }: { readonly message: string }) =>
  new MeshUnavailable({ operation: "read what it is made of", reason: message })

const entryIn = (key: string) =>
  Effect.gen(function* () {
    const { interval, nodeId } = yield* Effect.fromOption(Subject.parseSeries(key))
    return yield* (yield* SeriesCatalog).find(nodeId, interval)
  })

const finerOf = ({ derivedFrom, series }: CatalogEntry) =>
  Effect.flatMap(SeriesCatalog, ({ find }) => find(series.nodeId, derivedFrom ?? ""))

const pairOf = (key: string) =>
  Effect.option(
    Effect.flatMap(entryIn(key), (entry) => Effect.map(finerOf(entry), (finer): Pair => ({ entry, finer })))
  )

const follow = Effect.fnUntraced(function* ({ expect, key, pair, state }: Hands) {
  const standing = state.current()
  if (standing !== null) return { version: standing.version }
  if (Option.isNone(pair))
    return yield* new MalformedMessage({ what: `key ${key}`, problem: "names no derived series" })
  const begun = yield* Effect.mapError(begin(pair.value), unread)
  // the note first: none ever follows without somebody to wake it
  yield* expect(yield* Clock.currentTimeMillis)
  yield* state.save(begun)
  return { version: begun.version }
})

/** One step; none where it could not be done: it is when the actor is woken again. */
const step = (hands: Hands, pair: Pair, before: Following) =>
  followChanges(pair, before, hands.isFresh).pipe(
    Effect.tapError(({ message: reason }) =>
      Effect.logWarning("changes not taken over yet", { series: hands.key, reason })
    ),
    Effect.option
  )

/** Goes on from what was saved, a step at a time. */
const goOn = Effect.fnUntraced(function* (hands: Hands, pair: Pair) {
  for (let steps = 0; steps < stepsMax; steps++) {
    const before = hands.state.current()
    if (before === null) return
    const after = yield* step(hands, pair, before)
    if (Option.isNone(after)) return
    hands.isFresh = false
    if (after.value === before) return
    yield* hands.state.save(after.value)
  }
})

const wake = Effect.fnUntraced(function* (hands: Hands) {
  const { expect, pair, state } = hands
  if (state.current() === null || Option.isNone(pair)) return yield* expect(undefined)
  yield* goOn(hands, pair.value)
})

const openState = ({ address, owner, slot, slotEpoch }: Activation) =>
  ActorState.open({
    bucket: Stream.actors,
    key: ActorSubject.actorKey(address),
    slot,
    slotEpoch,
    owner,
    form: State,
    initial: null
  })

const activate = Effect.fnUntraced(function* (activation: Activation) {
  const { address, slot, slotEpoch } = activation
  const timers = yield* Timers
  const provide = Effect.provide(yield* Effect.context<Coverage | Mesh | SeriesCatalog | ActorSystem>())
  const state = yield* openState(activation)
  const hands: Hands = {
    key: address.key,
    pair: yield* pairOf(address.key),
    state,
    expect: (at) => timers.expect({ slot, slotEpoch, address }, at),
    isFresh: true
  }
  if (state.current() !== null) yield* hands.expect(yield* Clock.currentTimeMillis)
  return {
    ...handler(address, [
      on(followMessage, () => provide(follow(hands))),
      { name: wakeMessage, isTogether: false, handle: () => Effect.as(provide(wake(hands)), [{ body: null }]) }
    ]),
    epoch: state.epoch,
    bytes: state.bytes
  } satisfies Behavior
})

/** The type of the actors that follow what derived series are made of; their keys are series keys. */
export const derivedActorType: ActorType<Mesh | Timers | Coverage | SeriesCatalog | ActorSystem> = {
  name: followMessage.actor,
  activate
}
