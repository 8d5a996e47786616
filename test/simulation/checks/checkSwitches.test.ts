/** Is it noticed when a source is asked although operators have that turned off? */
import { assert, describe, it } from "vitest"
import { untouched } from "../../../protocol/Switches.ts"
import { checkSwitches } from "./checkSwitches.ts"

const turned = (atMs: number, version: number, name: string, on: boolean) => ({
  atMs,
  record: { ...untouched, version, changed: name, words: { [name]: { on, by: "x", at: 0, reason: "" } } }
})

const sent = (...times: ReadonlyArray<number>) => times.map((atMs) => ({ atMs, endedAtMs: atMs + 10 }))

const onThenOff = [turned(10_000, 1, "DISABLE_BACKFILL", true), turned(30_000, 2, "DISABLE_BACKFILL", false)]

describe("checkSwitches()", () => {
  it("checkSwitches() has nothing against requests before it is known, and when it is off again", () => {
    assert.deepStrictEqual(checkSwitches([], sent(1)), [])
    assert.deepStrictEqual(checkSwitches(onThenOff, sent(9_999, 16_999, 30_000, 40_000)), [])
    assert.deepStrictEqual(checkSwitches([turned(1, 1, "FORCE_FAIL_FAST", true)], sent(20_000)), [])
  })

  it("checkSwitches() tells of one while it is on since long", () => {
    assert.deepStrictEqual(checkSwitches(onThenOff, sent(17_000)), [
      "a source is asked at 17000 ms, and DISABLE_BACKFILL is on since long"
    ])
    const still = [onThenOff[0]!, { ...onThenOff[0]!, atMs: 20_000 }]
    assert.lengthOf(checkSwitches(still, sent(17_000, 21_000)), 2)
  })
})
