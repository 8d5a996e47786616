/**
 * Does a cluster that loses its NATS server, or the way to it, stand still without harm and go on by itself?
 *
 * Members and the caller reach the server through proxies, each by its own; the test looks at it directly.
 */
import { jetstreamManager } from "@nats-io/jetstream"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Member from "../../cluster/Member.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import * as ActorHistory from "../support/ActorHistory.ts"
import * as Load from "../support/members/Load.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { recordedCommits } from "../support/members/recordedCommits.ts"
import * as Slots from "../support/members/Slots.ts"
import { Saved } from "../support/members/testActors.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const hostIds = ["a", "b", "c"]
const actors = 100
const asksPerSecond = 200
const budgetMs = { min: 50, max: 2000 }
/** What a request may outlive its deadline by, beyond what the timers of its process are late. */
const graceMs = 50
/** Within which everything works again. */
const recoveredWithinMs = 10_000

/** What became of the asks of one actor. */
interface Counted {
  begun: number
  answered: number
}

/** How late the timers of this process are, all the time: the worst so far. */
const watchTimers = Effect.gen(function* () {
  let lateMsMax = 0
  yield* Effect.gen(function* () {
    const startedMs = performance.now()
    yield* Effect.sleep("10 millis")
    lateMsMax = Math.max(lateMsMax, performance.now() - startedMs - 10)
  }).pipe(Effect.forever, Effect.forkScoped)
  return () => lateMsMax
})

/** Asks all the time, whatever happens, with budgets that the seed decides. */
const startAsking = Effect.fnUntraced(function* (caller: MemberCluster.Caller, seed: number) {
  const counted = Array.from({ length: actors }, (): Counted => ({ begun: 0, answered: 0 }))
  const next = seededNumbers(seed)
  const timersLateMs = yield* watchTimers
  let overMsMax = -Infinity
  const load = yield* Load.start(asksPerSecond, (index) =>
    Effect.suspend(() => {
      const actor = index % actors
      const budget = budgetMs.min + next() * (budgetMs.max - budgetMs.min)
      const startedMs = performance.now()
      counted[actor]!.begun += 1
      return Saved.ref(`k${actor}`)
        .ask("add", { by: 1 })
        .pipe(
          withBudget(budget),
          Effect.match({ onFailure: () => undefined, onSuccess: () => void (counted[actor]!.answered += 1) }),
          Effect.tap(
            Effect.sync(() => {
              overMsMax = Math.max(overMsMax, performance.now() - startedMs - budget)
            })
          )
        )
    }).pipe(Effect.provide(caller))
  )
  return { stop: load.stop, begun: load.begun, counted, overMsMax: () => overMsMax, timersLateMs }
})

const start = Effect.fnUntraced(function* (seed: string) {
  const proxies = new Map<string, TcpProxy.TcpProxy>()
  const addressFor = Effect.fnUntraced(function* (name: string, { port }: { readonly port: number }) {
    const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port })
    proxies.set(name, proxy)
    return proxy.url
  })
  const cluster = yield* MemberCluster.start({ hostIds, seed, addressFor })
  const servers = yield* addressFor("caller", cluster.server)
  const far: MemberCluster.Caller = yield* Effect.orDie(Layer.build(Layer.fresh(Member.callerLayer({ servers }))))
  return { ...cluster, far, proxies }
})

type Started = Effect.Success<ReturnType<typeof start>>

const vainKeys = Array.from({ length: actors }, (_, index) => `vain${index}`)

/** Asks each of these actors once, one after another, with a budget that ends before the outage does. */
const askInVain = (caller: MemberCluster.Caller) =>
  Effect.forEach(
    vainKeys,
    (key) => Effect.ignore(withBudget(250)(Saved.ref(key).ask("add", { by: 1 }))),
    // some of them before anyone has noticed the outage, and some after that
    { concurrency: 4, discard: true }
  ).pipe(Effect.provide(caller))

/** Adds nothing, and waits for the answer of each actor; gives how long the last one took. */
const untilAllAnswer = (caller: MemberCluster.Caller) =>
  Effect.gen(function* () {
    const startedMs = performance.now()
    yield* Effect.forEach(
      Array.from({ length: actors }, (_, index) => index),
      (index) => Effect.retry(withBudget(1000)(Saved.ref(`k${index}`).ask("add", { by: 0 })), { times: 60 }),
      { concurrency: "unbounded", discard: true }
    )
    return performance.now() - startedMs
  }).pipe(Effect.orDie, Effect.provide(caller))

/** Waits until each actor has answered so many of the asks, from now on. */
const untilAnswered = (counted: ReadonlyArray<Counted>, more: number) =>
  Effect.suspend(() => {
    const before = counted.map(({ answered }) => answered)
    return untilTrue(
      "asks are answered",
      Effect.sync(() => counted.every(({ answered }, index) => answered >= before[index]! + more))
    )
  })

const states = ({ members }: Pick<Started, "members">) =>
  Effect.forEach(members, (member) => Effect.map(member.report, ({ state }) => state))

const counts = ({ members }: Pick<Started, "members">) =>
  Effect.map(
    Effect.forEach(members, (member) => member.report),
    (reports) => ({
      claims: reports.map((report) => report.counts?.claims ?? 0),
      confirms: reports.reduce((sum, report) => sum + (report.counts?.confirms ?? 0), 0)
    })
  )

/** The last revision of each bucket that members write, but for their sessions, which end by themselves. */
const written = ({ nc }: Pick<Started, "nc">) =>
  Effect.promise(async () => {
    const manager = await jetstreamManager(nc)
    const buckets = [Stream.actors, Stream.slots, Stream.timers]
    return Promise.all(buckets.map(async ({ name }) => (await manager.streams.info(name)).state.last_seq))
  })

const untilAll = (cluster: Started, state: "serving" | "suspended") =>
  untilTrue(
    `all members are ${state}`,
    Effect.map(states(cluster), (all) => all.every((one) => one === state)),
    recoveredWithinMs
  )

/** What an actor says of itself to a caller that was in touch all the time. */
const stateOf = ({ caller }: Pick<Started, "caller">, key: string) =>
  Effect.orDie(Saved.ref(key).ask("get", null)).pipe(Effect.provide(caller))

/** Each actor has counted what was answered, and no more than was asked; nothing was written by two at once. */
const assertCorrect = Effect.fnUntraced(function* (cluster: Started, counted: ReadonlyArray<Counted>) {
  for (const [index, { answered, begun }] of counted.entries()) {
    const { count } = yield* stateOf(cluster, `k${index}`)
    assert.isAtLeast(count, answered, `k${index}`)
    assert.isAtMost(count, begun, `k${index}`)
  }
  assert.deepStrictEqual(ActorHistory.violations(yield* recordedCommits(cluster.nc)), [])
})

const assertPunctual = Effect.fnUntraced(function* (asking: Effect.Success<ReturnType<typeof startAsking>>) {
  const answered = asking.counted.reduce((sum, one) => sum + one.answered, 0)
  const overMs = Math.round(asking.overMsMax())
  const timersLateMs = Math.round(asking.timersLateMs())
  yield* Effect.logInfo("asks", { begun: asking.begun(), answered, overMs, timersLateMs })
  assert.isAtMost(overMs, timersLateMs + graceMs)
})

describe("an outage", () => {
  it.live("of the server, killed and started again, moves no slot, and all goes on within seconds (seed 1)", () =>
    Effect.gen(function* () {
      const cluster = yield* start("restart")
      const { far, server } = cluster
      yield* untilAllAnswer(far)
      const [before, countsBefore] = [yield* cluster.slots, yield* counts(cluster)]
      const asking = yield* startAsking(far, 1)
      yield* untilAnswered(asking.counted, 3)
      // longer than a session lasts without renewal
      yield* server.kill
      yield* untilAll(cluster, "suspended")
      yield* Effect.sleep("2 seconds")
      yield* server.start
      const restoredMs = performance.now()
      const answeredMs = yield* untilAllAnswer(far)
      yield* untilAll(cluster, "serving")
      yield* Effect.logInfo("after a restart", { answeredMs, servingMs: performance.now() - restoredMs })
      assert.isBelow(answeredMs, recoveredWithinMs)
      yield* untilAnswered(asking.counted, 3)
      yield* asking.stop
      yield* assertPunctual(asking)
      assert.deepStrictEqual(Slots.changed(before, yield* cluster.slots), [])
      assert.deepStrictEqual((yield* counts(cluster)).claims, countsBefore.claims)
      yield* assertCorrect(cluster, asking.counted)
    })
  )

  it.live("of the way to it, for 10 s: nothing is written, and no slot moves, nor does any ask outlive its time", () =>
    Effect.gen(function* () {
      const cluster = yield* start("cut")
      const { far, proxies } = cluster
      yield* untilAllAnswer(far)
      const [before, countsBefore] = [yield* cluster.slots, yield* counts(cluster)]
      const asking = yield* startAsking(far, 2)
      yield* untilAnswered(asking.counted, 5)
      const cutMs = performance.now()
      yield* Effect.forEach(proxies.values(), ({ cut }) => cut)
      yield* Effect.forkScoped(askInVain(far))
      // what was on its way is there
      const writtenAtCut = yield* written(cluster)
      yield* untilAll(cluster, "suspended")
      yield* Effect.logInfo("all suspended", { afterMs: performance.now() - cutMs })
      yield* Effect.sleep(10_000 - (performance.now() - cutMs))
      assert.deepStrictEqual(yield* written(cluster), writtenAtCut)
      yield* Effect.forEach(proxies.values(), ({ restore }) => restore())
      const restoredMs = performance.now()
      const answeredMs = yield* untilAllAnswer(far)
      yield* untilAll(cluster, "serving")
      yield* Effect.logInfo("after the cut", { answeredMs, servingMs: performance.now() - restoredMs })
      assert.isBelow(answeredMs, recoveredWithinMs)
      yield* untilAnswered(asking.counted, 5)
      yield* asking.stop
      yield* assertPunctual(asking)
      for (const key of vainKeys) assert.strictEqual((yield* stateOf(cluster, key)).count, 0, key)
      assert.deepStrictEqual(Slots.changed(before, yield* cluster.slots), [])
      assert.deepStrictEqual((yield* counts(cluster)).claims, countsBefore.claims)
      yield* assertCorrect(cluster, asking.counted)
    })
  )

  it.live("of one member's way: the others take its slots over, it comes back, and no two ever write as one", () =>
    Effect.gen(function* () {
      const cluster = yield* start("alone")
      const { caller, members, proxies } = cluster
      yield* untilAllAnswer(caller)
      const before = yield* cluster.slots
      const victimSlots = Slots.heldBy(before, "b")
      const asking = yield* startAsking(caller, 3)
      yield* proxies.get("b")!.cut
      const cutMs = performance.now()
      yield* untilTrue(
        "the others have its slots",
        Effect.map(cluster.slots, (view) => Slots.heldBy(view, "b").length === 0 && Slots.isSpread(["a", "c"])(view)),
        20_000
      )
      yield* Effect.logInfo("taken over", { afterMs: performance.now() - cutMs, slots: victimSlots.length })
      assert.strictEqual((yield* members[1]!.report).state, "suspended")
      yield* untilAllAnswer(caller)
      const restoredMs = performance.now()
      yield* proxies.get("b")!.restore()
      yield* cluster.settled(hostIds)
      yield* Effect.logInfo("rejoined", { afterMs: performance.now() - restoredMs })
      yield* untilAnswered(asking.counted, 3)
      yield* asking.stop
      yield* assertPunctual(asking)
      const after = yield* cluster.slots
      // over to another and back again, and nothing else
      assert.deepStrictEqual(Slots.changed(before, after), victimSlots)
      for (const slot of victimSlots) {
        assert.strictEqual(after.records.get(slot)!.slotEpoch, before.records.get(slot)!.slotEpoch + 2)
      }
      yield* assertCorrect(cluster, asking.counted)
    })
  )
})
