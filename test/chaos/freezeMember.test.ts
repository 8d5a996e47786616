/**
 * Can a member that stood still for too long still write what it was about to?
 *
 * It is frozen in the middle of a message, and thawed when another has taken its actor. Whether the server has hung up
 * on it by then or not, its save must take no effect; and it takes part again.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import process from "node:process"
import { sessionTtlSeconds } from "../../cluster/Touch.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { ask } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import * as ActorHistory from "../support/ActorHistory.ts"
import type { NatsServerSettings } from "../support/NatsServer.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { lastRecords, recordedCommits, type RecordedCommit } from "../support/members/recordedCommits.ts"
import * as Slots from "../support/members/Slots.ts"
import { hold } from "../support/members/testActors.ts"
import { untilTrue } from "../support/untilTrue.ts"

const askHold = ask(hold)

const heldForMs = 1500
const budgetMs = 10_000
const ttlMs = sessionTtlSeconds * 1000

const hostIds = ["a", "b", "c"]
const [victimId] = hostIds as [string]

const addressOf = (key: string) => ({ type: hold.actor, key })

/** Two keys whose actors live with the victim. */
const keysAt = (view: Slots.SlotView): readonly [string, string] => {
  const keys = Array.from({ length: 100 }, (_, index) => `h${index}`)
  const [first, second] = keys.filter((key) => Slots.homeOf(view, addressOf(key)) === victimId)
  return [first!, second!]
}

const stateOf = (commits: ReadonlyArray<RecordedCommit>, key: string) =>
  lastRecords(commits).get(ActorSubject.actorKey(addressOf(key)))

/** Freezes the victim in the middle of a message until another member has answered for its actor; gives the key. */
const freezeInTheMiddle = Effect.fnUntraced(function* (cluster: MemberCluster.MemberCluster) {
  const victim = cluster.members[0]!
  const [key, other] = keysAt(yield* cluster.slots)
  assert.strictEqual((yield* askHold(key, { forMs: 0 })).held, 1)
  // its time is over before another member can have it: nobody sends it there
  const held = yield* askHold(key, { forMs: heldForMs }).pipe(
    withBudget(heldForMs),
    Effect.exit,
    Effect.forkChild({ startImmediately: true })
  )
  // it came on the same way: what was sent before it has arrived, too
  yield* askHold(other, { forMs: 0 })
  yield* victim.freeze
  const frozenMs = performance.now()
  assert.isTrue(Exit.isFailure(yield* Fiber.join(held)))
  const { held: count } = yield* askHold(key, { forMs: 0 }).pipe(withBudget(budgetMs))
  assert.strictEqual(count, 2, "the new owner goes on from what was saved")
  yield* untilTrue(
    "it was frozen for longer than a session lasts",
    Effect.sync(() => performance.now() - frozenMs > ttlMs)
  )
  return { key, victim }
})

/** Freezes, thaws, and waits until the victim has its slots again; gives all that was committed. */
const freezeAndThaw = Effect.fnUntraced(function* (
  server: NatsServerSettings,
  thawed: (victim: MemberCluster.MemberProcess) => Effect.Effect<void>
) {
  const cluster = yield* MemberCluster.start({ server })
  return yield* Effect.gen(function* () {
    const { key, victim } = yield* freezeInTheMiddle(cluster)
    yield* victim.thaw
    yield* thawed(victim)
    yield* cluster.settled(hostIds)
    const commits = yield* recordedCommits(cluster.nc)
    const { held } = yield* askHold(key, { forMs: 0 }).pipe(withBudget(budgetMs))
    const view = yield* cluster.slots
    return { key, commits, held, report: yield* victim.report, view, home: Slots.homeOf(view, addressOf(key)) }
  }).pipe(Effect.provide(cluster.caller))
})

const assertUnharmed = ({ commits, held, home, key, report }: Effect.Success<ReturnType<typeof freezeAndThaw>>) => {
  assert.deepStrictEqual(stateOf(commits, key)?.state, { held: 2 }, "what the new owner saved, and nothing since")
  assert.deepStrictEqual(ActorHistory.violations(commits), [])
  assert.strictEqual(report.state, "serving")
  assert.strictEqual(home, victimId, "the victim has its slot again")
  assert.strictEqual(held, 3, "and goes on with its actor")
}

describe("SIGSTOP of one of three members for longer than its session lasts", () => {
  it.live("its next save is fenced and takes no effect, where its connection outlives the freeze", () =>
    Effect.gen(function* () {
      const after = yield* freezeAndThaw({ pingInterval: "60s" }, (victim) =>
        untilTrue(
          "its save was fenced",
          Effect.map(victim.report, ({ counts }) => counts.fenced >= 1)
        )
      )
      assertUnharmed(after)
    })
  )

  it.live("what it had in hand takes no effect, where the server has hung up on it", () =>
    Effect.gen(function* () {
      const after = yield* freezeAndThaw({}, () => Effect.void)
      process.stdout.write(`fenced: ${after.report.counts.fenced}\n`)
      assertUnharmed(after)
    })
  )
})
