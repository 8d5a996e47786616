/** Is each row of the guide to degraded modes a test, and each switch in it as the code has it? */
import { assert, describe, it } from "vitest"
import { readdirSync, readFileSync } from "node:fs"
import { switches } from "../../protocol/Switches.ts"

const textOf = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8")

const guide = textOf("../../docs/guides/degraded-modes.md")
const folder = "../integration/"
const tests = readdirSync(new URL(folder, import.meta.url))
  .filter((name) => name.startsWith("degraded"))
  .map((name) => textOf(`${folder}${name}`))
  .join("\n")

/** The cells of each row of the table whose first heading that is. */
const rowsBelow = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const lines = guide.split("\n")
  const at = lines.findIndex((line) => line.startsWith(`| ${heading} `))
  const end = lines.findIndex((line, index) => index > at && !line.startsWith("|"))
  return lines.slice(at + 2, end).map((line) => line.split("|").map((cell) => cell.trim()))
}

describe("the guide to degraded modes", () => {
  it.each(rowsBelow("Condition").map(([, condition = ""]) => condition))("%s: is a test of that name", (condition) => {
    assert.match(tests, new RegExp(`it\\.live\\(\\s*"${condition}"`))
  })

  it("has all conditions that are tested", () => {
    const titles = Array.from(tests.matchAll(/it\.live\(\s*"([^"]+)"/g), ([, title]) => title)
    assert.sameMembers(
      rowsBelow("Condition").map(([, condition]) => condition),
      titles
    )
  })

  it("says of each strategy, of the account and of operators what each condition gives", () => {
    for (const cells of rowsBelow("Condition")) {
      assert.lengthOf(cells, 9)
      assert.notInclude(cells.slice(1, -1), "", cells[1])
    }
  })

  it("names every switch, with how it stands by itself", () => {
    assert.deepStrictEqual(
      rowsBelow("Switch").map(([, name, standing]) => [name, standing]),
      Object.entries(switches).map(([name, { isOn }]) => [`\`${name}\``, isOn ? "on" : "off"])
    )
  })
})
