/** Do columns stand under each other? */
import { assert, it } from "vitest"
import { alignColumns } from "../../bin/alignColumns.ts"

it("alignColumns() makes each column as wide as its widest text", () => {
  const text = alignColumns([
    { name: "name", texts: ["a", "longer"], side: "left" },
    { name: "n", texts: ["10", "9"], side: "right" }
  ])
  assert.strictEqual(text, ["name     n", "a       10", "longer   9"].join("\n"))
})

it("alignColumns() of no rows is the headings", () => {
  assert.strictEqual(alignColumns([{ name: "a", texts: [], side: "left" }]), "a")
})
