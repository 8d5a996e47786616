/** Is a lease taken for ended when it is, by this host's own clock, and never while it is renewed? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { TestClock } from "effect/testing"
import * as LeaseWatch from "../../runtime/LeaseWatch.ts"
import { LiveHosts } from "../../runtime/LiveHosts.ts"
import { type Move, modelLaw } from "../support/models/modelLaw.ts"

const leaseMs = 5000

const leaseOf = (key: string, revision: number, holder = "alive") => ({ key, revision, holder, leaseMs })

/** A watch among hosts, of which those that are named can die. */
const makeWatch = Effect.gen(function* () {
  const dead = new Set<string>()
  const watch = yield* Effect.provideService(LeaseWatch.make, LiveHosts, {
    incarnation: "here",
    isValid: Effect.succeed(true),
    isDead: (incarnation) => Effect.sync(() => dead.has(incarnation))
  })
  const ended = (key: string, revision = 1, holder = "alive") =>
    Effect.orDie(watch.hasEnded(leaseOf(key, revision, holder)))
  return { ...watch, dead, ended }
})

/** Whether it has ended at each of these times, in milliseconds from now. */
const endedAfter = Effect.fnUntraced(function* (
  { ended }: Effect.Success<typeof makeWatch>,
  key: string,
  timesMs: ReadonlyArray<number>
) {
  const found: Array<boolean> = []
  let nowMs = 0
  for (const timeMs of timesMs) {
    yield* TestClock.adjust(timeMs - nowMs)
    nowMs = timeMs
    found.push(yield* ended(key))
  }
  return found
})

describe("hasEnded()", () => {
  it.effect("hasEnded() is true at once where the holder is dead, whatever was seen of its record", () =>
    Effect.gen(function* () {
      const { dead, ended } = yield* makeWatch
      assert.isFalse(yield* ended("a", 1, "host-1"))
      dead.add("host-1")
      assert.isTrue(yield* ended("a", 1, "host-1"))
      assert.isTrue(yield* ended("a", 2, "host-1"))
      assert.isTrue(yield* ended("b", 1, "host-1"))
      assert.isFalse(yield* ended("b", 1, "host-2"))
    })
  )

  it.effect("hasEnded() is true after the length of the lease, from when it was first looked at", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      // for how long it stood before that, nobody here can tell
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* endedAfter(watch, "a", [0, 100, 4999, 5000, 5001, 60_000]), [
        false,
        false,
        false,
        false,
        true,
        true
      ])
    })
  )

  it.effect("hasEnded() is false as long as it is renewed, however late, and counts from the last renewal", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      for (let revision = 1; revision <= 20; revision++) {
        assert.isFalse(yield* watch.ended("a", revision))
        yield* TestClock.adjust(leaseMs + 1000)
      }
      assert.isFalse(yield* watch.ended("a", 21))
      yield* TestClock.adjust(leaseMs)
      assert.isFalse(yield* watch.ended("a", 21))
      yield* TestClock.adjust(1)
      assert.isTrue(yield* watch.ended("a", 21))
    })
  )

  it.effect("hasEnded() of one lease says nothing of another", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      yield* watch.ended("a")
      yield* TestClock.adjust(leaseMs + 1)
      assert.isFalse(yield* watch.ended("b"))
      assert.isTrue(yield* watch.ended("a"))
    })
  )
})

describe("forget()", () => {
  it.effect("forget() has the time of a lease count anew, and of no other", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      yield* watch.ended("a")
      yield* watch.ended("b")
      yield* TestClock.adjust(leaseMs + 1)
      watch.forget("a")
      watch.forget("never seen")
      assert.isTrue(yield* watch.ended("b"))
      assert.deepStrictEqual(yield* endedAfter(watch, "a", [0, leaseMs, leaseMs + 1]), [false, false, true])
    })
  )
})

describe("a watch", () => {
  const rememberedMax = 10_000

  const lookAt = ({ ended }: Effect.Success<typeof makeWatch>, count: number) =>
    Effect.forEach(
      Array.from({ length: count }, (_, index) => `other ${index}`),
      (key) => ended(key),
      { discard: true }
    )

  it.effect("remembers as many leases as it says", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      yield* watch.ended("a")
      yield* lookAt(watch, rememberedMax - 1)
      yield* TestClock.adjust(leaseMs + 1)
      assert.isTrue(yield* watch.ended("a"))
      assert.isTrue(yield* watch.ended("other 0"))
    })
  )

  it.effect("watches more than that when others have ended, so that all of them end some time", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      yield* lookAt(watch, rememberedMax)
      yield* watch.ended("late")
      yield* TestClock.adjust(leaseMs + 1)
      assert.isFalse(yield* watch.ended("late"))
      assert.isTrue(yield* watch.ended("other 0"))
      watch.forget("other 0")
      assert.deepStrictEqual(yield* endedAfter(watch, "late", [0, leaseMs, leaseMs + 1]), [false, false, true])
    })
  )

  it.effect("forgets what nobody has looked at for a minute, where there is no room", () =>
    Effect.gen(function* () {
      const watch = yield* makeWatch
      yield* lookAt(watch, rememberedMax)
      yield* TestClock.adjust("61 seconds")
      assert.isFalse(yield* watch.ended("late"))
      yield* TestClock.adjust(leaseMs + 1)
      assert.isTrue(yield* watch.ended("late"))
    })
  )
})

/** What must be known of leases: which revision each has by now, and since when it was seen as that. */
interface Model {
  nowMs: number
  readonly revisions: Map<string, number>
  readonly seen: Map<string, { readonly revision: number; readonly sinceMs: number }>
}

type LeaseMove = Move<Model, Effect.Success<typeof makeWatch>>

const key = fc.constantFrom("a", "b", "c")
const revisionOf = ({ revisions }: Model, key: string): number => revisions.get(key) ?? 1

const pass = fc.constantFrom(1, 1999, 2000, leaseMs, leaseMs + 1).map((ms): LeaseMove => ({
  name: `${ms} ms pass`,
  make: (model) => {
    model.nowMs += ms
    return TestClock.adjust(ms)
  }
}))

const renew = key.map((key): LeaseMove => ({
  name: `${key} is renewed`,
  make: (model) => Effect.sync(() => void model.revisions.set(key, revisionOf(model, key) + 1))
}))

const forget = key.map((key): LeaseMove => ({
  name: `${key} is forgotten`,
  make: (model, watch) =>
    Effect.sync(() => {
      model.seen.delete(key)
      watch.forget(key)
    })
}))

const look = key.map((key): LeaseMove => ({
  name: `${key} is looked at`,
  make: Effect.fnUntraced(function* (model, watch) {
    const revision = revisionOf(model, key)
    const before = model.seen.get(key)
    const sinceMs = before?.revision === revision ? before.sinceMs : model.nowMs
    model.seen.set(key, { revision, sinceMs })
    assert.strictEqual(yield* watch.ended(key, revision), model.nowMs - sinceMs > leaseMs)
  })
}))

modelLaw("hasEnded() is true of just the leases that were first seen as they are more than their length ago", {
  begin: Effect.map(makeWatch, (real) => ({ model: { nowMs: 0, revisions: new Map(), seen: new Map() }, real })),
  moves: [pass, renew, forget, look, look, look],
  numRuns: 200,
  movesMax: 30
})
