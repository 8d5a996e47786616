/**
 * How soon does every actor answer again when its member is killed, and does one writer follow the other?
 *
 * The kill comes just after the member's session was renewed: never does it take longer until the others may know.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import process from "node:process"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import type { ActorSystem } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { sessionTtlSeconds } from "../../cluster/Touch.ts"
import * as ActorHistory from "../support/ActorHistory.ts"
import * as Load from "../support/members/Load.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { recordedCommits } from "../support/members/recordedCommits.ts"
import * as Slots from "../support/members/Slots.ts"
import { describeSpread, quantile } from "../support/members/spread.ts"
import { Saved } from "../support/members/testActors.ts"
import { untilTrue } from "../support/untilTrue.ts"

const actors = 1000
const asksPerSecond = 500
const budgetMs = 10_000
const recoveredWithinMs = sessionTtlSeconds * 1000 + 500

const refs = Array.from({ length: actors }, (_, index) => Saved.ref(`k${index}`))
const refAt = (index: number) => refs[index % actors]!

/** An ask that was answered: when it was sent, and when it was answered. */
interface Answered {
  readonly askedMs: number
  readonly answeredMs: number
}

const askOne = (index: number): Effect.Effect<Answered, never, ActorSystem> =>
  Effect.gen(function* () {
    const askedMs = performance.now()
    yield* refAt(index).ask("add", { by: 1 })
    return { askedMs, answeredMs: performance.now() }
  }).pipe(withBudget(budgetMs), Effect.orDie)

const askAll = Effect.forEach(
  refs.map((_, index) => index),
  askOne,
  { concurrency: "unbounded" }
)

/** When it is announced that a member's session was renewed or has ended, and that slots have changed. */
const watchAnnouncements = Effect.fnUntraced(function* (incarnation: string) {
  const mesh = yield* Mesh
  const renewed = Deferred.makeUnsafe<void>()
  const seen = { endedMs: 0, slotsMs: new Array<number>() }
  yield* mesh.subscribe(Announcement.changed("sessions"), ({ data, subject }) => {
    if (!subject.endsWith(`.${incarnation}`)) return
    if (data.length === 0) seen.endedMs = performance.now()
    else Deferred.doneUnsafe(renewed, Effect.void)
  })
  yield* mesh.subscribe(Announcement.changed("slots"), () => void seen.slotsMs.push(performance.now()))
  return { renewal: Deferred.await(renewed), seen }
})

const killUnderLoad = Effect.gen(function* () {
  const cluster = yield* MemberCluster.start()
  return yield* Effect.gen(function* () {
    yield* askAll
    const answered: Array<Answered> = []
    const load = yield* Load.start(asksPerSecond, (index) =>
      Effect.map(askOne(index), (one) => void answered.push(one))
    )
    yield* untilTrue(
      "the load has been answered for a while",
      Effect.sync(() => answered.length >= 2 * asksPerSecond)
    )
    const before = yield* cluster.slots
    const victim = cluster.members[0]!
    const { incarnation } = before.live.find(({ hostId }) => hostId === victim.hostId)!
    const { renewal, seen } = yield* watchAnnouncements(incarnation)
    yield* renewal
    const killedMs = performance.now()
    yield* victim.kill
    const since = (times: ReadonlyArray<number>) => times.map((time) => time - killedMs)
    const first = yield* askAll
    const firstMs = since(first.map(({ answeredMs }) => answeredMs))
    const victims = firstMs.filter((_, index) => Slots.homeOf(before, refAt(index).address) === victim.hostId)
    yield* load.stop
    const loadMs = answered.filter(({ askedMs }) => askedMs >= killedMs).map((one) => one.answeredMs - one.askedMs)
    const commits = yield* recordedCommits(cluster.nc)
    process.stdout.write(
      `${[
        describeSpread("from the kill to the answer, actors of the victim", victims),
        describeSpread("from the kill to the answer, all actors", firstMs),
        describeSpread("from the ask to the answer, load since the kill", loadMs),
        describeSpread("from the kill to the claim of a slot", since(seen.slotsMs)),
        `from the kill to the end of the session: ${since([seen.endedMs])[0]?.toFixed(0)} ms; ${commits.length} commits`
      ].join("\n")}\n`
    )
    return { victims, all: firstMs, begun: load.begun(), answered: answered.length, commits }
  }).pipe(Effect.provide(cluster.caller))
})

describe("kill -9 of one of three members under constant load", () => {
  it.live("every actor answers again within the time to live and half a second, with one writer per epoch", () =>
    Effect.gen(function* () {
      const { all, answered, begun, commits, victims } = yield* killUnderLoad
      assert.isAtLeast(victims.length, actors / 6)
      assert.isAtMost(quantile(victims, 0.99), recoveredWithinMs)
      assert.isAtMost(quantile(all, 0.99), recoveredWithinMs)
      assert.strictEqual(answered, begun, "asks of the load that were never answered")
      assert.deepStrictEqual(ActorHistory.violations(commits), [])
    })
  )
})
