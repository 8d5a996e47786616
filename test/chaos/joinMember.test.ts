/**
 * Which slots move when a member comes or goes, and do any where none does?
 *
 * What each member should have is decided by its incarnation, and that by the seed: the counts are the same each time.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import { manifest } from "../../protocol/wire/Manifest.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import * as Slots from "../support/members/Slots.ts"
import { untilTrue } from "../support/untilTrue.ts"

const hostIds = ["a", "b", "c"]
const fourth = "d"
const idleFor = "10 seconds"
// a fourth of the slots, and three standard deviations of a fair draw to either side
const movedMin = 43
const movedMax = 85

const describeCounts = (view: Slots.SlotView): string =>
  Array.from(Slots.countByHost(view), ([hostId, count]) => `${hostId} ${count}`)
    .toSorted()
    .join(", ")

/** What members have done to their slots so far. */
const doings = (members: ReadonlyArray<MemberCluster.MemberProcess>) =>
  Effect.forEach(members, ({ hostId, report }) =>
    Effect.map(report, ({ counts: { claims, confirms, handovers } }) => ({ hostId, claims, confirms, handovers }))
  )

/** Waits until each member counts as many slots as it has: the last ones may be claimed and not be counted yet. */
const allCounted = (members: ReadonlyArray<MemberCluster.MemberProcess>, view: Slots.SlotView) =>
  untilTrue(
    "each member knows of its slots",
    Effect.map(doings(members), (done) =>
      done.every(({ claims, handovers, hostId }) => claims - handovers === Slots.heldBy(view, hostId).length)
    )
  )

describe("a cluster of three members", () => {
  it.live("moves a fair part of the slots to a fourth, and only its own when it leaves", () =>
    Effect.gen(function* () {
      const cluster = yield* MemberCluster.start({ hostIds, seed: "join" })
      const before = yield* cluster.slots
      const joiner = yield* cluster.startMember(fourth)
      yield* cluster.settled([...hostIds, fourth])
      const joined = yield* cluster.slots
      const moved = Slots.changed(before, joined)
      process.stdout.write(`${describeCounts(before)}; then ${describeCounts(joined)}; moved ${moved.length}\n`)
      assert.deepStrictEqual(moved, Slots.heldBy(joined, fourth), "slots that moved, and not to the fourth")
      assert.isAtLeast(moved.length, movedMin)
      assert.isAtMost(moved.length, movedMax)

      yield* joiner.stop
      yield* cluster.settled(hostIds)
      const left = yield* cluster.slots
      assert.deepStrictEqual(Slots.changed(joined, left), moved, "slots that moved, and were not the fourth's")
      assert.deepStrictEqual(describeCounts(left), describeCounts(before))
    })
  )

  it.live("does nothing to its slots while nothing happens", () =>
    Effect.gen(function* () {
      const { members, ...cluster } = yield* MemberCluster.start({ hostIds })
      const slots = yield* cluster.slots
      yield* allCounted(members, slots)
      const before = yield* doings(members)
      // that nothing comes can only be waited for
      yield* Effect.sleep(idleFor)
      assert.deepStrictEqual(yield* doings(members), before)
      const revisions = ({ records }: Slots.SlotView) => Array.from(records.values(), ({ revision }) => revision)
      assert.deepStrictEqual(revisions(yield* cluster.slots), revisions(slots))
    })
  )
})

describe("two members that start at the same moment", () => {
  it.live("own each slot once between them", () =>
    Effect.gen(function* () {
      const { members, ...cluster } = yield* MemberCluster.start({ hostIds: ["a", "b"] })
      const slots = yield* cluster.slots
      yield* allCounted(members, slots)
      assert.strictEqual(Slots.heldBy(slots, "a").length + Slots.heldBy(slots, "b").length, manifest.slotCount)
    })
  )
})
