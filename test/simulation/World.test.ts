/** Is a run a function of its seed, and does time pass only where nothing is left to be done? */
import { assert, describe, it } from "vitest"
import { type Turn, World } from "./World.ts"

const always: Turn = { isReady: () => true, hold: () => undefined }

const seeds = Array.from({ length: 20 }, (_, seed) => seed)

/** In which order twenty tasks come that are ready in two moments. */
const orderOf = (seed: number): string => {
  const world = new World(seed)
  const order: Array<number> = []
  for (const atMs of [10, 20]) {
    world.at(atMs, () => {
      for (let task = 0; task < 10; task++) world.ready(always, () => order.push(atMs + task))
    })
  }
  world.runUntil(100)
  return order.join(" ")
}

const numbersOf = (seed: number): ReadonlyArray<number | boolean> => {
  const world = new World(seed)
  return seeds.flatMap(() => [world.random(), world.pick(1000), world.between(5, 6), world.chance(0.5)])
}

describe("World", () => {
  it("World does what is ready in an order that is the same with the same seed", () => {
    for (const seed of seeds) assert.strictEqual(orderOf(seed), orderOf(seed))
  })

  it("World does what is ready in another order with another seed", () => {
    assert.strictEqual(new Set(seeds.map(orderOf)).size, seeds.length)
  })

  it("World does each task once, and all of one moment before the next", () => {
    for (const seed of seeds) {
      const order = orderOf(seed).split(" ").map(Number)
      assert.sameMembers(
        order.slice(0, 10),
        Array.from({ length: 10 }, (_, task) => 10 + task)
      )
      assert.sameMembers(
        order.slice(10),
        Array.from({ length: 10 }, (_, task) => 20 + task)
      )
    }
  })

  it("World draws the same numbers with the same seed, and others with another", () => {
    for (const seed of seeds) assert.deepStrictEqual(numbersOf(seed), numbersOf(seed))
    assert.strictEqual(new Set(seeds.map((seed) => JSON.stringify(numbersOf(seed)))).size, seeds.length)
  })

  it("pick(), between() and chance() keep to their bounds", () => {
    const world = new World(1)
    const picked = new Set(Array.from({ length: 200 }, () => world.pick(3)))
    assert.deepStrictEqual(
      Array.from(picked).toSorted((a, b) => a - b),
      [0, 1, 2]
    )
    for (let draw = 0; draw < 200; draw++) {
      const drawn = world.between(-2, 3)
      assert.isTrue(drawn >= -2 && drawn < 3)
      assert.isFalse(world.chance(0))
      assert.isTrue(world.chance(1))
    }
  })

  it("ready() gives a task to hold() whose turn may not run when it is drawn", () => {
    const world = new World(1)
    const done: Array<string> = []
    const held: Array<() => void> = []
    let isReady = true
    const turn: Turn = { isReady: () => isReady, hold: (run) => held.push(run) }
    world.ready(turn, () => done.push("first"))
    world.runUntil(1)
    world.ready(turn, () => done.push("second"))
    isReady = false
    world.runUntil(2)
    assert.deepStrictEqual(done, ["first"])
    assert.lengthOf(held, 1)
    held[0]!()
    assert.deepStrictEqual(done, ["first", "second"])
  })
})

describe("runUntil()", () => {
  it("runUntil() does what happens up to its time, and stops there", () => {
    const world = new World(1)
    const happened: Array<number> = []
    for (const atMs of [30.5, 10, 30, 20]) world.at(atMs, () => happened.push(world.nowMs))
    world.runUntil(30)
    assert.deepStrictEqual(happened, [10, 20, 30])
    assert.strictEqual(world.nowMs, 30)
    world.runUntil(31)
    assert.deepStrictEqual(happened, [10, 20, 30, 30.5])
  })

  it("runUntil() lets time pass where nothing happens at all", () => {
    const world = new World(1)
    world.runUntil(500)
    assert.strictEqual(world.nowMs, 500)
    world.runUntil(400)
    assert.strictEqual(world.nowMs, 500)
  })

  it("runUntil() does at once what was put into the past, and never goes back", () => {
    const world = new World(1)
    const happened: Array<number> = []
    world.at(20, () => world.at(5, () => happened.push(world.nowMs)))
    world.runUntil(30)
    assert.deepStrictEqual(happened, [20])
  })

  it("runUntil() lets no time pass while something is ready", () => {
    const world = new World(1)
    const happened: Array<string> = []
    world.at(10, () => {
      world.ready(always, () => world.ready(always, () => happened.push(`task at ${world.nowMs}`)))
      world.after(0, () => happened.push("event"))
      world.after(1, () => happened.push("later"))
    })
    world.runUntil(30)
    assert.deepStrictEqual(happened, ["task at 10", "event", "later"])
  })

  it("runUntil() refuses to go on where something runs and never waits", () => {
    const world = new World(1)
    const again = (): void => world.ready(always, again)
    world.at(40, again)
    assert.throws(() => world.runUntil(50), "at 40 ms something runs and never waits")
  })

  it("runUntil() goes on however often something runs that waits each time", () => {
    const world = new World(1)
    let left = 300_000
    const again = (): void => {
      left -= 1
      if (left > 0) world.after(1, () => world.ready(always, again))
    }
    again()
    world.runUntil(300_000)
    assert.strictEqual(left, 0)
  })
})
