/** Is everything on the wire in the form that was asked for, within its limits, and found by who knows NATS alone? */
import { assert, describe, it } from "@effect/vitest"
import { headers as makeHeaders, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { Effect, Option, Schema } from "effect"
import { Header } from "../../protocol/wire/Header.ts"
import * as PlainPack from "../../protocol/wire/PlainPack.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { unpackPlain } from "../../protocol/wire/unpackPlain.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { unpackTyped } from "../support/unpackTyped.ts"
import { untilTrue } from "../support/untilTrue.ts"

const file = BarFile.barFiles.fullDay
const { interval, node: nodeId } = file
const [start] = BarFile.read(file).range
const asked = {
  nodeId,
  interval,
  start,
  end: start + 180_000,
  strategy: "auto_backfill",
  sla: { totalDeadlineMs: 30_000 }
}

const messagePack = "application/msgpack"
const arrow = "application/vnd.apache.arrow.stream"

type Given = Readonly<Record<string, string>>

const send = (nc: NatsConnection, subject: string, data: string | Uint8Array, given: Given = {}): Effect.Effect<Msg> =>
  Effect.promise(() => {
    const headers = makeHeaders()
    for (const [name, value] of Object.entries(given)) headers.set(name, value)
    return nc.request(subject, data, { headers, timeout: 35_000 })
  })

const errorTag = ({ headers }: Msg): string | undefined => headers?.get(Header.error) || undefined

const byText = (a: string, b: string): number => (a < b ? -1 : 1)

const fields = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Unknown))

const isValues = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || ArrayBuffer.isView(value)

/** A reply to a read, in any form. */
const readReply = Schema.decodeUnknownSync(
  Schema.Struct({
    columns: Schema.Record(Schema.String, Schema.Unknown.pipe(Schema.refine(isValues))),
    meta: Schema.Struct({ fingerprint: Schema.String })
  })
)

const decodeResults = Schema.decodeUnknownSync(Schema.Struct({ results: Schema.Array(Schema.Unknown) }))

const Endpoint = Schema.Struct({
  name: Schema.String,
  subject: Schema.String,
  queue_group: Schema.String,
  num_requests: Schema.optionalKey(Schema.Int),
  num_errors: Schema.optionalKey(Schema.Int),
  last_error: Schema.optionalKey(Schema.String),
  processing_time: Schema.optionalKey(Schema.Int)
})

/** What an instance says of itself. */
const Instance = Schema.Struct({
  type: Schema.String,
  name: Schema.String,
  id: Schema.String,
  version: Schema.String,
  metadata: Schema.Struct({ hostId: Schema.String }),
  endpoints: Schema.optionalKey(Schema.Array(Endpoint))
})
const decodeInstance = Schema.decodeUnknownSync(Instance)

const endpointOf = ({ endpoints = [] }: typeof Instance.Type, name: string) =>
  endpoints.find((endpoint) => endpoint.name === name)

/** Answers to a question that every instance answers, as many as are awaited. */
const askAll = (nc: NatsConnection, subject: string, count: number) =>
  Effect.promise(async () => {
    const answers: Array<typeof Instance.Type> = []
    const inbox = `_INBOX.discovery.${subject.replaceAll(/\W/g, "")}`
    const subscription = nc.subscribe(inbox, { max: count })
    nc.publish(subject, "", { reply: inbox })
    for await (const answer of subscription) answers.push(decodeInstance(answer.json()))
    return answers
  })

describe("forms on the wire", () => {
  it.live("a request may be MessagePack, and so may the answers and the errors of every service", () =>
    Effect.gen(function* () {
      const { nc } = yield* Effect.flatMap(Cluster.start({ files: [file] }), (cluster) =>
        Effect.map(Cluster.startConnection(cluster.servers), (connection) => ({ nc: connection }))
      )
      const packed = { [Header.contentType]: messagePack, [Header.accept]: messagePack }
      const json = readReply((yield* send(nc, Subject.service.read, JSON.stringify(asked))).json())
      const reply = yield* send(nc, Subject.service.read, PlainPack.pack(asked), packed)
      assert.isUndefined(errorTag(reply))
      const { columns, meta } = readReply(unpackTyped(reply.data))
      for (const [name, values] of Object.entries(columns)) {
        assert.deepStrictEqual(Array.from(values), json.columns[name], name)
      }
      assert.strictEqual(meta.fingerprint, json.meta.fingerprint)

      const series = { nodeId, interval }
      const versions = { ...series, fromVersion: 0, toVersion: 1 }
      const others = [
        [Subject.service.ensure, { ...asked, requestId: "r" }, "slaReport"],
        [Subject.service.coverage, series, ""],
        [Subject.service.diff, versions, ""],
        [Subject.service.health, {}, ""]
      ] as const
      for (const [subject, body, changing] of others) {
        const inJson = fields((yield* send(nc, subject, JSON.stringify(body))).json())
        const answer = yield* send(nc, subject, PlainPack.pack(body), packed)
        assert.strictEqual(answer.headers?.get(Header.contentType), messagePack, subject)
        const inPacked = fields(Option.getOrThrow(unpackPlain(answer.data)))
        for (const name of Object.keys(inJson).filter((each) => each !== changing)) {
          assert.deepStrictEqual(inPacked[name], inJson[name], `${subject} ${name}`)
        }
        assert.deepStrictEqual(Object.keys(inPacked), Object.keys(inJson), subject)
        const refused = yield* send(nc, subject, JSON.stringify(body), { [Header.accept]: arrow })
        assert.strictEqual(errorTag(refused), "InvalidRequest", subject)
        assert.include(refused.string(), "ask for application/json or application/msgpack")
      }

      const requests = [{ nodeId }, { nodeId: "none" }]
      const many = yield* send(nc, Subject.service.readMany, PlainPack.pack({ ...asked, requests }), packed)
      const [first, second] = decodeResults(unpackTyped(many.data)).results
      assert.deepStrictEqual(readReply(first).columns, columns)
      assert.deepInclude(fields(second), { code: 404 })

      const unknown = yield* send(nc, Subject.service.read, PlainPack.pack({ ...asked, nodeId: "none" }), packed)
      assert.strictEqual(errorTag(unknown), "UnknownSeries")
      const { error } = fields(Option.getOrThrow(unpackPlain(unknown.data)))
      assert.deepInclude(fields(error), { tag: "UnknownSeries", nodeId: "none", interval })
      const ofArrow = yield* send(nc, Subject.service.read, "{", { [Header.accept]: arrow })
      assert.strictEqual(ofArrow.headers?.get(Header.contentType), "application/json")
      assert.strictEqual(errorTag(ofArrow), "InvalidRequest")
    })
  )
})

describe("several reads on the wire", () => {
  it.live("come one by one to who takes one at a time, each with its own rows or error, and the last says so", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.start({ files: [file] })
      const nc = yield* Cluster.startConnection(cluster.servers)
      const alone = readReply((yield* send(nc, Subject.service.read, JSON.stringify(asked))).json())
      const requests = [{ nodeId }, { nodeId: "none" }, { nodeId }, { end: start + 60_000 }]
      const messages = yield* Effect.promise(async () => {
        const came: Array<Msg> = []
        const inbox = `${nc.info?.client_id ?? 0}.inbox`
        const subscription = nc.subscribe(inbox)
        const headers = makeHeaders()
        headers.set(Header.credit, "1")
        nc.publish(Subject.service.readMany, JSON.stringify({ ...asked, requests }), { reply: inbox, headers })
        for await (const message of subscription) {
          came.push(message)
          if (message.headers?.get(Header.end) === "true") break
          nc.publish(message.headers?.get(Header.flow) ?? "", "1")
        }
        return came
      })
      const items = messages.map(({ headers }) => Number(headers?.get(Header.item)))
      assert.deepStrictEqual(new Set(items), new Set([0, 1, 2, 3]))
      assert.strictEqual(messages.length, 4)
      const of = (item: number) => messages[items.indexOf(item)]!
      assert.strictEqual(errorTag(of(1)), "UnknownSeries")
      for (const item of [0, 2]) assert.deepStrictEqual(readReply(of(item).json()).columns, alone.columns)
      assert.strictEqual(readReply(of(3).json()).columns["close"]?.length, 1)
    })
  )
})

describe("limits on the wire", () => {
  it.live("no host publishes where a caller may not: to subjects of the servers' and of the protocol's own", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start({ files: [file] })
      const nc = yield* Cluster.startConnection(servers)
      const root = `$KV.seamless-coverage.${Subject.series(nodeId, interval)}`
      const replies = [root, "$JS.ACK.x", "seamless.v1.cancel.another", "seamless.v1.changed.coverage.x", "mine.x"]
      const heard: Array<string> = []
      for (const reply of replies) nc.subscribe(reply, { callback: (_, { subject }) => void heard.push(subject) })
      yield* Effect.promise(() => nc.flush())
      const asks = [Subject.service.health, Subject.service.coverage, "seamless.v1.admin.me.switches", "$SRV.PING"]
      for (const subject of asks) {
        for (const reply of replies) nc.publish(subject, "{}", { reply })
      }
      yield* untilTrue(
        "each question with a reply subject of its asker's is answered",
        Effect.sync(() => heard.filter((subject) => subject === "mine.x").length === asks.length)
      )
      assert.deepStrictEqual(new Set(heard), new Set(["mine.x"]))
      const kept = yield* Effect.promise(() => nc.request("$JS.API.STREAM.INFO.KV_seamless-coverage", ""))
      assert.strictEqual(kept.json<{ readonly state: { readonly messages: number } }>().state.messages, 0)
    })
  )

  it.live("a caller has so many requests under way, and a request so many bytes", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.start({
        files: [file],
        exchange: { latencyMs: 1500 },
        rest: { limits: { requestsPerCaller: 2 } }
      })
      const nc = yield* Cluster.startConnection(cluster.servers)
      const read = (given: Given = {}) => send(nc, Subject.service.read, JSON.stringify(asked), given)
      const replies = yield* Effect.all([read(), read(), read(), read({ [Header.caller]: "another" })], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(replies.map(errorTag), [undefined, undefined, "TooManyRequests", undefined])
      const refused = replies[2]
      const error = fields(fields(refused.json())["error"])
      assert.deepInclude(error, { requestsMax: 2, retryAfterMs: 100 })
      assert.match(String(error["caller"]), /^_INBOX\.\w+$/)
      assert.strictEqual(refused.headers?.get(Header.errorCode), "429")
      assert.isUndefined(errorTag(yield* read()))

      const large = yield* send(nc, Subject.service.read, JSON.stringify({ ...asked, requestId: "r".repeat(70_000) }))
      assert.strictEqual(errorTag(large), "RequestTooLarge")
      const long = yield* send(nc, Subject.service.read, JSON.stringify({ ...asked, requestId: "r".repeat(300) }))
      assert.include(long.string(), "has 300 characters; at most 256 are taken")
    })
  )

  it.live("trace and request id of a caller go on in the answer", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.start({ files: [file] })
      const nc = yield* Cluster.startConnection(cluster.servers)
      const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
      const reply = yield* send(nc, Subject.service.read, JSON.stringify(asked), {
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
        baggage: "requestId=order-17"
      })
      const { meta } = reply.json<{ readonly meta: Readonly<Record<string, unknown>> }>()
      assert.deepInclude(meta, { requestId: "order-17", traceId })
    })
  )
})

describe("discovery", () => {
  it.live("every member answers who looks for it, and tells what it was asked", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start({ files: [file] }, ["a", "b", "c"])
      const nc = yield* Cluster.startConnection(servers)
      const pings = yield* askAll(nc, "$SRV.PING", 3)
      assert.deepStrictEqual(pings.map(({ metadata }) => metadata.hostId).toSorted(byText), ["a", "b", "c"])
      for (const { name, type, version } of pings) {
        assert.deepStrictEqual([name, type], ["seamless", "io.nats.micro.v1.ping_response"])
        assert.match(version, /^\d+\.\d+\.\d+$/)
      }
      assert.strictEqual(new Set(pings.map(({ id }) => id)).size, 3)
      const infos = yield* askAll(nc, "$SRV.INFO.seamless", 3)
      for (const info of infos) {
        assert.deepInclude(endpointOf(info, "read"), { subject: Subject.service.read, queue_group: "seamless" })
      }
      for (const ping of pings) assert.deepStrictEqual(yield* askAll(nc, `$SRV.PING.seamless.${ping.id}`, 1), [ping])

      for (let each = 0; each < 12; each++)
        yield* send(nc, Subject.service.coverage, JSON.stringify({ nodeId, interval }))
      yield* send(nc, Subject.service.coverage, "{}")
      const sums = Effect.map(askAll(nc, "$SRV.STATS.seamless", 3), (stats) => {
        const all = stats.flatMap((each) => endpointOf(each, "coverage") ?? [])
        for (const { last_error, num_errors, num_requests = 0, processing_time = 0 } of all) {
          assert.isTrue(num_requests === 0 || processing_time > 0)
          assert.strictEqual(last_error, num_errors === 0 ? "" : "400:InvalidRequest")
        }
        const sum = (key: "num_requests" | "num_errors") => all.reduce((total, each) => total + (each[key] ?? 0), 0)
        return [sum("num_requests"), sum("num_errors")] as const
      })
      yield* untilTrue(
        "all requests are counted",
        Effect.map(sums, ([requests, errors]) => requests === 13 && errors === 1)
      )
    })
  )
})
