/** Is the range that is meant the one that is named, and is half a range refused? */
import { Option, Result } from "effect"
import { assert, it } from "vitest"
import { namedRange } from "../../bin/rangeFlags.ts"

const some = Option.some<number>
const none = Option.none<number>()

it("namedRange() gives a range, or none where none is named", () => {
  assert.deepStrictEqual(namedRange({ from: some(0), to: some(60_000) }), Result.succeed(Option.some([0, 60_000])))
  assert.deepStrictEqual(namedRange({ from: none, to: none }), Result.succeed(Option.none()))
})

it.each([
  [some(0), none, "--from without --to: a range has both"],
  [none, some(0), "--to without --from: a range has both"],
  [some(60_000), some(60_000), "--from 1970-01-01T00:01:00Z is not before --to 1970-01-01T00:01:00Z"]
])("namedRange() of %j and %j says what is wrong", (from, to, problem) => {
  assert.deepStrictEqual(namedRange({ from, to }), Result.fail(problem))
})
