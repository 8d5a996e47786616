/** Does a record become a line of a table? */
import { assert, it } from "vitest"
import { numberText, orAbsent, tableOf } from "../../bin/tableOf.ts"

it("tableOf() has a line a row, with each column to its side", () => {
  const rows = [
    { name: "a", count: 10 },
    { name: "", count: undefined }
  ]
  const text = tableOf(rows, [
    ["name", ({ name }) => orAbsent(name)],
    ["n", ({ count }) => numberText(count), "right"]
  ])
  assert.strictEqual(text, ["name   n", "a     10", "-      -"].join("\n"))
})
