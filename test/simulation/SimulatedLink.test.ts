/** Does a simulated connection do what TCP does, and what a cluster of servers adds to it when it is told to? */
import { assert, describe, it } from "vitest"
import type { Parcel } from "../../runtime/simulated/Link.ts"
import { fair, SimulatedLink, type Way, type Weather } from "./SimulatedLink.ts"
import { SimulatedProcess } from "./SimulatedProcess.ts"
import { World } from "./World.ts"

const both = ["toServer", "toProcess"] as const

/** Of what happens with one seed by chance, something happens with one of so many. */
const seeds = Array.from({ length: 40 }, (_, seed) => seed)

interface Arrived {
  readonly name: string
  readonly way: Way
  readonly atMs: number
}

/** A link in some weather, and what has arrived over it. */
const begin = ({ seed = 1, ...weather }: Partial<Weather> & { readonly seed?: number } = {}) => {
  const world = new World(seed)
  const process = new SimulatedProcess(world, "p", undefined)
  const link = new SimulatedLink(process)
  link.weather = { ...fair, stale: 0, ...weather }
  const arrived: Array<Arrived> = []
  const heard: Array<string> = []
  link.onLost = () => heard.push("lost")
  const send = (way: Way, name: string, kind: Parcel["kind"] = "message"): void =>
    link.carry(way, { kind, subject: name }, () => arrived.push({ name, way, atMs: world.nowMs }))
  const names = (way: Way): string =>
    arrived
      .filter((one) => one.way === way)
      .map(({ name }) => name)
      .join(" ")
  return { world, process, link, arrived, heard, send, names }
}

/** Sends so many of a kind one way, ten milliseconds apart. */
const sendMany = (
  { send, world }: ReturnType<typeof begin>,
  count: number,
  { kind, way }: { readonly kind: Parcel["kind"]; readonly way: Way }
): void => {
  for (let number = 0; number < count; number++) world.at(number * 10, () => send(way, String(number), kind))
}

const numbers = (count: number): string => Array.from({ length: count }, (_, number) => number).join(" ")

describe("carry()", () => {
  it("carry() brings nothing of what a process is deaf to, and all else, until it hears again", () => {
    const { link, names, send, world } = begin()
    link.isDeafTo = (subject) => subject === "changed"
    send("toProcess", "changed")
    send("toProcess", "other")
    send("toProcess", "changed", "answer")
    send("toServer", "changed")
    world.runUntil(100)
    link.isDeafTo = undefined
    send("toProcess", "changed")
    world.runUntil(200)
    assert.strictEqual(names("toProcess"), "other changed changed")
    assert.strictEqual(names("toServer"), "changed")
  })

  it.each(both)("carry() brings all %s on a good day, once, in its order and in time", (way) => {
    for (const seed of seeds) {
      const run = begin({ seed })
      const { arrived, names, send, world } = run
      for (let number = 0; number < 20; number++) world.at(number / 4, () => send(way, String(number), "write"))
      world.runUntil(1000)
      assert.strictEqual(names(way), numbers(20))
      for (const { atMs, name } of arrived) {
        const tookMs = atMs - Number(name) / 4
        assert.isTrue(tookMs >= 0 && tookMs <= fair.latencyMsMax, `${name} took ${tookMs} ms`)
      }
    }
  })

  it("carry() keeps the order of what was sent when the network gets faster", () => {
    for (const seed of seeds) {
      const { link, names, send, world } = begin({ seed, latencyMsMax: 500 })
      send("toServer", "slow")
      world.at(1, () => {
        link.weather = fair
        send("toServer", "fast")
      })
      world.runUntil(1000)
      assert.strictEqual(names("toServer"), "slow fast")
    }
  })

  it("carry() tells onCarry() of each parcel before it is on its way", () => {
    const { link, names, process, send, world } = begin()
    const told: Array<string> = []
    link.onCarry = (way, { kind, subject }) => {
      told.push(`${way} ${kind} ${subject}`)
      if (subject === "last") process.kill()
    }
    for (const name of ["first", "last", "never"]) send("toServer", name, "write")
    world.runUntil(100)
    assert.deepStrictEqual(told.slice(0, 2), ["toServer write first", "toServer write last"])
    assert.strictEqual(names("toServer"), "first")
  })

  it("carry() brings nothing to a process that is dead by then, and what it sent before to the server", () => {
    const { names, process, send, world } = begin()
    for (const way of both) send(way, "before")
    process.kill()
    for (const way of both) send(way, "after")
    world.runUntil(100)
    assert.strictEqual(names("toProcess"), "")
    assert.strictEqual(names("toServer"), "before")
  })

  it("carry() keeps what comes to a process that stands still until it goes on", () => {
    const { arrived, names, process, send, world } = begin()
    process.freeze()
    for (const name of ["0", "1", "2"]) send("toProcess", name)
    world.runUntil(100)
    assert.lengthOf(arrived, 0)
    process.thaw()
    world.runUntil(200)
    assert.strictEqual(names("toProcess"), "0 1 2")
    assert.deepStrictEqual(new Set(arrived.map(({ atMs }) => atMs)), new Set([100]))
  })
})

describe("weather", () => {
  const sent = 1000

  it.each(both)("loss takes about as many parcels as it says, %s, and leaves the others in order", (way) => {
    const run = begin({ loss: 0.3 })
    sendMany(run, sent, { kind: "message", way })
    run.world.runUntil(sent * 20)
    const came = run.arrived.map(({ name }) => Number(name))
    assert.isTrue(came.length > 0.65 * sent && came.length < 0.75 * sent, `${came.length} came`)
    assert.deepStrictEqual(
      came,
      came.toSorted((a, b) => a - b)
    )
    assert.deepStrictEqual(run.heard, [])
    assert.isTrue(run.link.isUp())
  })

  it("repeat brings about as many parcels twice as it says", () => {
    const run = begin({ repeat: 0.3 })
    sendMany(run, sent, { kind: "message", way: "toProcess" })
    run.world.runUntil(sent * 20)
    const twice = run.arrived.length - sent
    assert.strictEqual(new Set(run.arrived.map(({ name }) => name)).size, sent)
    assert.isTrue(twice > 0.25 * sent && twice < 0.35 * sent, `${twice} came twice`)
  })

  it("overtaken lets parcels come behind later ones, by so much at most, and loses none", () => {
    const overtakenMsMax = 300
    const run = begin({ overtaken: 0.3, overtakenMsMax })
    sendMany(run, sent, { kind: "message", way: "toProcess" })
    run.world.runUntil(sent * 20)
    const came = run.arrived.map(({ name }) => Number(name))
    assert.sameMembers(
      came,
      Array.from({ length: sent }, (_, number) => number)
    )
    const behind = came.filter((number, index) => came.slice(0, index).some((before) => before > number)).length
    // those that are held up for less than the time to the next are not overtaken after all
    assert.isTrue(behind > 0.2 * sent && behind < 0.35 * sent, `${behind} were overtaken`)
    for (const { atMs, name } of run.arrived) {
      assert.isAtMost(atMs - Number(name) * 10, fair.latencyMsMax + overtakenMsMax)
    }
  })

  it.each(both)("no weather loses, repeats or reorders what is said of subscriptions, %s", (way) => {
    const run = begin({ loss: 1, repeat: 1, overtaken: 1, overtakenMsMax: 500 })
    sendMany(run, 50, { kind: "subscribe", way })
    run.world.runUntil(5000)
    assert.strictEqual(run.names(way), numbers(50))
  })

  it("stale says how likely and how far behind a reader's replica is", () => {
    const { link } = begin({ stale: 0.5, staleMsMax: 80 })
    const lags = Array.from({ length: sent }, () => link.readLagMs("read"))
    const behind = lags.filter((lagMs) => lagMs > 0).length
    assert.isTrue(behind > 0.45 * sent && behind < 0.55 * sent, `${behind} were behind`)
    assert.isBelow(Math.max(...lags), 80)
    link.weather = { ...fair, stale: 0 }
    assert.strictEqual(link.readLagMs("readMany"), 0)
  })
})

describe("cut()", () => {
  it.each(both)("cut() holds what is sent %s, and delivers it when it is healed where nobody has noticed", (way) => {
    for (const seed of seeds) {
      const { heard, link, names, send, world } = begin({ seed })
      const other = way === "toServer" ? "toProcess" : "toServer"
      link.onReconnect(() => heard.push("back"))
      const heal = link.cut([way])
      for (const name of ["0", "1", "2"]) send(way, name)
      send(other, "passes")
      world.runUntil(1900)
      assert.strictEqual(names(way), "")
      assert.strictEqual(names(other), "passes")
      heal()
      send(way, "3")
      world.runUntil(10_000)
      assert.strictEqual(names(way), "0 1 2 3")
      assert.deepStrictEqual(heard, [])
      assert.isTrue(link.isUp())
    }
  })

  it("cut() lets what was on its way before arrive", () => {
    const { link, names, send, world } = begin()
    for (const way of both) send(way, "before")
    link.cut(both)
    world.runUntil(100)
    for (const way of both) assert.strictEqual(names(way), "before")
  })

  it("cut() is noticed after two to three seconds: the connection is lost, once", () => {
    for (const seed of seeds) {
      const { heard, link, world } = begin({ seed })
      link.cut(["toProcess"])
      world.runUntil(1999)
      assert.isTrue(link.isUp())
      assert.deepStrictEqual(heard, [])
      world.runUntil(3000)
      assert.isFalse(link.isUp())
      world.runUntil(60_000)
      assert.isFalse(link.isUp())
      assert.deepStrictEqual(heard, ["lost"])
    }
  })

  it("heldBackMsMax says how long anything waited for its way to open, or was on it", () => {
    const { link, send, world } = begin({ latencyMsMax: 0 })
    send("toServer", "at once")
    assert.strictEqual(link.heldBackMsMax, 0)
    const heal = link.cut(["toServer"])
    for (const atMs of [100, 200]) world.at(atMs, () => send("toServer", "waits"))
    world.at(1500, heal)
    world.runUntil(1600)
    assert.strictEqual(link.heldBackMsMax, 1400)
    link.weather = { ...fair, overtaken: 1, overtakenMsMax: 90_000 }
    for (let number = 0; number < 100; number++) send("toProcess", "late")
    assert.isAbove(link.heldBackMsMax, 60_000)
  })

  it("cut() twice at once is noticed by the first, and over when both are healed", () => {
    const { heard, link, world } = begin()
    link.onReconnect(() => heard.push("back"))
    const healFirst = link.cut(both)
    world.at(1500, () => {
      const healSecond = link.cut(["toServer"])
      world.at(8000, healSecond)
    })
    world.at(5000, healFirst)
    world.runUntil(3100)
    assert.deepStrictEqual(heard, ["lost"])
    world.runUntil(7900)
    assert.deepStrictEqual(heard, ["lost"])
    world.runUntil(9000)
    assert.deepStrictEqual(heard, ["lost", "back"])
  })

  it("cut() of a way that was healed counts from its own time", () => {
    const { heard, link, world } = begin()
    const heal = link.cut(both)
    world.at(1500, heal)
    world.at(1600, () => link.cut(["toServer"]))
    world.runUntil(3500)
    assert.deepStrictEqual(heard, [])
    world.runUntil(4700)
    assert.deepStrictEqual(heard, ["lost"])
  })
})

describe("lose()", () => {
  it("lose() takes what was toward the process, and all that is sent until the connection is back", () => {
    const { link, names, send, world } = begin({ latencyMsMax: 40 })
    send("toProcess", "on its way")
    link.lose()
    assert.isFalse(link.isUp())
    for (const way of both) send(way, "while it is lost")
    world.runUntil(1000)
    assert.isTrue(link.isUp())
    assert.strictEqual(names("toProcess"), "")
    assert.strictEqual(names("toServer"), "")
    send("toProcess", "again")
    world.runUntil(2000)
    assert.strictEqual(names("toProcess"), "again")
  })

  it("lose() takes what a cut way held for the process", () => {
    const { link, names, send, world } = begin()
    const heal = link.cut(both)
    send("toProcess", "held")
    world.runUntil(4000)
    heal()
    world.runUntil(8000)
    assert.isTrue(link.isUp())
    assert.strictEqual(names("toProcess"), "")
  })

  it("lose() leaves it open whether what a cut way held for the server arrives: all of it or nothing", () => {
    const ends = new Set<string>()
    for (const seed of seeds) {
      const { link, names, send, world } = begin({ seed })
      const heal = link.cut(["toServer"])
      for (const name of ["0", "1", "2"]) send("toServer", name, "write")
      world.runUntil(4000)
      assert.strictEqual(names("toServer"), "")
      heal()
      world.runUntil(8000)
      ends.add(names("toServer"))
    }
    assert.deepStrictEqual(ends, new Set(["", "0 1 2"]))
  })

  it("lose() is told once, however often it is done", () => {
    const { heard, link } = begin()
    link.lose()
    link.lose()
    assert.deepStrictEqual(heard, ["lost"])
  })
})

describe("onReconnect()", () => {
  it("onReconnect() is called once each time the connection is back, soon after its way is open", () => {
    for (const seed of seeds) {
      const { heard, link, world } = begin({ seed })
      link.onReconnect(() => heard.push(`back, ${link.isUp()}`))
      link.onReconnect(() => heard.push("never"))()
      link.lose()
      world.runUntil(49)
      assert.deepStrictEqual(heard, ["lost"])
      world.runUntil(300)
      assert.deepStrictEqual(heard, ["lost", "back, true"])
      link.lose()
      world.runUntil(5000)
      assert.deepStrictEqual(heard, ["lost", "back, true", "lost", "back, true"])
    }
  })

  it("onReconnect() is called once where the way is opened after the connection was lost", () => {
    for (const seed of seeds) {
      const { heard, link, world } = begin({ seed })
      link.onReconnect(() => heard.push("back"))
      const heal = link.cut(["toProcess"])
      link.lose()
      heal()
      world.runUntil(5000)
      assert.deepStrictEqual(heard, ["lost", "back"])
    }
  })

  it("onReconnect() is not called before both ways are open", () => {
    const { heard, link, world } = begin()
    link.onReconnect(() => heard.push("back"))
    const healServer = link.cut(["toServer"])
    world.runUntil(10_000)
    assert.deepStrictEqual(heard, ["lost"])
    healServer()
    // cut again before it could be made anew
    const healProcess = link.cut(["toProcess"])
    world.runUntil(20_000)
    assert.deepStrictEqual(heard, ["lost"])
    healProcess()
    world.runUntil(20_300)
    assert.deepStrictEqual(heard, ["lost", "back"])
  })

  it("onReconnect() is called in a process that stands still when it goes on, and never in a dead one", () => {
    const [frozen, dead] = [begin(), begin()]
    for (const { heard, link } of [frozen, dead]) link.onReconnect(() => heard.push("back"))
    frozen.process.freeze()
    dead.process.kill()
    for (const { heard, link, world } of [frozen, dead]) {
      link.lose()
      world.runUntil(5000)
      assert.deepStrictEqual(heard, ["lost"])
    }
    assert.isFalse(dead.link.isUp())
    frozen.process.thaw()
    frozen.world.runUntil(6000)
    assert.deepStrictEqual(frozen.heard, ["lost", "back"])
  })
})

describe("after()", () => {
  it("after() counts on the process's own timers", () => {
    const { heard, link, process, world } = begin()
    link.after(100.9, () => heard.push(`at ${world.nowMs}`))
    link.after(100, () => heard.push("never"))()
    world.at(50, () => process.freeze())
    world.at(400, () => process.thaw())
    world.runUntil(1000)
    assert.deepStrictEqual(heard, ["at 400"])
  })
})
