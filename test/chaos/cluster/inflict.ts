/** How is each fault done to a cluster, and undone? */
import { Effect } from "effect"
import { seededNumbers } from "../../support/seededOrder.ts"
import { type Bottle, isAlive, type MemberSlot, serverName, type Ways } from "./Bottle.ts"
import { drawer, type Fault, type Track, type WayFault } from "./Fault.ts"
import { didNotStop, diedByItself, type History } from "./History.ts"

/** Of the packets; more, and nothing gets through at all. */
const lossShare = 0.1
/** Each way; a round trip takes twice that. */
const latencyMs = 60

/** What a fault may do to a process. */
interface Victim {
  readonly name: string
  readonly kill: Effect.Effect<void>
  readonly stop: Effect.Effect<void>
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

// then it is killed
const stopWithinMs = 10_000

const memberVictim = ({ current, name, start }: MemberSlot, history: History): Victim => {
  /** Does it to the process of now, which should still be there. */
  const toCurrent = (verb: "kill" | "stop" | "freeze" | "thaw") =>
    Effect.suspend(() => {
      if (!isAlive(current().pid)) history.event(diedByItself, name)
      return current()[verb]
    })
  const stop = Effect.suspend(() => {
    const beganMs = history.nowMs()
    return Effect.tap(toCurrent("stop"), () =>
      Effect.sync(() => {
        if (history.nowMs() - beganMs >= stopWithinMs) history.event(didNotStop, name)
      })
    )
  })
  return { name, start, stop, kill: toCurrent("kill"), freeze: toCurrent("freeze"), thaw: toCurrent("thaw") }
}

const victimsOf = ({ members, servers }: Bottle, history: History, track: Track): ReadonlyArray<Victim> =>
  track === "member"
    ? members.map((member) => memberVictim(member, history))
    : servers.map((server, index) => ({ ...server, name: serverName(index) }))

const toAll = ({ proxies }: Ways, verb: (proxy: Ways["proxies"][number]) => Effect.Effect<void>) =>
  Effect.forEach(proxies, verb, { discard: true })

/** How a fault of a way begins. */
const impair = (ways: Ways, kind: WayFault, seed: number): Effect.Effect<void> => {
  switch (kind) {
    case "cut":
      return toAll(ways, ({ cut }) => cut)
    case "cutToServer":
      return toAll(ways, ({ cutOneWay }) => cutOneWay("toServer"))
    case "cutToClient":
      return toAll(ways, ({ cutOneWay }) => cutOneWay("toClient"))
    case "halfOpen":
      return toAll(ways, ({ halfOpen }) => halfOpen)
    case "reset":
      return toAll(ways, ({ reset }) => reset)
    case "refuse":
      return toAll(ways, ({ refuse, reset }) => Effect.andThen(refuse, reset))
    case "loss":
      return toAll(ways, ({ lose }) => lose(lossShare, seededNumbers(seed)))
    case "latency":
      return toAll(ways, ({ delay }) => delay(latencyMs))
  }
}

/** Undoes whatever was done to a way; what waited passes. */
const mend = (ways: Ways): Effect.Effect<void> =>
  toAll(ways, (proxy) => Effect.all([proxy.restore(), proxy.delay(0), proxy.lose(0)], { discard: true }))

/** One fault, from its beginning until its victim has recovered. */
const inflictOne = (bottle: Bottle, history: History, { forMs, kind, target, track }: Fault): Effect.Effect<void> => {
  const victims = track === "way" ? [] : victimsOf(bottle, history, track)
  const lasting = (name: string, begin: Effect.Effect<void>, end: Effect.Effect<void>) =>
    history.fault({ track, kind, lane: name }, begin.pipe(Effect.andThen(Effect.sleep(forMs)), Effect.andThen(end)))
  const victim = victims[target]
  const other = victims[(target + 1) % victims.length]
  switch (kind) {
    case "outage":
      return Effect.all(
        [victim!, other!].map(({ freeze, name, thaw }) => lasting(name, freeze, thaw)),
        { concurrency: 2, discard: true }
      )
    case "kill":
      return lasting(victim!.name, victim!.kill, victim!.start)
    case "freeze":
      return lasting(victim!.name, victim!.freeze, victim!.thaw)
    case "roll":
      return Effect.forEach(
        victims,
        ({ name, start, stop }) => history.fault({ track, kind, lane: name }, Effect.andThen(stop, start)),
        { discard: true }
      )
    default: {
      const ways = bottle.ways[target]!
      return lasting(`ways of ${ways.name}`, impair(ways, kind, forMs), mend(ways))
    }
  }
}

/** Inflicts the faults of a track until it is time to end, and a last one to its end. */
export const inflictTrack = Effect.fnUntraced(function* (
  {
    bottle,
    history,
    seed,
    untilMs
  }: {
    readonly bottle: Bottle
    readonly history: History
    readonly seed: number
    readonly untilMs: number
  },
  track: Track
) {
  const draw = drawer(track, seed)
  for (let fault = draw(); history.nowMs() + fault.afterMs < untilMs; fault = draw()) {
    // the moments are what is random
    yield* Effect.sleep(fault.afterMs)
    yield* inflictOne(bottle, history, fault)
  }
})
