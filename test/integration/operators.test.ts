/** Can operators see what a cluster does, and help it, from the command line? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { callerLayer } from "../../cluster/Member.ts"
import type { ActorReport, SlotReport } from "../../protocol/wire/ActorReport.ts"
import type { HostReport } from "../../protocol/wire/HostReport.ts"
import { Counter } from "../support/actors/counter.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import { type Run, runCommand } from "../support/runCommand.ts"
import { untilTrue } from "../support/untilTrue.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))
const actors = fileURLToPath(new URL("../support/actors/counter.ts", import.meta.url))

const slotCount = 256

const configuration = JSON.stringify({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
})

const makeFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-operators-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

/** A server, hosts of these names with the actors of the tests, and the command line. */
const setUp = Effect.fnUntraced(function* (hostIds: ReadonlyArray<string>, more: ReadonlyArray<string> = []) {
  const folder = yield* makeFolder
  const server = yield* NatsServer.start()
  const config = join(folder, "seamless.yaml")
  writeFileSync(config, configuration)
  const address = ["--nats", server.url]
  const hosts = yield* Effect.forEach(
    hostIds,
    (hostId) =>
      ReadyProcess.start({
        program,
        args: ["up", "--config", config, "--host-id", hostId, "--actors", actors, ...more, ...address],
        logFile: join(folder, `${hostId}.log`)
      }),
    { concurrency: "unbounded" }
  )
  const seamless = (...args: ReadonlyArray<string>) => Effect.promise(() => runCommand([...args, ...address]))
  return { server, hosts, seamless }
})

type Seamless = (...args: ReadonlyArray<string>) => Effect.Effect<Run>

/** What a command that has to succeed says in JSON. */
const json = <A>(seamless: Seamless, ...args: ReadonlyArray<string>): Effect.Effect<A> =>
  Effect.map(seamless(...args, "--format", "json"), ({ code, err, out }) => {
    assert.deepStrictEqual([code, err], [0, ""])
    return JSON.parse(out)
  })

const hostsOf = (seamless: Seamless) =>
  Effect.map(json<{ readonly hosts: ReadonlyArray<HostReport> }>(seamless, "hosts"), ({ hosts }) => hosts)

const slotsOf = (seamless: Seamless) =>
  Effect.map(json<{ readonly slots: ReadonlyArray<SlotReport> }>(seamless, "slots"), ({ slots }) => slots)

/** Waits until every slot of the actors has the owner that it should have. */
const untilPlaced = (seamless: Seamless) =>
  untilTrue(
    "every slot is in its place",
    Effect.map(slotsOf(seamless), (slots) => {
      const ours = slots.filter(({ label }) => label === "counters")
      return ours.length === slotCount && ours.every(({ desired, hostId }) => hostId === desired)
    }),
    30_000
  )

/** Lines of a table, each by its cells. */
const cellsOf = ({ out }: Run): ReadonlyArray<ReadonlyArray<string>> =>
  out
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s{2,}/))

const count = (key: string, by: number) => Counter.ref(key).ask("add", { by })

const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)

const probe = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    const body: { readonly status: string; readonly hostId: string; readonly reason?: string } = JSON.parse(
      await response.text()
    )
    return { code: response.status, body }
  })

const refused = ({ code, err, out }: Run, expected: RegExp): void => {
  assert.deepStrictEqual([code, out], [4, ""], err)
  assert.match(err, expected)
  assert.notMatch(err, /^\s+at /m)
}

const seeAndDrain = Effect.gen(function* () {
  const { hosts, seamless, server } = yield* setUp(["a", "b"], ["--health-port", "0", "--label", "spare"])
  yield* untilPlaced(seamless)
  yield* Effect.forEach(keys, (key) => count(key, 1), { concurrency: 8 }).pipe(
    Effect.provide(callerLayer({ servers: server.url }))
  )

  const before = yield* hostsOf(seamless)
  assert.deepStrictEqual(
    before.map(({ hostId, labels, state }) => [hostId, state, labels]),
    ["a", "b"].map((hostId) => [hostId, "serving", ["spare", "counters"]])
  )
  assert.strictEqual(
    before.reduce((sum, { residents = 0 }) => sum + residents, 0),
    keys.length
  )
  assert.deepStrictEqual(
    cellsOf(yield* seamless("hosts"))
      .slice(1)
      .map(([host, state]) => [host, state]),
    [
      ["a", "serving"],
      ["b", "serving"]
    ]
  )

  const summary = cellsOf(yield* seamless("slots", "--label", "counters"))
  assert.deepStrictEqual(summary[0], ["label", "host", "slots", "misplaced"])
  assert.sameMembers(
    summary.slice(1).map(([, host]) => host),
    ["a", "b"]
  )
  assert.strictEqual(
    summary.slice(1).reduce((sum, [, , slots]) => sum + Number(slots), 0),
    slotCount
  )
  assert.lengthOf(cellsOf(yield* seamless("slots", "--label", "counters", "--all")), slotCount + 1)

  const top = yield* json<{ readonly actors: ReadonlyArray<ActorReport>; readonly residents: number }>((...format) =>
    seamless("actors", "--type", "counter", "--top", "3", ...format)
  )
  assert.lengthOf(top.actors, 3)
  assert.strictEqual(top.residents, keys.length)
  assert.deepInclude(top.actors[0], { type: "counter", state: "active", epoch: 1, messages: 1 })
  const table = cellsOf(yield* seamless("actors", "--top"))
  assert.deepStrictEqual(table[0]!.slice(0, 4), ["type", "key", "host", "state"])
  assert.deepStrictEqual(table.at(-1), [`${keys.length} shown, ${keys.length} live`])

  const drained = yield* seamless("drain", "b")
  assert.match(drained.out, /^b is drained: \d+ slots handed over in \d+ ms, the slowest in \d+ ms\n$/)
  const after = yield* hostsOf(seamless)
  assert.deepStrictEqual(
    after.map(({ hostId, slots, state }) => [hostId, state, slots === 0]),
    [
      ["a", "serving", false],
      ["b", "drained", true]
    ]
  )
  // drained is drained: by its other name it is the same host, and asked again it has nothing more to give
  const again = yield* json<{ readonly hostId: string }>(seamless, "drain", after[1]!.incarnation)
  assert.strictEqual(again.hostId, "b")
  const counts = yield* Effect.forEach(keys, (key) => count(key, 1), { concurrency: 8 }).pipe(
    Effect.provide(callerLayer({ servers: server.url }))
  )
  assert.deepStrictEqual(new Set(counts), new Set([2]))

  const { health } = JSON.parse(hosts[1]!.line)
  assert.deepInclude(yield* probe(health), { code: 503 })
})

describe("seamless hosts, slots, actors, drain", () => {
  it.live("show what there is, and empty a host without anyone noticing", () => Effect.scoped(seeAndDrain))

  it.live("refuse what is wrong, and say what would be right", () =>
    Effect.gen(function* () {
      const { seamless } = yield* setUp(["a"])
      refused(yield* seamless("drain", "x"), /^UnknownHost: no host is called x: those that live are a\n$/)
      refused(yield* seamless("actors", "release", "counter", "x"), /^UnknownActor: there is no record of counter\/x/)
      refused(yield* seamless("actors", "replay", "x"), /^UnknownLetter: /)
      const inJson = yield* seamless("drain", "x", "--format", "json")
      assert.deepInclude(JSON.parse(inJson.err).error, { tag: "UnknownHost", host: "x", known: ["a"] })
    }).pipe(Effect.scoped)
  )
})

const helpActors = (server: string, seamless: Seamless): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    yield* count("a", 1)
    const released = yield* seamless("actors", "release", "counter", "a")
    assert.match(released.out, /^counter\/a is released: its epoch is 2 now/)
    assert.strictEqual(yield* count("a", 1), 2)
    const { epoch } = yield* json<{ readonly epoch: number }>(seamless, "actors", "release", "counter", "a")
    // the activation in between had one of its own
    assert.strictEqual(epoch, 4)

    const failed = yield* Effect.flip(Counter.ref("a").ask("spend", { by: 9 }))
    assert.strictEqual(failed._tag, "MessageDeadLettered")
    const [, letter = []] = cellsOf(yield* seamless("actors", "letters", "--type", "counter"))
    const id = letter[0]!
    assert.deepStrictEqual(letter.slice(1, 5), ["counter", "a", "spend", "a"])
    refused(yield* seamless("actors", "replay", id), /^MessageDeadLettered: counter\/a failed upon message/)
    yield* count("a", 10)
    const replayed = yield* seamless("actors", "replay", id)
    assert.strictEqual(replayed.out, `counter/a has handled ${id}, which is no dead letter any more\n`)
    assert.strictEqual(yield* count("a", 0), 3)
    const left = yield* json<{ readonly letters: ReadonlyArray<unknown> }>(seamless, "actors", "letters")
    assert.deepStrictEqual(left.letters, [])
  }).pipe(Effect.provide(callerLayer({ servers: server })))

describe("seamless actors release, letters, replay", () => {
  it.live("free an actor, show what it failed upon, and have it tried again", () =>
    Effect.gen(function* () {
      const { seamless, server } = yield* setUp(["a"])
      yield* helpActors(server.url, seamless)
    }).pipe(Effect.scoped)
  )

  it.live("ask under the operator's own token", () =>
    Effect.gen(function* () {
      const { seamless, server } = yield* setUp(["a"])
      const nc = yield* Cluster.startConnection(server.url)
      const subjects: Array<string> = []
      nc.subscribe("seamless.v1.admin.>", { callback: (_, { subject }) => void subjects.push(subject) })
      yield* Effect.promise(() => nc.flush())
      yield* seamless("hosts", "--as", "al.ice")
      yield* Effect.promise(() => runCommand(["slots", "--nats", server.url], { SEAMLESS_OPERATOR: "bob" }))
      assert.deepStrictEqual(subjects, ["seamless.v1.admin.al=2Eice.hosts", "seamless.v1.admin.bob.slots"])
    }).pipe(Effect.scoped)
  )
})

describe("health", () => {
  it.live("is told by HTTP while NATS is away, and over NATS while it is there", () =>
    Effect.gen(function* () {
      const { hosts, server } = yield* setUp(["a"], ["--health-port", "0"])
      const { health } = JSON.parse(hosts[0]!.line)
      assert.deepStrictEqual(yield* probe(health), { code: 200, body: { status: "ok", hostId: "a" } })
      const client = yield* Cluster.startClient(server.url)
      assert.deepStrictEqual(yield* Effect.promise(() => client.health()), { status: "ok", hostId: "a" })

      yield* server.freeze
      const codeIs = (code: number) => Effect.map(probe(health), (answer) => answer.code === code)
      yield* untilTrue("the host says that it lost touch", codeIs(503))
      const { body } = yield* probe(health)
      assert.strictEqual(body.status, "suspended")
      assert.match(body.reason ?? "", /no renewal answered for [\d.]+ s/)
      yield* server.thaw
      yield* untilTrue("the host is well again", codeIs(200))
      yield* hosts[0]!.stop
    }).pipe(Effect.scoped)
  )
})
