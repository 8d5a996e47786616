/** Is every change of coverage told once and in order, whatever becomes of connections? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { CoverageChange } from "../../client/CoverageChange.ts"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { range } = BarFile.read(file)
const [start] = range
const series = { nodeId: file.node, interval: file.interval }
const hourMs = 3_600_000

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))

const fill = (client: SeamlessClient, hour: number) =>
  Cluster.asking(() =>
    client.ensureAvailable(file.node, file.interval, start + hour * hourMs, start + (hour + 1) * hourMs, {
      sla: { totalDeadlineMs: 30_000 }
    })
  )

const invalidate = (servers: string, hour: number) =>
  Effect.gen(function* () {
    const span = [`${start + hour * hourMs}`, `${start + (hour + 1) * hourMs}`]
    const args = ["invalidate", file.node, file.interval, ...span, "--reason", "wrong", "--nats", servers]
    const { code, err } = yield* Effect.promise(() => runCommand(args, { SEAMLESS_OPERATOR: "alice" }))
    assert.strictEqual(code, 0, err)
  })

/** What a loop over a watch has seen so far; it is left with the scope. */
const follow = Effect.fnUntraced(function* (client: SeamlessClient, from?: number) {
  const seen: Array<CoverageChange> = []
  const changes = client.watch(series, from === undefined ? {} : { from })
  const loop = Effect.promise(async () => {
    for await (const change of changes) seen.push(change)
  })
  yield* Effect.acquireRelease(Effect.forkChild(loop), () => Effect.promise(() => changes.return()))
  return seen
})

const setUp = Effect.fnUntraced(function* () {
  const cluster = yield* Cluster.start({ files: [file] }, ["a", "b"])
  const { hostname, port } = new URL(cluster.servers)
  const proxy = yield* TcpProxy.start({ host: hostname, port: Number(port) })
  return { ...cluster, proxy, nc: yield* Cluster.startConnection(cluster.servers) }
})

/** Whether a question fails at once for want of a connection: health is put once. */
const isDown = (client: SeamlessClient) =>
  Effect.map(Effect.result(Cluster.asking(() => client.health())), (outcome) => {
    return Result.isFailure(outcome) && outcome.failure.tag === "MeshUnavailable"
  })

const versions = (changes: ReadonlyArray<{ readonly version: number }>) => changes.map(({ version }) => version)

describe("watch", () => {
  it.live("two hosts, changes of both kinds, and a connection that is cut in the midst of them", () =>
    Effect.gen(function* () {
      const { client, nc, proxy, servers } = yield* setUp()
      const away = yield* Cluster.startClient(proxy.url)
      const seen = yield* follow(away, 1)
      for (const hour of [0, 1, 2]) yield* fill(client, hour)
      yield* invalidate(servers, 1)
      yield* untilTrue(
        "what has changed is told",
        Effect.sync(() => seen.length >= 4)
      )
      const before = seen.length

      yield* proxy.cut
      for (const hour of [3, 4, 5]) yield* fill(client, hour)
      yield* invalidate(servers, 4)
      assert.strictEqual(seen.length, before)
      yield* proxy.restore("reset")
      yield* fill(client, 6)

      const { root, roots } = yield* StoredRoots.settled(nc, file)
      yield* untilTrue(
        "all that has changed is told",
        Effect.sync(() => seen.length >= roots.length),
        20_000
      )
      assert.deepStrictEqual(versions(seen), versions(roots))
      for (const [at, change] of seen.entries()) {
        const { diff, covered } = roots[at]!
        assert.deepStrictEqual(change.added, toPairs(diff.added))
        assert.deepStrictEqual(change.removed, toPairs(diff.removed))
        assert.deepStrictEqual([change.cause, change.jobs], [diff.cause, diff.jobs])
        assert.deepStrictEqual(change.coverageRanges, toPairs(covered))
        assert.strictEqual(change.missedVersions, 0)
      }
      assert.deepStrictEqual(seen.at(-1)?.watermarks, root?.watermarks)
      assert.isAbove(seen.filter(({ removed }) => removed.length > 0).length, 1)

      // who begins now is told of what stands, and a question of a cut connection waits for it
      const [later] = yield* Effect.promise(async () => {
        for await (const change of away.watch(series, { once: true })) return [change]
        return []
      })
      assert.strictEqual(later?.version, root?.version)
      yield* proxy.cut
      yield* untilTrue("the client has noticed", isDown(away), 20_000)
      const asking = yield* Effect.forkChild(fill(away, 7))
      yield* proxy.restore("reset")
      assert.isTrue((yield* Fiber.join(asking)).available)
    })
  )

  it.live("the command shows the history, and what comes, until it is stopped", () =>
    Effect.gen(function* () {
      const { client, servers } = yield* setUp()
      yield* fill(client, 0)
      const args = ["watch", file.node, file.interval, "--nats", servers]
      const one = yield* Effect.promise(() => runCommand([...args, "--once"]))
      assert.deepInclude(one, { code: 0, err: "" })
      assert.match(
        one.out,
        /^\S+Z {2}ohlcv:binance:BTC\/BUSD 1m {2}version 1: 60 bars added \(.*; by binance; for .*; job /
      )

      const child = spawn(process.execPath, [program, ...args, "--from", "1", "--format", "json"], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => void child.kill("SIGKILL")))
      const lines: Array<CoverageChange> = []
      createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)))
      yield* untilTrue(
        "the history is shown",
        Effect.sync(() => lines.length === 1),
        30_000
      )
      yield* fill(client, 1)
      yield* untilTrue(
        "what comes is shown",
        Effect.sync(() => lines.length === 2),
        30_000
      )
      assert.deepStrictEqual(versions(lines), [1, 2])
      const ended = once(child, "exit")
      child.kill("SIGINT")
      assert.deepStrictEqual(yield* Effect.promise(() => ended), [0, null])
    })
  )

  it.live("the command says where there is nothing to wait for, or not yet", () =>
    Effect.gen(function* () {
      const { client, servers } = yield* setUp()
      const run = (...args: ReadonlyArray<string>) =>
        Effect.promise(() => runCommand(["watch", ...args, "--once", "--nats", servers]))
      const unknown = yield* run("nope", "1m")
      assert.strictEqual(unknown.code, 4)
      assert.include(unknown.err, "there is no series nope 1m")
      const empty = yield* run(file.node, file.interval)
      assert.deepInclude(empty, { code: 0, out: "" })
      assert.include(empty.err, "is covered yet")
      yield* fill(client, 0)
      const later = yield* run(file.node, file.interval, "--from", "99999")
      assert.deepInclude(later, { code: 0, out: "" })
      assert.include(later.err, "version 99999 has not come yet: the newest is 1")
      const told = yield* run(file.node, file.interval)
      assert.deepInclude(told, { code: 0, err: "" })
    })
  )

  it.live("the command refuses a version of many series, and ends with who reads what it shows", () =>
    Effect.gen(function* () {
      const { client, servers } = yield* setUp()
      const wrong = yield* Effect.promise(() => runCommand(["watch", file.node, "--from", "1", "--nats", servers]))
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.err, "--from")
      const args = ["watch", file.node, file.interval, "--from", "1", "--nats", servers]
      const line = '"$0" "$@" | head -n 1'
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          // a group of its own, so that none of it is left behind by a test that fails
          spawn("sh", ["-c", line, process.execPath, program, ...args], {
            stdio: ["ignore", "pipe", "inherit"],
            detached: true
          })
        ),
        ({ exitCode, pid }) =>
          Effect.sync(() => {
            if (exitCode === null && pid !== undefined) process.kill(-pid, "SIGKILL")
          })
      )
      const ended = once(child, "exit")
      const shown = once(createInterface({ input: child.stdout }), "line")
      yield* fill(client, 0)
      yield* Effect.promise(() => shown)
      // that nobody reads any more is noticed when there is more to write
      for (let hour = 1; hour < 24 && child.exitCode === null; hour++) yield* fill(client, hour)
      assert.deepStrictEqual(yield* Effect.promise(() => ended), [0, null])
    })
  )
})
