/** Does the guide to strategies have the defaults that the code has? */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import * as RequestDefaults from "../../protocol/history/RequestDefaults.ts"
import * as SlaPolicy from "../../protocol/history/SlaPolicy.ts"
import { Strategy } from "../../protocol/history/Strategy.ts"

const guide = readFileSync(new URL("../../docs/guides/strategies.md", import.meta.url), "utf8")

/** The cells of each row of the table whose first heading that is, without the headings and the line below them. */
const tableOf = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const lines = guide.split("\n")
  const at = lines.findIndex((line) => line.startsWith(`| ${heading} `))
  const end = lines.findIndex((line, index) => index > at && !line.startsWith("|"))
  const cellsOf = (line: string) => line.split("|").map((cell) => cell.trim())
  return lines.slice(at, end).map((line) => cellsOf(line).slice(1, -1))
}

const namesIn = (cell: string): ReadonlyArray<string> =>
  Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name)

describe("the guide to strategies", () => {
  it("has each default of a policy, by strategy", () => {
    const [headings = [], , ...rows] = tableOf("Default of `sla`")
    const told = headings.slice(1).map((strategy, column) => [
      strategy,
      Object.fromEntries(
        rows.flatMap(([field = "", ...values]) => {
          const value = values[column] ?? ""
          return value === "" ? [] : [[namesIn(field)[0], Number(value)]]
        })
      )
    ])
    assert.deepStrictEqual(Object.fromEntries(told), SlaPolicy.defaults)
    assert.deepStrictEqual(headings.slice(1), Array.from(Strategy.literals))
  })

  it("has a row for each field of a policy", () => {
    const [, , ...rows] = tableOf("Field of `sla`")
    assert.sameMembers(
      rows.flatMap(([cell = ""]) => namesIn(cell)),
      Object.keys(SlaPolicy.SlaPolicy.fields)
    )
  })

  it("has a row for each option, with the service's own word", () => {
    const [, , ...rows] = tableOf("Option")
    const told = new Map(rows.map(([name = "", word = ""]) => [namesIn(name)[0], namesIn(word)]))
    assert.includeMembers(Array.from(told.keys()), [...Object.keys(RequestDefaults.service.read), "sla"])
    for (const name of ["strict", "onStrictViolation", "align", "consistency", "fill", "returnMeta"] as const) {
      assert.deepStrictEqual(told.get(name), [String(RequestDefaults.service.read[name])], name)
      assert.strictEqual(RequestDefaults.service.ensure[name], RequestDefaults.service.read[name], name)
    }
    const both = [RequestDefaults.service.read.strategy, RequestDefaults.service.ensure.strategy]
    assert.deepStrictEqual(told.get("strategy")?.slice(0, 2), both)
  })

  it("says at which levels each option can be said", () => {
    const [, , ...rows] = tableOf("Option")
    const settable = new Set(Object.keys(RequestDefaults.ReadDefaults.fields))
    for (const [name = "", , where = ""] of rows) {
      const [option = ""] = namesIn(name)
      assert.strictEqual(where.startsWith("yes"), settable.has(option), option)
    }
  })
})
