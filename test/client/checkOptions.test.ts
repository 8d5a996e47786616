/** Is what can't be asked refused by name, and with a `SeamlessError`, whatever a program gives? */
import { assert, describe, it } from "vitest"
import { connect, SeamlessError, type SeamlessClient } from "seamless"
import { makeClient } from "../../client/SeamlessClient.ts"
import { Effect } from "effect"
import { answeringMesh, type Sent } from "../support/answeringMesh.ts"

type Client = Record<keyof Omit<SeamlessClient, symbol>, (...given: ReadonlyArray<unknown>) => unknown>

/** A client as plain JavaScript has it, and what it sent. */
const start = () => {
  const sent: Array<Sent> = []
  const mesh = answeringMesh((one) => {
    sent.push(one)
    return Effect.never
  })
  const client: unknown = makeClient({ mesh, servers: "memory", timeoutMs: 5000 }, () => Promise.resolve())
  return { client: client as Client, sent }
}

const range = ["a", "1m", 0, 60_000] as const
const read = { nodeId: "a", interval: "1m", start: 0, end: 60_000 }
const loop: Record<string, unknown> = {}
loop["loop"] = loop

/** Options that can't be meant, and the field that is told. */
const wrongOptions: ReadonlyArray<readonly [string, unknown, string]> = [
  ["null", null, "options"],
  ["a number", 5, "options"],
  ["a list", [], "options"],
  ["a cycle", { sla: {}, loop }, "loop.loop"],
  ["a function", { strict: () => 1 }, "strict"],
  ["a bigint", { minVersion: 1n }, "minVersion"],
  ["a number that is none", { minVersion: Number.NaN }, "minVersion"],
  ["a policy that is none", { sla: "soon" }, "sla"],
  ["no policy", { sla: null }, "sla"],
  ["NaN", { sla: { totalDeadlineMs: Number.NaN } }, "sla.totalDeadlineMs"],
  ["Infinity", { sla: { totalDeadlineMs: Infinity } }, "sla.totalDeadlineMs"],
  ["less than nothing", { sla: { totalDeadlineMs: -1 } }, "sla.totalDeadlineMs"],
  ["a text", { sla: { totalDeadlineMs: "5000" } }, "sla.totalDeadlineMs"],
  ["null for a time", { sla: { totalDeadlineMs: null } }, "sla.totalDeadlineMs"],
  ["another time", { sla: { maxWaitBackfillMs: -1 } }, "sla.maxWaitBackfillMs"],
  ["a share above 1", { sla: { minCoverage: 2 } }, "sla.minCoverage"],
  ["a signal that is none", { signal: {} }, "signal"]
]

/** Each way to ask with options. */
const ways: ReadonlyArray<readonly [string, (client: Client, options: unknown) => unknown]> = [
  ["read()", (client, options) => client.read(...range, options)],
  ["readMany()", (client, options) => client.readMany([read], options)],
  ["stream()", (client, options) => (client.stream(...range, options) as AsyncIterator<unknown>).next()],
  ["ensureAvailable()", (client, options) => client.ensureAvailable(...range, options)],
  ["explain()", (client, options) => client.explain(...range, options)],
  ["coverage()", (client, options) => client.coverage("a", "1m", options)],
  ["diff()", (client, options) => client.diff("a", "1m", options)]
]

const connectAs = connect as (...given: ReadonlyArray<unknown>) => Promise<unknown>

/** Calls that can't be meant for other reasons. */
const wrongCalls: ReadonlyArray<readonly [string, (client: Client) => unknown, string]> = [
  ["read() of nothing", (client) => client.read(), "nodeId"],
  ["read() of no interval", (client) => client.read("a", null, 0, 1), "interval"],
  ["read() at an object", (client) => client.read("a", "1m", Object.create(null), 1), "start"],
  ["readMany()", (client) => client.readMany(), "requests"],
  ["readMany([null])", (client) => client.readMany([null]), "requests.0"],
  ["readMany() of a wrong one", (client) => client.readMany([read, { ...read, start: "now" }]), "requests.1.start"],
  [
    "readMany() of a wrong time",
    (client) => client.readMany([{ ...read, sla: { totalDeadlineMs: NaN } }]),
    "requests.0.sla.totalDeadlineMs"
  ],
  ["coverage()", (client) => client.coverage(), "nodeId"],
  ["health(null)", (client) => client.health(null), "options"],
  ["health() with no signal", (client) => client.health({ signal: 5 }), "signal"],
  ...[null, 5, "a", { nodeId: "" }, { nodeId: 5 }, { nodeId: "a", interval: "" }].map(
    (watched) =>
      [
        `watch(${JSON.stringify(watched)})`,
        (client: Client) => (client.watch(watched) as AsyncIterator<unknown>).next(),
        typeof watched !== "object" || watched === null ? "watched" : "interval" in watched ? "interval" : "nodeId"
      ] as const
  ),
  ["watch({}, null)", (client) => (client.watch({}, null) as AsyncIterator<unknown>).next(), "options"],
  ["connect()", () => connectAs(), "options"],
  ["connect({})", () => connectAs({}), "servers"],
  ["connect() to a number", () => connectAs({ servers: 5 }), "servers"],
  ["connect() for NaN", () => connectAs({ servers: "nats://127.0.0.1:1", timeoutMs: Number.NaN }), "timeoutMs"]
]

/** What it rejects with; what is thrown at once is no rejection. */
const refused = async (ask: () => unknown, field: string) => {
  const answer = ask()
  assert.instanceOf(answer, Promise)
  const error: unknown = await answer.then(
    () => assert.fail("it was to reject"),
    (cause: unknown) => cause
  )
  assert.instanceOf(error, SeamlessError)
  assert.deepInclude(error, { tag: "InvalidRequest", code: 400, isRetryable: false })
  assert.strictEqual(error.fields["field"], field)
  assert.strictEqual(error.message, `${field}: ${String(error.fields["problem"])}`)
}

describe("the client", () => {
  it.each(ways)("%s refuses options that can't be meant, before anything is sent", async (_, ask) => {
    const { client, sent } = start()
    for (const [, options, field] of wrongOptions) await refused(() => ask(client, options), field)
    assert.deepStrictEqual(sent, [])
  })

  it.each(wrongCalls)("%s is refused, before anything is sent", async (_, ask, field) => {
    const { client, sent } = start()
    await refused(() => ask(client), field)
    assert.deepStrictEqual(sent, [])
  })

  it("a stream that was refused has no account, and says so", async () => {
    const { client } = start()
    const answer = client.stream(...range, null) as ReturnType<SeamlessClient["stream"]>
    await refused(() => answer.next(), "options")
    await refused(() => answer.meta, "options")
  })
})
