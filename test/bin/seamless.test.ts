/** Does the command itself end with the code that its end deserves, and write to the right place? */
import { spawn } from "node:child_process"
import { assert, describe, it } from "vitest"

interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const program = new URL("../../bin/seamless.ts", import.meta.url).pathname

/** Runs the real binary, without an address in the environment. */
const seamless = (...args: ReadonlyArray<string>): Promise<Run> =>
  new Promise((resolve) => {
    const { SEAMLESS_NATS: _, ...env } = process.env
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
    const out: Array<string> = []
    const err: Array<string> = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text))
    child.on("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }))
  })

const noStack = ({ err }: Run) => assert.notMatch(err, /^\s+at /m)

const span = ["a", "1m", "0", "60000"]

describe.concurrent("wrong usage", () => {
  it.each([
    ["no command", [], /USAGE/],
    ["an unknown command", ["reed"], /Unknown subcommand "reed"[^]*read/],
    ["an unknown flag", ["read", ...span, "--foo"], /--foo/],
    ["an absent argument", ["read", "a", "1m"], /start/],
    ["an argument too many", ["coverage", "a", "1m", "more"], /"more"/],
    ["a time that is none", ["read", "a", "1m", "2022-02-30", "0"], /<start>: "2022-02-30".*ISO 8601/],
    ["an unknown strategy", ["read", ...span, "--strategy", "fast"], /"fast".*fail_fast, partial_fill/],
    ["a deadline that is none", ["ensure", ...span, "--deadline", "0"], /--deadline.*1 or more/],
    ["an unknown format", ["read", ...span, "--format", "xml"], /"xml".*"table" \| "json"/],
    ["no configuration", ["up"], /--config/]
  ])("seamless with %s ends with 2, says what is wrong and what would be right", async (_, args, expected) => {
    const run = await seamless(...args)
    assert.strictEqual(run.code, 2)
    assert.strictEqual(run.out, "")
    assert.match(run.err, expected)
    assert.match(run.err, /usage/i)
    noStack(run)
  })
})

describe.concurrent("help", () => {
  it("seamless --version writes the version", async () => {
    const { code, out } = await seamless("--version")
    assert.strictEqual(code, 0)
    assert.match(out, /^seamless \d+\.\d+\.\d+\n$/)
  })

  it.each([[[]], [["up"]], [["read"]], [["ensure"]], [["coverage"]]])(
    "seamless %j --help has examples",
    async (args) => {
      const { code, err, out } = await seamless(...args, "--help")
      assert.strictEqual(code, 0)
      assert.strictEqual(err, "")
      assert.match(out, /EXAMPLES[^]*seamless /)
    }
  )
})

describe.concurrent("failures", () => {
  it("seamless read ends with 4 and names the ways to an address", async () => {
    const run = await seamless("read", ...span, "--data-dir", "/none/such")
    assert.strictEqual(run.code, 4)
    assert.strictEqual(run.out, "")
    assert.match(run.err, /^NoAddress: .*--nats.*SEAMLESS_NATS.*--data-dir.*seamless up/)
    noStack(run)
  })

  it("seamless read ends with 4 where nobody answers, in JSON where that was asked; flags may come first", async () => {
    const run = await seamless(
      "read",
      "--format",
      "json",
      "--nats",
      "nats://127.0.0.1:1",
      "--strategy",
      "SEAMLESS",
      ...span
    )
    assert.strictEqual(run.code, 4)
    assert.deepInclude(JSON.parse(run.err).error, { tag: "NobodyAnswers", servers: "nats://127.0.0.1:1" })
  })

  it("seamless up ends with 4 and names the file that is not there", async () => {
    const run = await seamless("up", "--config", "/none/such.yaml")
    assert.strictEqual(run.code, 4)
    assert.strictEqual(run.err, "InvalidConfiguration: /none/such.yaml: there is no such file\n")
  })
})
