/** Does an answer that no message carries reach its reader whole, however slow, cut off or left alone that is? */
import { assert, describe, it } from "@effect/vitest"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Fiber } from "effect"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as PlainReader from "../support/plainReader.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.quiet
const record = BarFile.read(file)
const { interval, node: nodeId } = file
const [start, end] = record.range
const body = { nodeId, interval, start, end, strategy: "auto_backfill", sla: { totalDeadlineMs: 60_000 } }

// a message of half a megabyte has no part of its own of 13,681 rows, and the limit of one message is far below
const settings = { files: [file], rest: { limits: { maxBars: 1000 } } } as const

const times = Array.from(record.frame.eventTimeMs)
const rowsOf = (parts: ReadonlyArray<PlainReader.Part>) => parts.flatMap((part) => part.times)

/** All parts of a whole answer, from a cursor on where one is given. */
const readAll = Effect.fnUntraced(function* (nc: NatsConnection, cursor?: string) {
  const reading = yield* PlainReader.ask(
    nc,
    { body, credit: 2, ...(cursor !== undefined && { cursor }) },
    PlainReader.steadily
  )
  yield* untilTrue("the end came", Effect.sync(reading.isOver), 60_000)
  return reading.parts
})

describe("an answer in parts", () => {
  it.live("is the same as in one piece, and never ahead of what its reader takes", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start(settings)
      const nc = yield* Cluster.startConnection(servers)
      const reading = yield* PlainReader.ask(nc, { body, credit: 1 })
      for (let count = 1; !reading.isOver(); count++) {
        yield* reading.until(count)
        // nothing follows that was not granted: a host that is asked for something else answers that meanwhile
        yield* Effect.promise(() => nc.request("seamless.v1.health", ""))
        assert.lengthOf(reading.parts, count)
        reading.grant(1)
      }
      const { parts } = reading
      assert.isAbove(parts.length, 1)
      assert.deepStrictEqual(
        parts.map(({ cursor, isLast, number }) => [number, isLast, cursor === undefined]),
        parts.map((_, index) => [index, index === parts.length - 1, index === parts.length - 1])
      )
      for (const { bytes } of parts) assert.isBelow(bytes, 1024 * 1024)
      assert.deepStrictEqual(rowsOf(parts), times)
      assert.strictEqual(parts.at(-1)?.meta?.fingerprint, record.fingerprint)

      // the same from any of its parts on
      for (const [index, { cursor }] of parts.slice(0, -1).entries()) {
        const rest = yield* readAll(nc, cursor)
        assert.deepStrictEqual(rowsOf([...parts.slice(0, index + 1), ...rest]), times)
        assert.strictEqual(rest.at(-1)?.meta?.fingerprint, record.fingerprint)
      }
    })
  )

  it.live("goes on from where a reader was whose connection was cut", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start(settings)
      const { hostname, port } = new URL(servers)
      const proxy = yield* TcpProxy.start({ host: hostname, port: Number(port) })
      const nc = yield* Cluster.startConnection(proxy.url)
      const before = yield* PlainReader.ask(nc, { body })
      yield* before.until(1)
      yield* proxy.cut
      before.grant(1)
      yield* proxy.restore("reset")
      const isBack = () =>
        nc.flush().then(
          () => true,
          () => false
        )
      yield* untilTrue("the connection is back", Effect.promise(isBack))
      const [first] = before.parts
      const rest = yield* readAll(nc, first?.cursor)
      assert.deepStrictEqual(rowsOf([first!, ...rest]), times)
      assert.strictEqual(rest.at(-1)?.meta?.fingerprint, record.fingerprint)
    })
  )

  it.live("goes on at another host when the one at work is killed", () =>
    Effect.gen(function* () {
      const { hosts, servers } = yield* Cluster.start(settings, ["a", "b"])
      const nc = yield* Cluster.startConnection(servers)
      // of so many readers each host has some
      const readings = yield* Effect.forEach(Array.from({ length: 12 }), () => PlainReader.ask(nc, { body }))
      yield* Effect.forEach(readings, ({ until }) => until(1), { discard: true })
      yield* hosts[0]!.kill
      for (const { grant } of readings) grant(1)
      for (const { parts } of readings) {
        const [first] = parts
        assert.isUndefined(first?.error)
        const rest = yield* readAll(nc, first?.cursor)
        assert.deepStrictEqual(rowsOf([first!, ...rest]), times)
        assert.strictEqual(rest.at(-1)?.meta?.fingerprint, record.fingerprint)
      }
    })
  )

  it.live("goes on at another host when the one at work leaves, and whoever reads there is told at once", () =>
    Effect.gen(function* () {
      const { hosts, servers } = yield* Cluster.start(settings, ["a", "b"])
      const nc = yield* Cluster.startConnection(servers)
      // of so many readers each host has some; they take nothing while it leaves
      const readings = yield* Effect.forEach(Array.from({ length: 12 }), () => PlainReader.ask(nc, { body }))
      yield* Effect.forEach(readings, ({ until }) => until(1), { discard: true })
      yield* hosts[0]!.stop
      const left = readings.filter(({ parts }) => parts.length > 1)
      assert.isTrue(left.length > 0 && left.length < readings.length, `${left.length} of 12 were read at the host`)
      for (const { parts } of left) assert.deepInclude(parts[1]?.error, { tag: "ActorUnavailable" })
      for (const { parts } of readings) {
        const [first] = parts
        const rest = yield* readAll(nc, first?.cursor)
        assert.deepStrictEqual(rowsOf([first!, ...rest]), times)
        assert.strictEqual(rest.at(-1)?.meta?.fingerprint, record.fingerprint)
      }
    })
  )

  it.live("is finished by a host that leaves, where its reader takes it in time", () =>
    Effect.gen(function* () {
      const { hosts, servers } = yield* Cluster.start(settings)
      const nc = yield* Cluster.startConnection(servers)
      const reading = yield* PlainReader.ask(nc, { body })
      yield* reading.until(1)
      const leaving = yield* Effect.forkChild(hosts[0]!.stop)
      const isAway = Effect.promise(() =>
        nc.request("seamless.v1.coverage", "{}", { timeout: 5000 }).then(
          () => false,
          () => true
        )
      )
      yield* untilTrue("the host takes nothing more", isAway)
      for (let count = 2; !reading.isOver(); count++) {
        reading.grant(1)
        yield* reading.until(count)
      }
      assert.deepStrictEqual(rowsOf(reading.parts), times)
      yield* Fiber.join(leaving)
    })
  )

  it.live("with a cursor that is none, or of another request, is refused and says why", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start(settings)
      const nc = yield* Cluster.startConnection(servers)
      const first = yield* PlainReader.ask(nc, { body })
      yield* first.until(1)
      const cursor = first.parts[0]?.cursor ?? ""
      for (const asked of [
        { body, cursor: "nonsense" },
        { body: { ...body, end: end - 60_000 }, cursor }
      ]) {
        const { parts, until } = yield* PlainReader.ask(nc, asked)
        yield* until(1)
        assert.strictEqual(parts[0]?.error?.tag, "InvalidRequest")
        assert.match(parts[0]?.error?.message ?? "", /^Seamless-Cursor: is/)
      }
      // a range that is too long says how it can be read
      const tooLong = yield* Effect.promise(() =>
        nc.request("seamless.v1.read", JSON.stringify(body), { timeout: 5000 })
      )
      assert.match(tooLong.string(), /at most 1000 in one message: take the answer in parts/)
    })
  )
})

describe("a call that is called off", () => {
  const held = { files: [file], exchange: { latencyMs: 1000 } }

  it.live("is answered by nobody, and what it had asked for is done", () =>
    Effect.gen(function* () {
      const { klines, servers } = yield* Cluster.start(held)
      const nc = yield* Cluster.startConnection(servers)
      const { parts } = yield* PlainReader.ask(nc, { body, call: "a-call" })
      yield* untilTrue(
        "the exchange is asked",
        Effect.sync(() => klines().length > 0)
      )
      PlainReader.cancel(nc, "another-call")
      PlainReader.cancel(nc, "a-call")
      // the job goes on without it: who asks again is given what it brought
      const again = yield* PlainReader.ask(nc, { body, credit: 64 })
      yield* untilTrue("the end came", Effect.sync(again.isOver), 60_000)
      assert.deepStrictEqual(rowsOf(again.parts), times)
      assert.deepStrictEqual(parts, [])
      const starts = klines().map(({ startTime }) => startTime)
      assert.lengthOf(new Set(starts), starts.length)
    })
  )
})
