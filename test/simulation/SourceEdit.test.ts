/** Is an edit made exactly where it fits, and does everything know it that is loaded behind it? */
import { assert, describe, it } from "vitest"
import { runNode } from "./runNode.ts"
import { smallWorld } from "./smallWorld.ts"
import { fits } from "./SourceEdit.ts"

const urlOf = (file: string): string => new URL(file, import.meta.url).href

/** Runs a module after edits were made, and gives what it prints. */
const runWith = (edits: string, module: string) =>
  runNode([
    "--input-type=module",
    "--eval",
    `import { apply } from ${JSON.stringify(urlOf("SourceEdit.ts"))}\napply(${edits})\n${module}`
  ])

const slotCount = `const { manifest } = await import(${JSON.stringify(urlOf("../../protocol/wire/Manifest.ts"))})
process.stdout.write(String(manifest.slotCount))`

const edit = (from: string): string =>
  JSON.stringify([{ file: "protocol/wire/Manifest.ts", from, to: "slotCount: 4 + 3" }])

describe("fits()", () => {
  it("fits() holds for what the file says once", () => {
    assert.isTrue(fits({ file: "protocol/wire/Manifest.ts", from: "slotCount: 256", to: "" }))
  })

  it.each([
    ["never", "slotCount: 257"],
    ["more than once", "slotCount"]
  ])("fits() does not hold for what the file says %s", (_, from) => {
    assert.isFalse(fits({ file: "protocol/wire/Manifest.ts", from, to: "" }))
  })

  it.each(smallWorld)("$from of $file becomes $to in a small world", (small) => {
    assert.isTrue(fits(small))
    assert.notStrictEqual(small.from, small.to)
  })
})

describe.concurrent("apply()", () => {
  it("apply() changes what is loaded from then on", async () => {
    const { code, err, out } = await runWith(edit("slotCount: 256"), slotCount)
    assert.strictEqual(out, "7", err)
    assert.strictEqual(code, 0)
  })

  it("apply() changes nothing where it is not asked to", async () => {
    assert.strictEqual((await runWith("[]", slotCount)).out, "256")
  })

  it("apply() lets nothing be loaded that an edit does not fit", async () => {
    const { code, err, out } = await runWith(edit("slotCount: 257"), slotCount)
    assert.strictEqual(out, "")
    assert.strictEqual(code, 1)
    assert.include(err, "the edit of protocol/wire/Manifest.ts does not fit: slotCount: 257")
  })
})

describe.concurrent("bootstrap", () => {
  const bootstrap = ["--import", urlOf("bootstrap.ts"), "--input-type=module", "--eval", slotCount]

  it("bootstrap makes the world small", async () => {
    const { err, out } = await runNode(bootstrap, { SEAMLESS_SIM_MUTANT: "" })
    assert.strictEqual(out, "8", err)
  })

  it("bootstrap refuses a mutant that there is none of", async () => {
    const { code, err, out } = await runNode(bootstrap, { SEAMLESS_SIM_MUTANT: "no-such" })
    assert.notStrictEqual(code, 0)
    assert.strictEqual(out, "")
    assert.include(err, "there is no mutant no-such")
  })
})
