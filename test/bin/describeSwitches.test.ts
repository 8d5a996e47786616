/** Is a switch told as it stands, with what holds now? */
import { assert, describe, it } from "vitest"
import { turnedText } from "../../bin/describeSwitches.ts"
import { switches, SwitchName } from "../../protocol/Switches.ts"

const turned = (name: SwitchName, on: boolean) => {
  const { isOn, kind, means } = switches[name]
  const word = { on, by: "alice", at: 0, reason: "INC-42" }
  return turnedText({ changed: true, version: 3, switch: { name, kind, on, onByDefault: isOn, means, word } })
}

describe("turnedText()", () => {
  it.each(SwitchName.literals)("says of %s what holds now, on and off", (name) => {
    const { means, offMeans } = switches[name]
    assert.strictEqual(turned(name, true), `${name} is on now (change 3), by alice: INC-42\n${means}`)
    assert.strictEqual(turned(name, false), `${name} is off now (change 3), by alice: INC-42\n${offMeans}`)
    assert.notStrictEqual(means, offMeans)
  })
})
