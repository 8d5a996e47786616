/** Can a test end, freeze and start again the processes that it was given? */
import { assert, describe, it } from "@effect/vitest"
import { Kvm } from "@nats-io/kv"
import { Effect, Exit, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { startConnection } from "../support/ClusterHarness.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import { untilTrue } from "../support/untilTrue.ts"

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const keep = Effect.fnUntraced(function* (url: string, text: string) {
  const nc = yield* startConnection(url)
  const bucket = yield* Effect.promise(() => new Kvm(nc).create("kept"))
  return yield* Effect.promise(() => bucket.put("key", text))
}, Effect.scoped)

const kept = Effect.fnUntraced(function* (url: string) {
  const nc = yield* startConnection(url)
  const bucket = yield* Effect.promise(() => new Kvm(nc).open("kept"))
  const entry = yield* Effect.promise(() => bucket.get("key"))
  return [entry?.string(), entry?.revision]
}, Effect.scoped)

describe("NatsServer", () => {
  it.live("start() serves JetStream on loopback, with payloads of 8 MB", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      const { info } = yield* startConnection(server.url)
      assert.deepStrictEqual([info?.host, info?.port], ["127.0.0.1", server.port])
      assert.deepStrictEqual([info?.max_payload, info?.jetstream], [8 * 1024 * 1024, true])
    })
  )

  it.live("start keeps the port and a key's value after a stop, and after a kill with every write synced", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start({ syncInterval: "always" })
      const { port, url } = server
      const pids = [server.pid()]
      yield* keep(url, "before the stop")
      yield* server.stop
      assert.isFalse(isAlive(pids[0]!))
      yield* server.start
      assert.deepStrictEqual(yield* kept(url), ["before the stop", 1])
      yield* keep(url, "before the kill")
      pids.push(server.pid())
      yield* server.kill
      assert.isFalse(isAlive(pids[1]!))
      yield* server.start
      assert.deepStrictEqual(yield* kept(url), ["before the kill", 2])
      assert.deepStrictEqual([server.port, server.url], [port, url])
      assert.strictEqual(new Set([...pids, server.pid()]).size, 3)
    })
  )

  it.live("start brings back whoever is connected: the address is the same", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      const nc = yield* startConnection(server.url)
      nc.subscribe("question", { callback: (_, message) => void message.respond("answer") })
      yield* server.kill
      yield* server.start
      // what is asked before the client notices is lost with the connection
      const ask = Effect.promise(() => nc.request("question", "", { timeout: 200 }).catch(() => undefined))
      yield* untilTrue(
        "the subscriber answers again",
        Effect.map(ask, (answer) => answer?.string() === "answer")
      )
    })
  )

  it.live("start dies where it runs already: two on one store would ruin it", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      const pid = server.pid()
      assert.isTrue(Exit.hasDies(yield* Effect.exit(server.start)))
      assert.strictEqual(server.pid(), pid)
    })
  )

  it.live("freeze lets it answer nobody until thaw; what was asked meanwhile is answered then", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      const nc = yield* startConnection(server.url)
      yield* server.freeze
      let isAnswered = false
      const answered = nc.flush().then(() => (isAnswered = true))
      // another that is not frozen has started and answered by now
      yield* NatsServer.start()
      assert.isFalse(isAnswered)
      yield* server.thaw
      yield* Effect.promise(() => answered)
      assert.isTrue(isAnswered)
    })
  )

  it.live("stop and kill end it while it is frozen, and so does the end of the scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const server = yield* NatsServer.start().pipe(Scope.provide(scope))
      for (const end of [server.stop, server.kill]) {
        yield* server.freeze
        yield* end
        assert.isFalse(isAlive(server.pid()))
        yield* server.start
      }
      const store = /Store Directory: +"(.+)"/.exec(server.log())?.[1]
      assert.isTrue(existsSync(store!))
      yield* server.freeze
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(server.pid()))
      assert.isFalse(existsSync(store!))
    })
  )
})

/** Says that it is ready, then answers each line by itself, and `count N` by N lines; says when it is told to stop. */
const echo = `
import { createInterface } from "node:readline"
createInterface(process.stdin).on("line", (line) => {
  const [, count] = /^count (\\d+)$/.exec(line) ?? []
  if (count === undefined) console.log(line)
  else console.log(Array.from({ length: Number(count) }, (_, index) => index).join("\\n"))
})
process.on("SIGTERM", () => {
  console.log("asked to stop")
  process.exitCode = 0
  process.stdin.destroy()
})
// only now: whoever reads it may ask to stop at once
console.log("ready")
`

const startEcho = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-echo-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const program = join(folder, "echo.ts")
  writeFileSync(program, echo)
  return yield* ReadyProcess.start({ program, args: [] })
})

const untilPrinted = (child: ReadyProcess.ReadyProcess, last: string) =>
  untilTrue(
    `the last line is ${last}`,
    Effect.sync(() => child.lines().at(-1) === last)
  )

describe("ReadyProcess", () => {
  it.live("lines() gives what was printed after the ready line; send() writes a line of input", () =>
    Effect.gen(function* () {
      const child = yield* startEcho
      assert.strictEqual(child.line, "ready")
      assert.deepStrictEqual(child.lines(), [])
      yield* child.send("one")
      yield* child.send("two")
      yield* untilPrinted(child, "two")
      assert.deepStrictEqual(child.lines(), ["one", "two"])
    })
  )

  it.live("lines() keeps the last 10,000", () =>
    Effect.gen(function* () {
      const child = yield* startEcho
      yield* child.send("count 25000")
      yield* untilPrinted(child, "24999")
      assert.lengthOf(child.lines(), 10_000)
      assert.strictEqual(child.lines()[0], "15000")
    })
  )

  it.live("lines() has all of them once the process has ended, and send() is lost then", () =>
    Effect.gen(function* () {
      const child = yield* startEcho
      yield* child.stop
      assert.deepStrictEqual(child.lines(), ["asked to stop"])
      yield* child.send("too late")
      yield* Effect.all([child.freeze, child.thaw, child.stop, child.kill])
      assert.deepStrictEqual(child.lines(), ["asked to stop"])
    })
  )

  it.live("freeze stands it still at once; thaw lets it go on with what came meanwhile", () =>
    Effect.gen(function* () {
      const child = yield* startEcho
      yield* child.freeze
      assert.match(execFileSync("ps", ["-o", "stat=", "-p", String(child.pid)], { encoding: "utf8" }), /^T/)
      yield* child.send("held")
      // another that is not frozen has started and answered by now
      const other = yield* startEcho
      yield* other.send("passed")
      yield* untilPrinted(other, "passed")
      assert.deepStrictEqual(child.lines(), [])
      yield* child.thaw
      yield* untilPrinted(child, "held")
    })
  )

  it.live("stop asks a frozen one to end, which thaws it; kill ends a frozen one outright", () =>
    Effect.gen(function* () {
      const asked = yield* startEcho
      yield* asked.freeze
      yield* asked.stop
      assert.deepStrictEqual(asked.lines(), ["asked to stop"])
      const killed = yield* startEcho
      yield* killed.freeze
      yield* killed.kill
      assert.isFalse(isAlive(killed.pid))
      assert.deepStrictEqual(killed.lines(), [])
    })
  )
})
