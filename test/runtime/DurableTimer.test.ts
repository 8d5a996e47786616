/** Is an actor woken in time, whichever host has its slot by then? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Address } from "../../protocol/wire/Envelope.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { makeTimers, type Sleeper, type Timers } from "../../runtime/DurableTimer.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { makeFaultyMesh, once } from "../support/faultyMesh.ts"

const who = (key: string, slotEpoch = 1): Sleeper => ({ slot: "3", slotEpoch, address: { type: "t", key } })

const noteSubject = (key: string, slot = "3") =>
  keySubject(Stream.timers, `${slot}.${ActorSubject.actorKey({ type: "t", key })}`)

/** Hosts on one mesh: each with timers of its own, and the keys that it was woken for. */
const makeHosts = Effect.gen(function* () {
  const { faults, layer, mesh } = yield* makeFaultyMesh
  const host = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const timers: Timers["Service"] = yield* makeTimers.pipe(Scope.provide(scope), Effect.provide(layer))
    const woken: Array<string> = []
    const wake = ({ key }: Address) => void woken.push(key)
    return { timers, woken, adopt: timers.adopt("3", wake), wake, end: Scope.close(scope, Exit.void) }
  })
  const noteOf = (key: string) =>
    Effect.map(mesh.read(Stream.timers.name, noteSubject(key)), (stored) =>
      Option.match(
        Option.flatMap(stored, ({ value }) => value),
        {
          onNone: () => undefined,
          onSome: (data) => (JSON.parse(new TextDecoder().decode(data)) as { readonly at: number }).at
        }
      )
    )
  return { faults, layer, host, noteOf }
})

describe("expect()", () => {
  it.effect("expect() has the actor woken when it is due, and again until it has seen to it", () =>
    Effect.gen(function* () {
      const { host } = yield* makeHosts
      const { adopt, timers, woken } = yield* host
      yield* adopt
      yield* timers.expect(who("a"), 10_000)
      yield* TestClock.adjust(9999)
      assert.deepStrictEqual(woken, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(woken, ["a"])
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(woken, ["a", "a", "a", "a"])
      yield* timers.expect(who("a"), undefined)
      yield* TestClock.adjust("1 day")
      assert.lengthOf(woken, 4)
    })
  )

  it.effect("expect() of an earlier or a later time replaces the one before", () =>
    Effect.gen(function* () {
      const { host, noteOf } = yield* makeHosts
      const { adopt, timers, woken } = yield* host
      yield* adopt
      yield* timers.expect(who("a"), 10_000)
      yield* timers.expect(who("a"), 5000)
      assert.strictEqual(yield* noteOf("a"), 5000)
      yield* TestClock.adjust(5000)
      assert.deepStrictEqual(woken, ["a"])
      yield* timers.expect(who("a"), 60_000)
      assert.strictEqual(yield* noteOf("a"), 60_000)
      yield* TestClock.adjust(50_000)
      assert.deepStrictEqual(woken, ["a"])
    })
  )

  it.effect("expect() beyond what a timer of the platform holds waits as long", () =>
    Effect.gen(function* () {
      const { host } = yield* makeHosts
      const { adopt, timers, woken } = yield* host
      yield* adopt
      yield* timers.expect(who("a"), 60 * 24 * 3_600_000)
      yield* TestClock.adjust("59 days")
      assert.deepStrictEqual(woken, [])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(woken, ["a"])
    })
  )

  it.effect("expect() writes nothing where the note says so already", () =>
    Effect.gen(function* () {
      const { faults, host } = yield* makeHosts
      const { timers } = yield* host
      yield* timers.expect(who("a"), 1000)
      yield* timers.expect(who("a"), 1000)
      yield* timers.expect(who("b"), undefined)
      assert.lengthOf(faults.written, 1)
    })
  )

  it.effect("expect() whose acknowledgement gets lost has written its note, and one without effect says so", () =>
    Effect.gen(function* () {
      const { faults, host, noteOf } = yield* makeHosts
      const { timers } = yield* host
      faults.losesAck = once("")
      yield* timers.expect(who("a"), 1000)
      assert.strictEqual(yield* noteOf("a"), 1000)
      faults.losesWrite = once("")
      assert.strictEqual((yield* Effect.flip(timers.expect(who("a"), 500)))._tag, "MeshUnavailable")
      assert.strictEqual(yield* noteOf("a"), 1000)
      yield* timers.expect(who("a"), 500)
      assert.strictEqual(yield* noteOf("a"), 500)
    })
  )

  it.effect("expect() after its own note's mark has ended begins anew", () =>
    Effect.gen(function* () {
      const { host, noteOf } = yield* makeHosts
      const { timers } = yield* host
      yield* timers.expect(who("a"), 1000)
      yield* timers.expect(who("a"), undefined)
      assert.isUndefined(yield* noteOf("a"))
      yield* TestClock.adjust("5 minutes")
      yield* timers.expect(who("a"), 600_000)
      assert.strictEqual(yield* noteOf("a"), 600_000)
    })
  )
})

describe("adopt()", () => {
  it.effect("adopt() wakes for what a host noted that is gone", () =>
    Effect.gen(function* () {
      const { host } = yield* makeHosts
      const first = yield* host
      yield* first.adopt
      yield* first.timers.expect(who("a"), 10_000)
      yield* first.timers.expect(who("b"), 20_000)
      yield* first.end
      yield* TestClock.adjust(15_000)
      assert.deepStrictEqual(first.woken, [])
      const second = yield* host
      yield* second.adopt
      yield* Effect.yieldNow
      assert.deepStrictEqual(second.woken, ["a"])
      yield* second.timers.expect(who("a", 2), undefined)
      yield* TestClock.adjust(5000)
      assert.deepStrictEqual(second.woken, ["a", "b"])
    })
  )

  it.effect("adopt() of an old look does not put off what was noted meanwhile", () =>
    Effect.gen(function* () {
      const { host, layer } = yield* makeHosts
      const before = yield* host
      yield* before.timers.expect(who("a"), 60_000)
      const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
      const old = yield* mesh.readMany(Stream.timers.name, [keySubject(Stream.timers, "3.>")])
      const stale = Mesh.of({ ...mesh, readMany: () => Effect.succeed(old) })
      const timers = yield* Effect.provideService(makeTimers, Mesh, stale)
      const woken: Array<string> = []
      yield* timers.expect(who("a", 2), 1000)
      yield* timers.adopt("3", ({ key }) => void woken.push(key))
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(woken, ["a"])
    })
  )

  it.effect("adopt() and drop() keep apart slots whose names begin alike", () =>
    Effect.gen(function* () {
      const { host } = yield* makeHosts
      const { adopt, timers, wake, woken } = yield* host
      yield* adopt
      yield* timers.adopt("3.4", wake)
      const labelled: Sleeper = { ...who("labelled"), slot: "3.4" }
      yield* timers.expect(labelled, 1000)
      yield* timers.expect(who("plain"), 1000)
      const other = yield* host
      yield* other.adopt
      yield* timers.drop("3")
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(woken, ["labelled"])
      assert.deepStrictEqual(other.woken, ["plain"])
    })
  )

  it.effect(
    "adopt() whose slot is dropped while it reads wakes nobody, and one of a later tenure wakes in its name",
    () =>
      Effect.gen(function* () {
        const { host, layer } = yield* makeHosts
        const before = yield* host
        yield* before.timers.expect(who("a"), 1000)
        const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
        const readable = yield* Deferred.make<void>()
        const slow = Mesh.of({
          ...mesh,
          readMany: (...args) => Effect.andThen(Deferred.await(readable), mesh.readMany(...args))
        })
        const timers = yield* Effect.provideService(makeTimers, Mesh, slow)
        const woken: Array<string> = []
        const adopt = (name: string) => timers.adopt("3", ({ key }) => void woken.push(`${name} ${key}`))
        const first = yield* Effect.forkChild(adopt("first"), { startImmediately: true })
        yield* timers.drop("3")
        yield* Deferred.succeed(readable, undefined)
        yield* Fiber.join(first)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(woken, [])
        yield* adopt("second")
        yield* Effect.yieldNow
        assert.deepStrictEqual(woken, ["second a"])
      })
  )

  it.effect("adopt() once more changes nothing for those that are rung already", () =>
    Effect.gen(function* () {
      const { host } = yield* makeHosts
      const { adopt, timers, woken } = yield* host
      yield* adopt
      yield* timers.expect(who("a"), 1000)
      yield* timers.expect(who("b"), 5000)
      yield* TestClock.adjust(1500)
      assert.deepStrictEqual(woken, ["a"])
      const elsewhere = yield* host
      yield* elsewhere.timers.expect(who("b"), 4000)
      yield* adopt
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(woken, ["a"])
      yield* TestClock.adjust(2500)
      assert.deepStrictEqual(woken, ["a", "a", "a", "b", "a"])
    })
  )

  it.effect("drop() wakes nobody any more, and leaves the notes to the next owner", () =>
    Effect.gen(function* () {
      const { host, noteOf } = yield* makeHosts
      const { adopt, timers, woken } = yield* host
      yield* adopt
      yield* timers.expect(who("a"), 1000)
      yield* timers.drop("3")
      yield* TestClock.adjust(5000)
      assert.deepStrictEqual(woken, [])
      assert.strictEqual(yield* noteOf("a"), 1000)
    })
  )
})

describe("a host that does not know yet that it lost a slot", () => {
  it.effect("it never takes back or puts off the note of a later owner, however often it tries", () =>
    Effect.gen(function* () {
      const { host, noteOf } = yield* makeHosts
      const stale = yield* host
      yield* stale.adopt
      yield* stale.timers.expect(who("a", 1), 5000)
      const owner = yield* host
      yield* owner.adopt
      yield* owner.timers.expect(who("a", 2), 3000)
      for (const at of [undefined, 60_000, undefined, 60_000]) {
        yield* stale.timers.expect(who("a", 1), at)
        assert.strictEqual(yield* noteOf("a"), 3000)
      }
      yield* TestClock.adjust(3000)
      assert.deepStrictEqual(owner.woken, ["a"])
    })
  )

  it.effect("its own late note does not keep the owner from its timer, and the owner can take it back", () =>
    Effect.gen(function* () {
      const { host, noteOf } = yield* makeHosts
      const stale = yield* host
      const owner = yield* host
      yield* owner.adopt
      yield* stale.timers.expect(who("a", 1), 2000)
      yield* owner.timers.expect(who("a", 2), 5000)
      assert.strictEqual(yield* noteOf("a"), 2000)
      yield* TestClock.adjust(2000)
      assert.deepStrictEqual(owner.woken, ["a"])
      yield* owner.timers.expect(who("a", 2), 5000)
      assert.strictEqual(yield* noteOf("a"), 5000)
      yield* TestClock.adjust(3000)
      assert.deepStrictEqual(owner.woken, ["a", "a"])
      yield* owner.timers.expect(who("a", 2), undefined)
      assert.isUndefined(yield* noteOf("a"))
    })
  )
})
