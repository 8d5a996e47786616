/** Does a host's own NATS server keep its folder whole, whoever dies? */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Effect, Exit, FileSystem, Option, Schedule, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import process from "node:process"
import * as EmbeddedServer from "../../runtime/nats/EmbeddedServer.ts"
import * as FolderLock from "../../runtime/nats/FolderLock.ts"
import { probeServer } from "../../runtime/nats/probeServer.ts"
import * as ServerFolder from "../../runtime/nats/ServerFolder.ts"
import { binary, startHost } from "./embeddedHost.ts"

const makeFolder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* files.makeTempDirectoryScoped({ prefix: "embedded-server-" })
})

/** Every living process that names the folder: servers and their guards, not the hosts. */
const serversOf = (dataDir: string): ReadonlyArray<string> =>
  execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" })
    .split("\n")
    .filter((args) => args.includes(join(dataDir, "nats.conf")))

const waitUntil = (check: () => boolean) =>
  Effect.sync(check).pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (done) => done }),
    Effect.timeout("5 seconds")
  )

const connection = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(() => connect({ servers: url })),
    (nc) => Effect.promise(() => nc.close())
  )

const store = Effect.fnUntraced(function* (url: string, text: string) {
  const nc = yield* connection(url)
  const manager = yield* Effect.promise(() => jetstreamManager(nc))
  yield* Effect.promise(() => manager.streams.add({ name: "kept", subjects: ["kept"] }))
  yield* Effect.promise(() => jetstream(nc).publish("kept", text))
}, Effect.scoped)

const storedText = Effect.fnUntraced(function* (url: string) {
  const nc = yield* connection(url)
  const manager = yield* Effect.promise(() => jetstreamManager(nc))
  return (yield* Effect.promise(() => manager.streams.getMessage("kept", { last_by_subj: "kept" })))?.string()
}, Effect.scoped)

const pidIn = (dataDir: string): number => Option.getOrThrow(ServerFolder.readState(dataDir)).pid

/** A server in a scope of its own, to be closed before the test ends. */
const startScoped = Effect.fnUntraced(function* (dataDir: string) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const server = yield* EmbeddedServer.start({ dataDir, binary }).pipe(Scope.provide(scope))
  return { ...server, close: Scope.close(scope, Exit.void) }
})

const live = (name: string, test: Effect.Effect<unknown, unknown, NodeServices.NodeServices | Scope.Scope>) =>
  it.live(name, () => test.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

describe("start()", () => {
  live(
    "starts a server that answers, where readAddress() says, with 8 MB payloads",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      assert.isTrue(Option.isNone(yield* EmbeddedServer.readAddress(dataDir)))
      const server = yield* EmbeddedServer.start({ dataDir, binary })
      assert.isTrue(server.started)
      assert.deepStrictEqual(yield* EmbeddedServer.readAddress(dataDir), Option.some(server.url))
      const nc = yield* connection(server.url)
      assert.strictEqual(nc.info?.max_payload, 8 * 1024 * 1024)
      assert.strictEqual(nc.info?.host, "127.0.0.1")
    })
  )

  live(
    "joins the server of another process, and leaves it running",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const host = yield* startHost(dataDir)
      assert.isTrue(host.started)
      yield* store(host.url, "of the first")
      const joined = yield* startScoped(dataDir)
      assert.deepStrictEqual([joined.url, joined.started], [host.url, false])
      assert.strictEqual(yield* storedText(joined.url), "of the first")
      yield* joined.close
      assert.isTrue(yield* probeServer(host.url))
    })
  )

  live(
    "gives one server to all who start at once",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const hosts = yield* Effect.all([startHost(dataDir), startHost(dataDir), startHost(dataDir)], {
        concurrency: "unbounded"
      })
      assert.strictEqual(hosts.filter(({ started }) => started).length, 1)
      assert.strictEqual(new Set(hosts.map(({ url }) => url)).size, 1)
    })
  )

  live(
    "leaves no orphan for 5 seconds after a kill -9 of its process",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const host = yield* startHost(dataDir)
      assert.isAbove(serversOf(dataDir).length, 0)
      yield* host.killOutright
      yield* waitUntil(() => serversOf(dataDir).length === 0)
    })
  )

  live(
    "leaves no orphan for 5 seconds even if the server is frozen",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const host = yield* startHost(dataDir)
      process.kill(pidIn(dataDir), "SIGSTOP")
      yield* host.killOutright
      yield* waitUntil(() => serversOf(dataDir).length === 0)
    })
  )

  live(
    "opens the store only when the server of a killed process is dead, and finds its data on the same port",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const host = yield* startHost(dataDir)
      yield* store(host.url, "before the kill")
      const orphan = pidIn(dataDir)
      // frozen, it outlives its parent by the seconds in which a hasty start would open the store a second time
      process.kill(orphan, "SIGSTOP")
      yield* host.killOutright
      const server = yield* EmbeddedServer.start({ dataDir, binary })
      assert.notStrictEqual(pidIn(dataDir), orphan)
      assert.deepStrictEqual([server.url, server.started], [host.url, true])
      assert.strictEqual(serversOf(dataDir).filter((args) => !args.includes("nats-guard")).length, 1)
      assert.strictEqual(yield* storedText(server.url), "before the kill")
    })
  )

  live(
    "stops its server and the guard with the scope, and starts again on the same port",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const first = yield* startScoped(dataDir)
      yield* store(first.url, "before the stop")
      yield* first.close
      assert.isTrue(Option.isNone(yield* EmbeddedServer.readAddress(dataDir)))
      yield* waitUntil(() => serversOf(dataDir).length === 0)
      const second = yield* startScoped(dataDir)
      assert.deepStrictEqual([second.url, second.started], [first.url, true])
      assert.strictEqual(yield* storedText(second.url), "before the stop")
    })
  )

  live(
    "kills a frozen server when the scope closes",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const server = yield* startScoped(dataDir)
      process.kill(pidIn(dataDir), "SIGSTOP")
      yield* server.close
      yield* waitUntil(() => serversOf(dataDir).length === 0)
    })
  )

  live(
    "leaves no guard behind when the server dies by itself, and frees the folder",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const first = yield* startScoped(dataDir)
      yield* store(first.url, "before the crash")
      process.kill(pidIn(dataDir), "SIGKILL")
      yield* waitUntil(() => serversOf(dataDir).length === 0)
      yield* first.close
      const second = yield* startScoped(dataDir)
      assert.strictEqual(yield* storedText(second.url), "before the crash")
    })
  )

  live(
    "takes another port when the last one is taken",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const first = yield* startScoped(dataDir)
      yield* first.close
      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const taker = createServer()
          taker.listen(Number(new URL(first.url).port), "127.0.0.1", () => resume(Effect.succeed(taker)))
        }),
        (taker) => Effect.sync(() => taker.close())
      )
      const second = yield* startScoped(dataDir)
      assert.isTrue(second.started)
      assert.notStrictEqual(second.url, first.url)
    })
  )

  live(
    "fails clearly when the folder is held and no server answers",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      yield* FolderLock.acquire(ServerFolder.open(dataDir).lock)
      const failure = yield* Effect.flip(EmbeddedServer.start({ dataDir, binary }))
      assert.match(failure.message, /Another process holds .* no answer for 10 seconds/)
    })
  )

  live(
    "fails with the ways to get a server when there is none, or too old a one",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      const missing = yield* Effect.flip(EmbeddedServer.start({ dataDir, binary: join(dataDir, "none") }))
      assert.strictEqual(missing._tag, "EmbeddedServerFailed")
      assert.match(missing.message, /does not run .*SEAMLESS_NATS_SERVER/)
      const old = join(dataDir, "old")
      writeFileSync(old, "#!/bin/sh\necho 'nats-server: v2.9.10'\n")
      chmodSync(old, 0o755)
      const tooOld = yield* Effect.flip(EmbeddedServer.start({ dataDir, binary: old }))
      assert.match(tooOld.message, /too old.*v2\.9\.10.*--nats URL/)
    })
  )

  live(
    "fails with the end of the server's log when it does not start",
    Effect.gen(function* () {
      const dataDir = yield* makeFolder
      writeFileSync(join(dataDir, "jetstream"), "a file where the store should be")
      const failure = yield* Effect.flip(EmbeddedServer.start({ dataDir, binary }))
      assert.match(failure.message, /ended at once\. .*nats\.log ends with:\n.+/)
    })
  )
})
