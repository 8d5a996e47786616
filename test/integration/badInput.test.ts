/** Is wrong input refused with what would be right, without a stack trace, and with nothing touched? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))
const file = BarFile.barFiles.fullDay
const { node } = file
const day = "2022-12-13"

/** What a command ends with, and what it writes. */
const run = (args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (part: Buffer) => (stdout += part.toString()))
    child.stderr.on("data", (part: Buffer) => (stderr += part.toString()))
    await once(child, "close")
    return { code: child.exitCode, stdout, stderr }
  })

// a frame of a stack trace: nobody who mistyped wants to see one
const stackFrame = /^\s+at .+:\d+:\d+\)?$/m

const wrong = [
  ["an unknown series", ["ohlcv:binance:NO/SUCH", "1m", day, "2022-12-14"], /UnknownSeries.*BTC\/BUSD/s],
  ["an unaligned range", [node, "1m", `${day}T00:00:30Z`, `${day}T01:00:00Z`], /2022-12-13T00:00:00Z.*1670889600000/s],
  ["an interval that is none", [node, "7x", day, "2022-12-14"], /"7x".*1m/s],
  ["more bars than one request may have", [node, "1m", "2000-01-01", "2022-12-01"], /10000000/]
] as const

describe("seamless read", () => {
  it.live(
    "refuses wrong input with exit code 4, or 2 for wrong usage, and what would be right, and leaves the roots alone",
    () =>
      Effect.gen(function* () {
        const { servers } = yield* Cluster.start({ files: [file] })
        const nc = yield* Cluster.startConnection(servers)
        for (const [what, args, says] of wrong) {
          const { code, stderr, stdout } = yield* run(["read", ...args, "--nats", servers])
          assert.deepStrictEqual([code, stdout], [4, ""], what)
          assert.match(stderr, says, what)
          assert.notMatch(stderr, stackFrame, what)
          const json = yield* run(["read", ...args, "--nats", servers, "--format", "json"])
          assert.hasAllKeys(JSON.parse(json.stderr), ["error"], what)
        }
        // what the command line itself shows to be wrong is told as wrong usage, before anybody is asked
        const reversed = yield* run(["read", node, "1m", "2022-12-14", day, "--nats", servers])
        assert.deepStrictEqual([reversed.code, reversed.stdout], [2, ""], "a start after its end")
        assert.match(reversed.stderr, /start/)
        assert.notMatch(reversed.stderr, stackFrame)
        const root = yield* Effect.promise(() => nc.request("$JS.API.STREAM.INFO.KV_seamless-coverage", ""))
        assert.strictEqual(root.json<{ readonly state: { readonly messages: number } }>().state.messages, 0)
      })
  )
})

describe("seamless up", () => {
  it.live("tells every mistake of its configuration at once, each with its path", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-config-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const config = join(folder, "wrong.yaml")
      writeFileSync(
        config,
        `sources: { binance: { kind: exchange, exchange: binance, baseUrl: "not a url" } }
series: [ { node: "a", intervals: [7x], sources: [kraken], symbol: A/B, colour: red } ]
`
      )
      const { code, stderr, stdout } = yield* run(["up", "--config", config, "--data-dir", join(folder, "data")])
      assert.deepStrictEqual([code, stdout], [4, ""])
      for (const path of [
        "sources.binance.baseUrl",
        "series[0].intervals[0]",
        "series[0].sources[0]",
        "series[0].colour"
      ])
        assert.include(stderr, path)
      assert.notMatch(stderr, stackFrame)
      const absent = yield* run(["up", "--config", join(folder, "absent.yaml")])
      assert.strictEqual(absent.code, 4)
      assert.include(absent.stderr, "absent.yaml")
      assert.notMatch(absent.stderr, stackFrame)
    })
  )
})
