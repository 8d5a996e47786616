/** Whom does a command ask, when several name an address? */
import { Effect, Option } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it, vi } from "vitest"
import { findAddress } from "../../bin/findAddress.ts"

let dataDir = ""

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "seamless-"))
  vi.stubEnv("SEAMLESS_NATS", "")
})

afterEach(() => {
  rmSync(dataDir, { recursive: true })
  vi.unstubAllEnvs()
})

const writeAddress = (running: boolean) =>
  writeFileSync(join(dataDir, "nats.json"), JSON.stringify({ url: "nats://127.0.0.1:3", pid: 1, running }))

const found = async (nats: Option.Option<string> = Option.none()) =>
  (await Effect.runPromise(findAddress({ nats, dataDir }))).servers

it("findAddress() takes the flag before all else", async () => {
  vi.stubEnv("SEAMLESS_NATS", "nats://127.0.0.1:2")
  writeAddress(true)
  assert.strictEqual(await found(Option.some("nats://127.0.0.1:1")), "nats://127.0.0.1:1")
})

it("findAddress() takes SEAMLESS_NATS before the data folder", async () => {
  vi.stubEnv("SEAMLESS_NATS", "nats://127.0.0.1:2")
  writeAddress(true)
  assert.strictEqual(await found(), "nats://127.0.0.1:2")
})

it("findAddress() takes the address in the data folder", async () => {
  writeAddress(true)
  assert.strictEqual(await found(), "nats://127.0.0.1:3")
})

it("findAddress() names all ways when there is none, or its server was stopped", async () => {
  const failure = Effect.map(Effect.flip(findAddress({ nats: Option.none(), dataDir })), ({ message }) => message)
  const message = await Effect.runPromise(failure)
  for (const way of [dataDir, "--nats", "SEAMLESS_NATS", "--data-dir", "seamless up"]) assert.include(message, way)
  writeAddress(false)
  assert.strictEqual(await Effect.runPromise(failure), message)
})
