/** Is a host started with the same options of node, whoever starts it? */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { hostOptions, nodeOptions } from "../../bench/support/nodeOptions.ts"
import { repositoryRoot } from "../support/source/SourceFile.ts"

const textOf = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8")

const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> }

describe("hostOptions", () => {
  it("nodeOptions() gives what a file's first line says behind node", () => {
    assert.deepStrictEqual(hostOptions, ["--max-semi-space-size=4"])
    assert.deepStrictEqual(nodeOptions("examples/exchange/exchange.ts"), [])
  })

  it.each(["seamless", "start"])("npm's script %s starts node with them", (name) => {
    assert.include(scripts[name], `node ${hostOptions.join(" ")} --conditions=`)
  })

  it("no other script starts a host", () => {
    const starting = Object.keys(scripts).filter((name) => scripts[name]?.includes("bin/seamless.ts"))
    assert.deepStrictEqual(starting, ["seamless", "start"])
  })

  it("the demonstration starts its hosts with them", () => {
    assert.include(textOf("examples/demo/demo.ts"), `const hostOptions = ${JSON.stringify(hostOptions)}`)
  })
})
