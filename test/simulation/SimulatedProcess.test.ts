/** Does a simulated process die, stand still and tell the time as a real one does? */
import { assert, describe, it } from "vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Random } from "effect"
import * as Invariants from "../../runtime/Invariants.ts"
import { epochMs, SimulatedProcess } from "./SimulatedProcess.ts"
import { World } from "./World.ts"

/** A process, and a list of what it has done and when. */
const begin = (seed = 1) => {
  const world = new World(seed)
  const process = new SimulatedProcess(world, "p", undefined)
  const done: Array<string> = []
  const say = (text: string): void => void done.push(`${text} at ${world.nowMs}`)
  return { world, process, done, say, saying: (text: string) => Effect.sync(() => say(text)) }
}

describe("time", () => {
  it("run() sleeps an hour of seconds in virtual time alone", () => {
    const { done, process, saying, world } = begin()
    const hour = Effect.forEach(Array.from({ length: 3600 }), () => Effect.sleep("1 second"), { discard: true })
    process.run(Effect.andThen(hour, saying("done")))
    assert.deepStrictEqual(done, [])
    world.runUntil(4_000_000)
    assert.deepStrictEqual(done, ["done at 3600000"])
  })

  it("run() ends what takes too long, and tells how it ended", () => {
    const { done, process, say, world } = begin()
    const late = Effect.never.pipe(
      Effect.timeoutOrElse({ duration: "3 seconds", orElse: () => Effect.fail("too late") })
    )
    process.run(late, (exit) => say(Exit.isFailure(exit) ? String(exit.cause) : "ok"))
    world.runUntil(10_000)
    assert.lengthOf(done, 1)
    assert.match(done[0]!, /too late.* at 3000$/)
  })

  it("run() runs fibers side by side, and ends those that are interrupted", () => {
    const { done, process, saying, world } = begin()
    const program = Effect.gen(function* () {
      const slow = yield* Effect.forkChild(Effect.andThen(Effect.sleep(300), saying("slow")))
      const quick = yield* Effect.forkChild(Effect.andThen(Effect.sleep(100), saying("quick")))
      const never = yield* Effect.forkChild(Effect.onInterrupt(Effect.never, () => saying("interrupted")))
      yield* Fiber.join(quick)
      yield* Fiber.interrupt(never)
      yield* Fiber.join(slow)
    })
    process.run(program)
    world.runUntil(1000)
    assert.deepStrictEqual(done, ["quick at 100", "interrupted at 100", "slow at 300"])
  })

  it("after() counts whole milliseconds, and one at least", () => {
    const { done, process, say, world } = begin()
    for (const ms of [3, 2.9, 0.4, 0, -5]) process.after(ms, () => say(`${ms}`))
    process.after(1, () => say("never"))()
    world.runUntil(10)
    assert.deepStrictEqual(done, ["0.4 at 1", "0 at 1", "-5 at 1", "2.9 at 2", "3 at 3"])
  })

  it("Effect.sleep() counts whole milliseconds, and one at least", () => {
    const { done, process, saying, world } = begin()
    for (const micros of [2900, 400] as const) {
      process.run(Effect.andThen(Effect.sleep(`${micros} micros`), saying(`${micros}`)))
    }
    world.runUntil(10)
    assert.deepStrictEqual(done, ["400 at 1", "2900 at 2"])
  })

  it("skewMs moves the wall clock, and neither the monotonic one nor what sleeps", () => {
    const { done, process, saying, world } = begin()
    const times = Clock.clockWith((clock) =>
      Effect.all([clock.currentTimeMillis, clock.currentTimeNanos, clock.monotonicTimeNanos])
    )
    const read: Array<ReadonlyArray<number | bigint>> = []
    const readTimes = Effect.map(times, (now) => void read.push(now))
    process.run(Effect.all([readTimes, Effect.sleep(200), readTimes, saying("done")]))
    world.at(100, () => {
      process.skewMs = -5000
    })
    world.runUntil(1000)
    const wallMs = epochMs + 200 - 5000
    assert.deepStrictEqual(read, [
      [epochMs, BigInt(epochMs) * 1_000_000n, 0n],
      [wallMs, BigInt(wallMs) * 1_000_000n, 200_000_000n]
    ])
    assert.deepStrictEqual(done, ["done at 200"])
  })
})

describe("chance", () => {
  const draw = (process: SimulatedProcess): ReadonlyArray<number> => {
    const drawn: Array<number> = []
    process.run(Effect.forEach([1, 2, 3], () => Effect.map(Random.next, (number) => void drawn.push(number))))
    return drawn
  }
  const drawnBy = (seed: number): ReadonlyArray<ReadonlyArray<number>> => {
    const world = new World(seed)
    return ["p", "q"].map((name) => draw(new SimulatedProcess(world, name, undefined)))
  }

  it("two processes draw different numbers", () => {
    const [p, q] = drawnBy(1)
    assert.lengthOf(p!, 3)
    assert.notDeepEqual(p, q)
  })

  it("processes draw the same numbers with the same seed, and others with another", () => {
    assert.deepStrictEqual(drawnBy(1), drawnBy(1))
    assert.notDeepEqual(drawnBy(1), drawnBy(2))
  })
})

describe("kill()", () => {
  it("kill() leaves nothing to run, not even finalizers", () => {
    const { done, process, say, saying, world } = begin()
    const life = Effect.sleep(100).pipe(Effect.andThen(saying("woke")), Effect.ensuring(saying("cleaned up")))
    process.run(life, () => say("ended"))
    process.after(100, () => say("timer"))
    world.at(50, () => process.kill())
    world.at(60, () => process.enter(() => say("message")))
    world.runUntil(1000)
    assert.deepStrictEqual(done, [])
    assert.isFalse(process.isReady())
  })

  it("kill() ends it between two of its steps", () => {
    const counts = new Set<number>()
    for (let seed = 0; seed < 20; seed++) {
      const { process, world } = begin(seed)
      let steps = 0
      const step = Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => void (steps += 1))
      )
      for (let fiber = 0; fiber < 10; fiber++) process.run(step)
      world.ready({ isReady: () => true, hold: () => undefined }, () => process.kill())
      world.runUntil(10)
      counts.add(steps)
    }
    // sooner and later
    assert.isAbove(counts.size, 5)
  })

  it("kill() is for good, also for one that stood still", () => {
    const { done, process, say, world } = begin()
    process.freeze()
    process.enter(() => say("held"))
    process.kill()
    process.thaw()
    process.freeze()
    process.thaw()
    process.enter(() => say("later"))
    world.runUntil(10)
    assert.deepStrictEqual(done, [])
    assert.strictEqual(process.condition, "dead")
  })

  it("run() does nothing in a process that was killed", () => {
    const { done, process, saying, world } = begin()
    process.kill()
    process.run(saying("lives"))
    world.runUntil(10)
    assert.deepStrictEqual(done, [])
  })

  it("kill() takes along what the process has counted, and nothing of another", () => {
    const { process, world } = begin()
    const other = new SimulatedProcess(world, "q", undefined)
    const found: Array<unknown> = []
    const look = Effect.map(Invariants.Invariants, (counted) => void found.push(counted))
    process.run(look)
    process.run(look)
    other.run(look)
    assert.lengthOf(found, 3)
    assert.strictEqual(found[0], found[1])
    assert.notStrictEqual(found[0], found[2])
  })
})

describe("freeze()", () => {
  it("freeze() holds all that comes until thaw(), which does it at once and in its order", () => {
    const { done, process, say, saying, world } = begin()
    world.at(50, () => process.freeze())
    for (const ms of [300, 100]) process.after(ms, () => say(`timer ${ms}`))
    process.run(Effect.andThen(Effect.sleep(200), saying("fiber")))
    world.at(250, () => process.enter(() => say("message")))
    process.after(2000, () => say("not yet due"))
    world.runUntil(900)
    assert.deepStrictEqual(done, [])
    world.at(1000, () => process.thaw())
    world.runUntil(3000)
    const held = ["timer 100", "fiber", "message", "timer 300"].map((text) => `${text} at 1000`)
    assert.deepStrictEqual(done, [...held, "not yet due at 2000"])
  })

  it("freeze() stops fibers between two of their steps, and thaw() has them go on", () => {
    const { process, world } = begin()
    let steps = 0
    const step = Effect.andThen(
      Effect.yieldNow,
      Effect.sync(() => void (steps += 1))
    )
    for (let fiber = 0; fiber < 20; fiber++) process.run(step)
    world.ready({ isReady: () => true, hold: () => undefined }, () => process.freeze())
    world.runUntil(500)
    assert.isBelow(steps, 20)
    process.thaw()
    world.runUntil(501)
    assert.strictEqual(steps, 20)
  })

  it("freeze() lets the clocks go on", () => {
    const { process, world } = begin()
    const read: Array<number> = []
    const now = Effect.map(Clock.currentTimeMillis, (ms) => void read.push(ms - epochMs))
    process.run(Effect.all([now, Effect.sleep(100), now]))
    world.at(50, () => process.freeze())
    world.at(7000, () => process.thaw())
    world.runUntil(8000)
    assert.deepStrictEqual(read, [0, 7000])
  })

  it("thaw() does nothing that was taken back meanwhile", () => {
    const { done, process, say, world } = begin()
    const takeBack = process.after(100, () => say("timer"))
    process.freeze()
    world.at(200, takeBack)
    world.at(300, () => process.thaw())
    world.runUntil(400)
    assert.deepStrictEqual(done, [])
  })

  it("run() begins nothing in a process that stands still until it goes on", () => {
    const { done, process, say, saying, world } = begin()
    process.freeze()
    process.run(saying("begun"), () => say("ended"))
    world.runUntil(100)
    assert.deepStrictEqual(done, [])
    process.thaw()
    world.runUntil(200)
    assert.deepStrictEqual(done, ["begun at 100", "ended at 100"])
  })

  it("enter() wakes a fiber that waits, only when the process goes on", () => {
    const { done, process, saying, world } = begin()
    const signal = Deferred.makeUnsafe<void>()
    process.run(Effect.andThen(Deferred.await(signal), saying("heard")))
    process.freeze()
    process.enter(() => Deferred.doneUnsafe(signal, Effect.void))
    world.runUntil(100)
    assert.deepStrictEqual(done, [])
    process.thaw()
    world.runUntil(200)
    assert.deepStrictEqual(done, ["heard at 100"])
  })
})
