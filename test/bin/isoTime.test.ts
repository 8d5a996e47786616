/** Is a moment written the way that the command line reads it? */
import { assert, it } from "vitest"
import { isoTime } from "../../bin/isoTime.ts"
import { parseTime } from "../../bin/parseTime.ts"

it.each([
  [0, "1970-01-01T00:00:00Z"],
  [1670889600500, "2022-12-13T00:00:00.500Z"],
  [-60_000, "1969-12-31T23:59:00Z"]
])("isoTime(%s) is %s, and is read back", (timeMs, text) => {
  assert.strictEqual(isoTime(timeMs), text)
  assert.strictEqual(parseTime(text), timeMs)
})

it("isoTime() of a number beyond the calendar is the number", () =>
  assert.strictEqual(isoTime(1e17), "100000000000000000"))
