/** Is the page of the protocol enough to build a client that reads and writes what the golden vectors say? */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { runPlain } from "../support/runPlain.ts"

const vectors = fileURLToPath(new URL("../../protocol/vectors", import.meta.url))
const names = readdirSync(vectors).filter((name) => name !== "README.md")

const folders: Array<string> = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

/** The vectors in a folder of the test's own. */
const copied = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "seamless-vectors-"))
  folders.push(folder)
  cpSync(vectors, folder, { recursive: true })
  return folder
}

/** What the plain client makes of each file of a folder: how many checks it held, where they are all right. */
const check = async (folder: string) => {
  const { code, err, out } = await runPlain("vectors.js", [folder])
  const lines = [...out.matchAll(/^(ok|FAILED) +(\S+) \((\d+) checks\)$/gm)]
  const checked = lines.map(([, verdict, file = "", count]) => [file, verdict === "ok" ? Number(count) : verdict])
  return { code, checked: Object.fromEntries(checked) as Readonly<Record<string, number | string>>, told: out + err }
}

const edit = (path: string, from: string, to: string): void => {
  const text = readFileSync(path, "utf8")
  expect(text).toContain(from)
  writeFileSync(path, text.replace(from, to))
}

describe("a client that was written from the page of the protocol alone", () => {
  it("reproduces every golden vector", async () => {
    const { checked, code, told } = await check(vectors)
    expect([code, Object.keys(checked)], told).toEqual([0, names])
    for (const name of names) expect(checked[name], name).toBeGreaterThan(0)
  })

  it("notices a file that it does not know, and values that are not what they should be", async () => {
    const folder = copied()
    writeFileSync(join(folder, "another.json"), "{}")
    edit(join(folder, "tokens.json"), "=3A", "=3B")
    edit(join(folder, "contentHashes.json"), '"contentHash": "', '"contentHash": "0')
    const { checked, code } = await check(folder)
    expect(code).toBe(1)
    const failed = Object.keys(checked).filter((name) => checked[name] === "FAILED")
    expect(failed).toEqual(["another.json", "contentHashes.json", "tokens.json"])
  })
})
