/**
 * What does a plain program get that installs the package?
 *
 * The client is built as for a release, into a folder where nothing else is installed but the libraries that it may
 * load: were it to open another one, or a host's, it would not start. The programs know nothing of Effect.
 */
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))
const modules = join(root, "node_modules")
const tsc = join(modules, ".bin", "tsc")

/** All that the client may load beside itself and Node. */
const libraries = ["@nats-io/transport-node", "apache-arrow", "effect", "msgpackr"]

/** Grows with what a caller can do; beyond it, look for what came along. */
const bytesMax = 400_000

const javaScript = `
import { connect, SeamlessError } from "seamless"

try {
  await connect({ servers: "nats://127.0.0.1:1", timeoutMs: 500 })
} catch (error) {
  console.log(error instanceof SeamlessError, error.tag, error.code, error.isRetryable)
}
`

const typeScript = `
import { connect, SeamlessError, type HistoryMeta, type HistoryResult } from "seamless"

export const use = async (): Promise<void> => {
  const client = await connect({ servers: "nats://127.0.0.1:4222" })
  const asked = { strategy: "fail_fast", sla: { totalDeadlineMs: 50 } } as const
  const result: HistoryResult = await client.read("a", "1m", 0, new Date(), asked)
  const meta: HistoryMeta = result.meta
  const version: number = meta.coverageVersion
  const states: ReadonlyArray<"missing" | "deferred" | "unavailable" | "quarantined"> = meta.missingRanges.map(
    ({ state }) => state
  )
  for await (const df of client.stream("a", "1m", 0, 60_000)) {
    const rows: number = df.length
    void [rows, version, states]
  }
  for await (const change of client.watch()) {
    const added: ReadonlyArray<readonly [start: number, end: number]> = change.added
    void added
  }
  // @ts-expect-error it is a number
  const text: string = meta.coverageVersion
  // @ts-expect-error there is no such strategy
  await client.read("a", "1m", 0, 1, { strategy: "hope" })
  void text
}

export const knownOf = (error: unknown): ReadonlyArray<string> =>
  error instanceof SeamlessError && error.is("UnknownSeries") ? error.fields.known : []
`

const run = promisify(execFile)

describe("the package, built", () => {
  const folder = mkdtempSync(join(tmpdir(), "seamless-built-"))
  const installed = join(folder, "node_modules", "seamless")
  const dist = join(installed, "dist")

  beforeAll(async () => {
    mkdirSync(dist, { recursive: true })
    cpSync(join(root, "package.json"), join(installed, "package.json"))
    for (const library of libraries) {
      const link = join(installed, "node_modules", library)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(modules, library), link)
    }
    const settings = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        rootDir: root,
        outDir: dist,
        types: ["node"],
        typeRoots: [join(modules, "@types")]
      },
      files: [join(root, "client", "index.ts")],
      include: []
    }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings))
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }))
    await run(tsc, ["-p", folder])
  }, 120_000)

  afterAll(() => rmSync(folder, { recursive: true }))

  it("is used from plain JavaScript, with nothing installed but the libraries that it may load", async () => {
    const program = join(folder, "main.js")
    writeFileSync(program, javaScript)
    const { stderr, stdout } = await run(process.execPath, [program], { cwd: folder })
    assert.strictEqual(stdout, "true MeshUnavailable 503 true\n")
    assert.strictEqual(stderr, "")
  })

  it("is used from TypeScript by types that are plain", async () => {
    writeFileSync(join(folder, "use.ts"), typeScript)
    const args = ["--ignoreConfig", "--noEmit", "--strict", "--skipLibCheck", "--types", "", "--module", "nodenext"]
    const { stdout } = await run(tsc, [...args, "--target", "es2022", "use.ts"], { cwd: folder })
    assert.strictEqual(stdout, "")
  })

  it("is small, and has no code of a host", () => {
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"))
    assert.sameMembers([...new Set(files.map((path) => path.split("/")[0]))], ["client", "protocol", "runtime"])
    const bytes = files.reduce((sum, path) => sum + statSync(join(dist, path)).size, 0)
    assert.isBelow(bytes, bytesMax)
  })
})
