/** Is a strategy known by its names, and only by them? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { gapRule, parse, Strategy } from "../../../protocol/history/Strategy.ts"
import { law } from "../../support/law.ts"

describe("Strategy", () => {
  it.each(Strategy.literals)("parse() takes %s in lower and upper case", (name) => {
    expect([parse(name), parse(name.toUpperCase())]).toEqual([name, name])
  })
  it.each(["", "seamles", "seamless ", "fail-fast", "FAILFAST"])("parse() refuses %j", (text) =>
    expect(parse(text)).toBeUndefined()
  )
  law("parse() gives a strategy or nothing", [fc.string()], (text) => {
    const known: ReadonlyArray<string | undefined> = Strategy.literals
    expect(parse(text) === undefined || known.includes(parse(text))).toBe(true)
  })
  it("each strategy has a rule for gaps of its own", () => {
    expect(Object.keys(gapRule)).toEqual(Strategy.literals)
    expect(new Set(Object.values(gapRule)).size).toBe(Strategy.literals.length)
  })
})
