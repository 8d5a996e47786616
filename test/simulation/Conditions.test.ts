/** Are the conditions of runs a configuration, and is there something of each in some of them? */
import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { Configuration } from "../../protocol/Settings.ts"
import * as Callers from "./Callers.ts"
import * as Conditions from "./Conditions.ts"
import { World } from "./World.ts"

const all = Array.from({ length: 200 }, (_, seed) => Conditions.draw(new World(seed), seed))

describe("Conditions", () => {
  it("draw() has something of everything in some runs, and nothing of it in others", () => {
    const having: Readonly<Record<string, (conditions: Conditions.Conditions) => boolean>> = {
      "time that is spoiled": ({ spoiled }) => spoiled.length > 0,
      "time that is spoiled for good": ({ spoiled }) => spoiled.some(({ untilMs }) => untilMs === Infinity),
      "a backfill": ({ backfill }) => backfill !== undefined,
      "words of operators": ({ words }) => words > 0,
      "demands that can wait": ({ demands }) => demands > 0,
      "a scarce budget": ({ account }) => account.isScarce,
      "a bar that is restated": ({ restated }) => restated !== undefined,
      "one that is restated, and bars that are made of it": ({ restated, rolledUp }) =>
        restated !== undefined && rolledUp !== undefined,
      "a series that is rolled up": ({ rolledUp }) => rolledUp !== undefined,
      "strict reads": ({ strictReads }) => strictReads.length > 0,
      "a host that is deaf": ({ deaf }) => deaf.length > 0,
      "reads of the past": ({ pastReadsAtMs }) => pastReadsAtMs.length > 0,
      "a sweeper": ({ retention }) => retention !== undefined,
      "a sweeper of roots": ({ retention: { rootsMs = Infinity } = {} }) => rootsMs !== Infinity
    }
    for (const [what, has] of Object.entries(having)) {
      const count = all.filter(has).length
      assert.isTrue(count > 20 && count < 195, `${what}: ${count} of ${all.length}`)
    }
  })

  it("draw() gives the same for the same seed", () => {
    assert.deepStrictEqual(Conditions.draw(new World(7), 7), Conditions.draw(new World(7), 7))
  })

  it("configurationOf() is a configuration with the account's budget, and one of its sources under it", () => {
    for (const conditions of all) {
      // a root counts for a day at the least, and for some seconds here
      const { retention: _retention, ...others } = Conditions.configurationOf(conditions)
      const configuration = Schema.decodeUnknownSync(Configuration, { onExcessProperty: "error" })(others)
      const { burst, concurrency, requestsPerMinute } = conditions.account
      assert.deepStrictEqual(configuration.accounts, { upstream: { burst, concurrency, requestsPerMinute } })
      assert.strictEqual(configuration.sources["exchange"]?.account, "upstream")
      const rolledUp = configuration.series.filter(({ derivedFrom }) => derivedFrom !== undefined)
      assert.lengthOf(configuration.series, Callers.nodes.length + rolledUp.length)
      assert.strictEqual(rolledUp.length, conditions.rolledUp === undefined ? 0 : 1)
    }
  })

  it("windows are whole, and hold all that is asked for", () => {
    const [first, last] = [Conditions.windows[0]!, Conditions.windows.at(-1)!]
    assert.isAtMost(first[0], Callers.wanted[0])
    assert.isAtLeast(last[1], Callers.wanted[1])
    for (const [start, end] of Conditions.windows) assert.strictEqual(end - start, Callers.windowBars * 60_000)
  })
})
