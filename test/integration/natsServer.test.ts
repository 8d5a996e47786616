/** Does scripts/natsServer.ts find the right server, and run a command with it? */
import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { afterEach, beforeEach } from "vitest"

const script = join(import.meta.dirname, "..", "..", "scripts", "natsServer.ts")

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "find-server-")))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A program that claims to be nats-server of a version. */
const fakeServer = (version: string): string => {
  const file = join(folder, version, "nats-server")
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho 'nats-server: ${version}'\n`)
  chmodSync(file, 0o755)
  return file
}

interface Settings {
  readonly setting?: string
  /** Servers whose folders come first on PATH. */
  readonly path?: ReadonlyArray<string>
}

const environment = ({ setting = "", path = [] }: Settings): NodeJS.ProcessEnv => ({
  ...process.env,
  SEAMLESS_NATS_SERVER: setting,
  PATH: [...path.map((file) => dirname(file)), process.env["PATH"]].join(delimiter)
})

const find = (settings: Settings, args: ReadonlyArray<string> = []) =>
  spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env: environment(settings) })

/** A command that prints the server it was given. */
const print = ["--", process.execPath, "-p", "process.env.SEAMLESS_NATS_SERVER"]

describe("natsServer", () => {
  it("takes the one on PATH that is new enough, and passes over those too old", () => {
    const [old, older, good] = [fakeServer("v2.9.10"), fakeServer("v2.11.99"), fakeServer("v2.12.0")]
    const found = find({ path: [old, older, good] })
    assert.deepStrictEqual([found.status, found.stdout], [0, `${good}\n`])
    assert.include(found.stderr, `passed over ${old}`)
    assert.include(found.stderr, `passed over ${older}`)
  })

  it("takes the setting before PATH", () => {
    const [named, other] = [fakeServer("v2.12.1"), fakeServer("v3.0.0")]
    const found = find({ setting: named, path: [other] })
    assert.deepStrictEqual([found.status, found.stdout], [0, `${named}\n`])
  })

  it.each([["v2.9.10"], ["no version"]])("exits 2 when the setting names an unusable server: %s", (version) => {
    const found = find({ setting: fakeServer(version), path: [fakeServer("v2.15.1")] })
    assert.deepStrictEqual([found.status, found.stdout], [2, ""])
    assert.match(found.stderr, /SEAMLESS_NATS_SERVER names .*--nats URL/s)
  })

  it("exits 2 when the setting names nothing that runs, and on an unknown argument", () => {
    assert.strictEqual(find({ setting: join(folder, "none") }).status, 2)
    assert.strictEqual(find({}, ["--what"]).status, 2)
  })

  it("gives the command its server and passes its exit code on", () => {
    const server = fakeServer("v2.15.1")
    const printed = find({ path: [server] }, print)
    assert.deepStrictEqual([printed.status, printed.stdout], [0, `${server}\n`])
    assert.strictEqual(find({ path: [server] }, ["--", "sh", "-c", "exit 7"]).status, 7)
    assert.strictEqual(find({ path: [server] }, ["--", "sh", "-c", "kill -KILL $$"]).status, 137)
    assert.strictEqual(find({ path: [server] }, ["--", join(folder, "none")]).status, 127)
  })

  it("passes a signal on to the command", async () => {
    const program = "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready')"
    const child = spawn(process.execPath, [script, "--", process.execPath, "-e", program], {
      env: environment({ path: [fakeServer("v2.15.1")] }),
      stdio: ["ignore", "pipe", "inherit"]
    })
    await once(child.stdout, "data")
    child.kill("SIGTERM")
    assert.deepStrictEqual(await once(child, "exit"), [9, null])
  })

  it("prints its help", () => {
    const found = find({}, ["--help"])
    assert.deepStrictEqual([found.status, found.stderr], [0, ""])
    assert.include(found.stdout, "-- COMMAND")
  })
})
