/** Does a simulated source give the market's bars on a good day, and have the bad days that it is told to have? */
import { type Exit, Option } from "effect"
import { assert, describe, it } from "vitest"
import type { RequestFailed } from "../../actors/sources/DataSource.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { intervalOf } from "../support/rows.ts"
import * as Callers from "./Callers.ts"
import { History } from "./History.ts"
import * as Market from "./Market.ts"
import { SimulatedProcess } from "./SimulatedProcess.ts"
import * as SimulatedSource from "./SimulatedSource.ts"
import { World } from "./World.ts"

const good: SimulatedSource.Mood = { latencyMsMax: 40, fails: 0, refuses: 0, cutsShort: 0, hangs: 0 }
const start = 28_400_000 * Market.barMs
const request = { symbol: SimulatedSource.symbolOf(1), interval: intervalOf("1m"), start, end: start + 600_000 }
const traded = Market.barsOf(1, { startMs: start, endMs: request.end, barsMax: 20 })

/** How often asking a source in that mood ended how, by the time. */
const ask = (
  mood: Partial<SimulatedSource.Mood>,
  { times = 1, untilMs = 100, spoiled = [] as ReadonlyArray<SimulatedSource.Spoiled> } = {}
) => {
  const world = new World(1)
  const process = new SimulatedProcess(world, "a1", undefined)
  const history = new History(() => world.nowMs, false)
  const upstream = { mood: { ...good, ...mood }, usual: good, spoiled }
  const source = SimulatedSource.make({ name: "exchange", host: process, upstream, history })
  const exits: Array<Exit.Exit<RawRows, RequestFailed>> = []
  for (let count = 0; count < times; count++) {
    process.run(source.page(request), (exit) => exits.push(exit))
  }
  world.runUntil(untilMs)
  const came = exits.flatMap((exit) => (exit._tag === "Success" ? [exit.value.eventTime.length] : []))
  const failed = exits.flatMap((exit) => (exit._tag === "Failure" ? exit.cause.reasons : []))
  return { exits, came, failed, pages: history.pages, requests: history.requests }
}

describe("SimulatedSource", () => {
  it("page() gives what was traded, soon, and is written down", () => {
    const { exits, pages } = ask({}, { untilMs: good.latencyMsMax })
    assert.deepInclude(exits[0], { _tag: "Success", value: traded })
    const { end: endMs } = request
    assert.deepStrictEqual(pages, [{ host: "a1", series: 1, startMs: start, endMs, atMs: 0, outcome: "answered" }])
  })

  it("page() gives nothing before the source begins, which is within what callers ask for; firstBar() tells when", () => {
    const world = new World(1)
    const process = new SimulatedProcess(world, "a1", undefined)
    const history = new History(() => world.nowMs, false)
    const source = SimulatedSource.make({
      name: "exchange",
      host: process,
      upstream: { mood: good, usual: good, spoiled: [] },
      history
    })
    const [from, until] = Callers.wanted
    const beginsAt = SimulatedSource.beginsAtMs(1)
    assert.isTrue(from < beginsAt && beginsAt < until)
    assert.isTrue(Market.isTraded(1, beginsAt))
    const pages: Array<number> = []
    const page = { ...request, start: from, end: beginsAt + Market.barMs }
    process.run(source.page(page), (exit) => {
      if (exit._tag === "Success") pages.push(...Array.from(exit.value.eventTime, Number))
    })
    const first: Array<unknown> = []
    process.run(source.firstBar!(request.symbol, request.interval), (exit) => {
      if (exit._tag === "Success") first.push(exit.value)
    })
    world.runUntil(100)
    assert.deepStrictEqual([pages, first], [[beginsAt], [Option.some(beginsAt)]])
  })

  it.each([
    ["fails", true],
    ["refuses", false]
  ] as const)("page() %s as often as the mood says, and may then be retried: %s", (mood, retryable) => {
    const { came, failed, pages } = ask({ [mood]: 0.3 }, { times: 1000 })
    assert.strictEqual(came.length + failed.length, 1000)
    assert.isTrue(failed.length > 250 && failed.length < 350, `${failed.length} failed`)
    for (const reason of failed) assert.deepInclude(reason, { _tag: "Fail" })
    for (const reason of failed) assert.deepInclude(reason._tag === "Fail" ? reason.error : {}, { retryable })
    assert.lengthOf(
      pages.filter(({ outcome }) => outcome === "open"),
      failed.length
    )
  })

  it("page() is cut short in a mood for that, and has one bar at least", () => {
    const { came } = ask({ cutsShort: 1 }, { times: 200 })
    assert.strictEqual(Math.min(...came), 1)
    assert.strictEqual(Math.max(...came), traded.eventTime.length)
    assert.isAbove(new Set(came).size, 5)
  })

  it("page() gives nothing for six seconds in a mood for that, and then fails", () => {
    assert.lengthOf(ask({ hangs: 1 }, { untilMs: 5999 }).exits, 0)
    const { came, exits } = ask({ hangs: 1 }, { untilMs: 6000 })
    assert.lengthOf(exits, 1)
    assert.lengthOf(came, 0)
  })

  it("page() gives no answer about any of the time that is spoiled, as long as it is", () => {
    const spoiled = { series: 1, range: [start - Market.barMs, start + 1], retryable: false, untilMs: 50 } as const
    assert.lengthOf(ask({}, { spoiled: [spoiled] }).failed, 1)
    assert.lengthOf(ask({}, { spoiled: [{ ...spoiled, untilMs: 0 }] }).came, 1)
    assert.lengthOf(ask({}, { spoiled: [{ ...spoiled, series: 0 }] }).came, 1)
    assert.lengthOf(ask({}, { spoiled: [{ ...spoiled, range: [spoiled.range[0], start] }] }).came, 1)
  })

  it("page() and firstBar() are requests that are under way until the source has done with them", () => {
    const { requests } = ask({ hangs: 1 }, { times: 2, untilMs: 10 })
    assert.deepStrictEqual(requests, [
      { atMs: 0, endedAtMs: SimulatedSource.hangsForMs },
      { atMs: 0, endedAtMs: SimulatedSource.hangsForMs }
    ])
  })
})
