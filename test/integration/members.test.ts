/** Do members that share a folder or a server get along, and does one that does not fit stay out? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { connect } from "../../client/connect.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import { untilTrue } from "../support/untilTrue.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))

const configuration = (node: string): string =>
  JSON.stringify({
    sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
    series: [{ node, intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
  })

const makeFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-members-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

const setUp = Effect.map(makeFolder, (folder) => {
  const up = (hostId: string, node = "a", dataDir = join(folder, "data")) => {
    const config = join(folder, `${hostId}.yaml`)
    writeFileSync(config, configuration(node))
    return ReadyProcess.start({
      program,
      args: ["up", "--config", config, "--data-dir", dataDir, "--host-id", hostId],
      logFile: join(folder, `${hostId}.log`)
    })
  }
  return { folder, up, logOf: (hostId: string) => readFileSync(join(folder, `${hostId}.log`), "utf8") }
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("seamless up", () => {
  it.live("prints that it serves, joins the server of its folder, and the first may leave and come back", () =>
    Effect.gen(function* () {
      const { up } = yield* setUp
      const first = yield* up("first")
      const ready = JSON.parse(first.line)
      assert.strictEqual(ready.ready, true)
      assert.strictEqual(ready.hostId, "first")
      assert.match(ready.nats, /^nats:\/\/127\.0\.0\.1:\d+$/)
      const second = yield* up("second")
      assert.strictEqual(JSON.parse(second.line).nats, ready.nats)
      yield* first.stop
      yield* second.stop
      const again = yield* up("third")
      // the same port, so that clients find it again
      assert.strictEqual(JSON.parse(again.line).nats, ready.nats)
      const client = yield* Effect.acquireRelease(
        Effect.promise(() => connect({ servers: ready.nats })),
        (opened) => Effect.promise(() => opened.close())
      )
      assert.strictEqual((yield* Effect.promise(() => client.health())).status, "ok")
    })
  )

  it.live("ends when its server does, and says so; the folder is free for the next", () =>
    Effect.gen(function* () {
      const { folder, logOf, up } = yield* setUp
      const first = yield* up("first")
      const { pid } = JSON.parse(readFileSync(join(folder, "data", "nats.json"), "utf8"))
      process.kill(pid, "SIGKILL")
      yield* untilTrue(
        "the host ends",
        Effect.sync(() => !isAlive(first.pid))
      )
      assert.match(logOf("first"), /the embedded nats-server ended by itself/i)
      yield* up("second")
    })
  )

  it.live("refuses to run beside a member with another configuration, and says so", () =>
    Effect.gen(function* () {
      const { logOf, up } = yield* setUp
      yield* up("first")
      const other = yield* Effect.exit(up("other", "b"))
      assert.strictEqual(other._tag, "Failure")
      assert.match(logOf("other"), /ClusterDisagreement.*configuration/s)
    })
  )
})
