/** Can each mutant be made of the code as it is? */
import { assert, describe, it } from "vitest"
import { mutants } from "./mutants.ts"
import { smallWorld } from "./smallWorld.ts"
import { fits, type SourceEdit } from "./SourceEdit.ts"

const place = ({ file, from }: SourceEdit): string => `${file}: ${from}`

describe("mutants", () => {
  it("mutants are twelve at least, each with a name and a mistake of its own", () => {
    assert.isAtLeast(mutants.length, 12)
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length)
    assert.strictEqual(new Set(mutants.map(({ mistake }) => mistake)).size, mutants.length)
    for (const { name } of mutants) assert.match(name, /^[a-z]+(-[a-z]+)*$/)
  })

  it.each(mutants)("$name fits the code, each edit exactly once, and changes it", ({ edits }) => {
    assert.isNotEmpty(edits)
    assert.deepStrictEqual(edits.filter((edit) => !fits(edit)).map(place), [])
    for (const { from, to } of edits) assert.notStrictEqual(from, to)
  })

  it.each(mutants)("$name edits another place than the small world does", ({ edits }) => {
    const small = new Set(smallWorld.map(place))
    assert.deepStrictEqual(
      edits.map(place).filter((edited) => small.has(edited)),
      []
    )
  })
})
