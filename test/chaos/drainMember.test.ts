/**
 * Does nobody notice when a member is told to stop?
 *
 * A SIGTERM under constant load: every ask is answered within two seconds, and each slot is with its new owner in a
 * blink.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import { withBudget } from "../../runtime/Deadline.ts"
import * as ActorHistory from "../support/ActorHistory.ts"
import * as Load from "../support/members/Load.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { recordedCommits } from "../support/members/recordedCommits.ts"
import * as Slots from "../support/members/Slots.ts"
import { describeSpread } from "../support/members/spread.ts"
import { Saved } from "../support/members/testActors.ts"
import { untilTrue } from "../support/untilTrue.ts"

const actors = 1000
const asksPerSecond = 500
const budgetMs = 2000
const handoverMsMax = 250

const refs = Array.from({ length: actors }, (_, index) => Saved.ref(`k${index}`))

/** What became of the asks of a load. */
interface Seen {
  readonly tookMs: Array<number>
  readonly failures: Array<string>
}

const askOne = (index: number, { failures, tookMs }: Seen) =>
  Effect.suspend(() => {
    const askedMs = performance.now()
    return Effect.match(refs[index % actors]!.ask("add", { by: 1 }), {
      onFailure: ({ message }) => void failures.push(message),
      onSuccess: () => void tookMs.push(performance.now() - askedMs)
    })
  }).pipe(withBudget(budgetMs))

const stopUnderLoad = Effect.gen(function* () {
  const cluster = yield* MemberCluster.start()
  return yield* Effect.gen(function* () {
    const seen: Seen = { tookMs: [], failures: [] }
    // each actor lives when the member leaves: moving those that live is what takes time
    yield* Effect.forEach(refs, (_, index) => askOne(index, seen), { concurrency: 64 })
    const load = yield* Load.start(asksPerSecond, (index) => askOne(index, seen))
    const answered = (count: number) =>
      untilTrue(
        `${count} asks have ended`,
        Effect.sync(() => seen.tookMs.length + seen.failures.length >= count)
      )
    yield* answered(actors + 2 * asksPerSecond)
    const before = seen.tookMs.length
    const [leaver, ...others] = cluster.members
    const slots = Slots.heldBy(yield* cluster.slots, leaver!.hostId).length
    const reported = yield* leaver!.report
    const stoppedMs = performance.now()
    yield* leaver!.stop
    const leaveMs = performance.now() - stoppedMs
    const final = leaver!.final()!
    yield* cluster.settled(others.map(({ hostId }) => hostId))
    yield* answered(load.begun() + actors)
    yield* load.stop
    const commits = yield* recordedCommits(cluster.nc)
    process.stdout.write(
      `${[
        describeSpread("asks before", seen.tookMs.slice(actors, before)),
        describeSpread("asks since", seen.tookMs.slice(before)),
        `${slots} slots, left in ${leaveMs.toFixed(0)} ms; longest handover ${final.counts.handoverMsMax.toFixed(0)} ms` +
          `, before the end ${reported.counts.handoverMsMax.toFixed(0)} ms`
      ].join("\n")}\n`
    )
    return { commits, final, reported, seen, slots }
  }).pipe(Effect.provide(cluster.caller))
})

describe("SIGTERM of one of three members under constant load", () => {
  it.live("no caller sees an error within 2 s, and each handover takes less than 250 ms", () =>
    Effect.gen(function* () {
      const { commits, final, reported, seen, slots } = yield* stopUnderLoad
      assert.deepStrictEqual(seen.failures, [])
      assert.strictEqual(final.state, "drained")
      assert.strictEqual(final.counts.handovers - reported.counts.handovers, slots)
      assert.isBelow(final.counts.handoverMsMax, handoverMsMax)
      assert.deepStrictEqual(ActorHistory.violations(commits), [])
    })
  )
})
