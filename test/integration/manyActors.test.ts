/** Does a member have room for more actors than it can hold at once, and forget nothing of them? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { Saved } from "../support/members/testActors.ts"
import { seededOrder } from "../support/seededOrder.ts"

const actors = 100_000
const residentsMax = 5000
/** Asks under way at once: so many actors at most are busy. */
const busyMax = 256
const checked = 20_000
const megabyte = 1024 * 1024

const add = (index: number) => Saved.ref(`k${index}`).ask("add", { by: index })

/** What a member holds when nothing is under way. */
interface Held {
  readonly heapMb: number
  readonly rssMb: number
}

/** Visits actors of one member, and looks at it from time to time. */
const visitor = (member: MemberCluster.MemberProcess) => {
  let residentsSeen = 0
  const visit = Effect.fnUntraced(function* (
    indexes: ReadonlyArray<number>,
    check: (index: number, count: number) => void
  ) {
    for (let from = 0; from < indexes.length; from += residentsMax) {
      yield* Effect.forEach(
        indexes.slice(from, from + residentsMax),
        (index) => Effect.map(add(index), ({ count }) => check(index, count)),
        { concurrency: busyMax, discard: true }
      )
      residentsSeen = Math.max(residentsSeen, (yield* member.report).residents ?? 0)
    }
  })
  const held: Effect.Effect<Held> = Effect.map(member.tidyReport, ({ memory }) => ({
    heapMb: (memory?.heapUsed ?? 0) / megabyte,
    rssMb: (memory?.rss ?? 0) / megabyte
  }))
  return { visit, held, residentsSeen: () => residentsSeen }
}

describe("100,000 actors on a member that holds 5,000", () => {
  it.live("its memory stays as it is once it is full, and each actor knows what it was told (seed 1)", () =>
    Effect.gen(function* () {
      const { caller, members } = yield* MemberCluster.start({ hostIds: ["a"], residentsMax, history: "last" })
      const member = members[0]!
      const { held, residentsSeen, visit } = visitor(member)
      const first = (index: number, count: number) => assert.strictEqual(count, index)
      const second = (index: number, count: number) => assert.strictEqual(count, 2 * index)
      const seen: Array<Held> = []
      yield* Effect.gen(function* () {
        const all = Array.from({ length: actors }, (_, index) => index)
        for (const [from, to] of [
          [0, 20_000],
          [20_000, 60_000],
          [60_000, actors]
        ]) {
          yield* visit(all.slice(from, to), first)
          seen.push(yield* held)
        }
        yield* visit(seededOrder(actors, 1).slice(0, checked), second)
      }).pipe(Effect.provide(caller), Effect.orDie)
      yield* Effect.logInfo("memory after 20,000, 60,000 and 100,000 actors", seen)
      const { counts, residents } = yield* member.report
      assert.strictEqual(residents, residentsMax)
      assert.isAtMost(residentsSeen(), residentsMax + busyMax)
      assert.isAtLeast(counts?.passivations ?? 0, actors - residentsMax)
      assert.strictEqual(counts?.handled, actors + checked)
      // five times as many actors, and no more memory: a hundredth part of each that is gone would be 5 MB
      for (const { heapMb } of seen.slice(1)) assert.isAtMost(heapMb, 1.1 * seen[0]!.heapMb)
    })
  )
})
