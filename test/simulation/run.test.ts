/** Does the command say how it is used, and end with 2 when it is used otherwise? */
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { mutants } from "./mutants.ts"
import { runNode } from "./runNode.ts"

const sim = (...args: ReadonlyArray<string>) => runNode([fileURLToPath(new URL("run.ts", import.meta.url)), ...args])

describe.concurrent("run", () => {
  it("sim --help says how it is used, and names all mutants", async () => {
    const { code, err, out } = await sim("--help")
    assert.strictEqual(code, 0)
    assert.strictEqual(err, "")
    assert.match(out, /^usage: npm run sim/)
    for (const { name } of mutants) assert.include(out, name)
  })

  it.each([
    [["--seeds", "0"], "--seeds 0: give a whole number from 1 on"],
    [["--seeds", "many"], "--seeds many: give a whole number from 1 on"],
    [["--from", "1.5"], "--from 1.5: give a whole number from 0 on"],
    [["--jobs", "0"], "--jobs 0: give a whole number from 1 on"],
    [["--replay", "x"], "--replay x: give a whole number from 0 on"],
    [["--mutant", "no-such"], "there is no mutant no-such"]
  ])("sim %j ends with 2, and says what is wrong and what would be right", async (args, expected) => {
    const { code, err, out } = await sim(...args)
    assert.strictEqual(code, 2)
    assert.strictEqual(out, "")
    assert.isTrue(err.startsWith(`${expected}\n\nusage: `), err)
    assert.notMatch(err, /^\s+at /m)
  })
})
