/** May `--top` stand alone? */
import { assert, it } from "vitest"
import { dropBareTop } from "../../bin/dropBareTop.ts"

it.each([
  [["actors", "--top"], ["actors"]],
  [
    ["actors", "--top", "--type", "a"],
    ["actors", "--type", "a"]
  ],
  [
    ["actors", "--top", "3"],
    ["actors", "--top", "3"]
  ],
  [
    ["actors", "--top", "x"],
    ["actors", "--top", "x"]
  ]
])("dropBareTop(%j) is %j", (args, expected) => assert.deepStrictEqual(dropBareTop(args), expected))
