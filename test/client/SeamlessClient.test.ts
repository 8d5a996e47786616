/** Does the client ask what the protocol says, and give what a JavaScript program can use? */
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { AvailabilityResult, CoverageReport } from "../../client/HistoryResult.ts"
import { makeClient, type SeamlessClient } from "../../client/SeamlessClient.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { NoResponders } from "../../runtime/Mesh.ts"
import { type Answer, answeringMesh, type Sent } from "../support/answeringMesh.ts"
import { arrowAnswer, jsonAnswer, meta, refusal } from "./answers.ts"

const servers = "nats://10.0.0.1:4222"

/** A client in front of one answer, and what it sent. */
const clientOf = (answer: Answer | Effect.Effect<never, NoResponders | DeadlineExceeded>) => {
  const sent: Array<Sent> = []
  const mesh = answeringMesh((request) => {
    sent.push(request)
    return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
  })
  const client = makeClient({ mesh, servers, timeoutMs: 5000 }, () => Promise.resolve())
  return { client, sent }
}

const rejection = async (promise: Promise<unknown>): Promise<SeamlessError> => {
  const error: unknown = await promise.then(
    () => assert.fail("it was to reject"),
    (cause: unknown) => cause
  )
  assert.instanceOf(error, SeamlessError)
  return error
}

const series = ["ohlcv:binance:BTC/USDT", "1m"] as const
const range = [...series, 60_000, 180_000] as const
const answered = arrowAnswer(JSON.stringify(meta))

describe("read", () => {
  it("read() gives the columns under their names and the account in plain data", async () => {
    const { df, meta: given } = await clientOf(answered).client.read(...range)
    assert.strictEqual(df.length, 2)
    assert.deepStrictEqual(df.columns["event_time"], Float64Array.of(60_000, 120_000))
    assert.deepStrictEqual(df.columns["close"], Float64Array.of(1.5, 2.5))
    assert.deepStrictEqual(df.columns["__source"], ["binance", "binance"])
    assert.deepStrictEqual(given, meta)
  })

  it("read() asks for Arrow, in JSON, on the subject of reads", async () => {
    const { client, sent } = clientOf(answered)
    await client.read(...range, { strategy: "AUTO_BACKFILL", strict: true })
    const request = sent[0]!
    assert.strictEqual(request.subject, "seamless.v1.read")
    assert.strictEqual(request.headers.get("Accept"), "application/vnd.apache.arrow.stream; dictionary=true")
    assert.strictEqual(request.headers.get("Content-Type"), "application/json")
    assert.deepStrictEqual(request.body, {
      nodeId: series[0],
      interval: "1m",
      start: 60_000,
      end: 180_000,
      strategy: "AUTO_BACKFILL",
      strict: true,
      returnMeta: true
    })
  })

  it("read() takes Dates for times", async () => {
    const { client, sent } = clientOf(answered)
    await client.read(...series, new Date(60_000), new Date(180_000))
    assert.deepInclude(sent[0]!.body, { start: 60_000, end: 180_000 })
  })

  it("read() without the account gives the frame alone", async () => {
    const { client, sent } = clientOf(arrowAnswer())
    const df = await client.read(...range, { returnMeta: false })
    assert.strictEqual(df.length, 2)
    assert.deepInclude(sent[0]!.body, { returnMeta: false })
  })

  it("read() keeps what a newer host tells beyond this build", async () => {
    const { client } = clientOf(arrowAnswer(JSON.stringify({ ...meta, tomorrow: 1 })))
    const given: object = (await client.read(...range)).meta
    assert.deepInclude(given, { tomorrow: 1 })
  })

  it.each([
    ["its own patience, which hosts' defaults are well within,", { strategy: "FAIL_FAST" }, 30_000],
    ["the caller's deadline, less what the way back may take,", { sla: { totalDeadlineMs: 60_000 } }, 59_900],
    ["a tenth less of a short one", { sla: { totalDeadlineMs: 300 } }, 270],
    ["20 ms less of a shorter one", { sla: { totalDeadlineMs: 50 } }, 30],
    ["half of one that is over at once", { sla: { totalDeadlineMs: 10 } }, 5]
  ] as const)("read() sends %s as the budget and waits a little longer", async (_, options, budgetMs) => {
    const { client, sent } = clientOf(answered)
    await client.read(...range, options)
    assert.strictEqual(sent[0]!.headers.get("Seamless-Budget-Ms"), String(budgetMs))
    assert.isAbove(sent[0]!.timeoutMs, budgetMs)
  })

  it("read() waits no longer than timers can", async () => {
    const { client, sent } = clientOf(answered)
    await client.read(...range, { sla: { totalDeadlineMs: 1e12 } })
    assert.isBelow(sent[0]!.timeoutMs, 2 ** 31)
  })
})

describe("errors", () => {
  it("read() rejects with the tag, code, fields and account of a refusal", async () => {
    const body = { error: { tag: "CoverageMissing", message: "2 bars of 2 are missing", missingBars: 2 }, meta }
    const error = await rejection(clientOf(refusal(404, body)).client.read(...range, { strategy: "fail_fast" }))
    assert.deepInclude(error, { name: "SeamlessError", tag: "CoverageMissing", code: 404, meta, result: undefined })
    assert.strictEqual(error.message, "2 bars of 2 are missing")
    assert.deepStrictEqual(error.fields, { missingBars: 2 })
  })

  it("read() rejects with what the headers say where a refusal's body says nothing", async () => {
    const { headers = new Map() } = refusal(503, { error: { tag: "SourceUnavailable" } })
    const { client } = clientOf({ data: new Uint8Array(0), headers })
    assert.deepInclude(await rejection(client.read(...range)), { tag: "SourceUnavailable", code: 503 })
  })

  it("read() says where nobody answers", async () => {
    const { client } = clientOf(Effect.fail(new NoResponders({ subject: "seamless.v1.read" })))
    const error = await rejection(client.read(...range))
    assert.deepInclude(error, { tag: "NoHostAnswers", code: 503 })
    assert.strictEqual(error.message, `no Seamless host answers at ${servers}`)
  })

  it("read() says how long it waited", async () => {
    const { client } = clientOf(Effect.fail(new DeadlineExceeded({ waitingFor: "answer", budgetMs: 6000 })))
    const error = await rejection(client.read(...range))
    assert.deepInclude(error, { tag: "DeadlineExceeded", code: 504 })
    assert.match(error.message, /6000 ms/)
  })

  it.each([
    ["no Arrow", { data: new TextEncoder().encode("hello") }],
    ["no account", arrowAnswer()],
    ["an account that is none", arrowAnswer('{"strategy":"seamless"}')]
  ])("read() rejects an answer with %s as malformed", async (_, answer) => {
    assert.strictEqual((await rejection(clientOf(answer).client.read(...range))).tag, "MalformedMessage")
  })

  it.each([Number.NaN, 0.5, new Date("x")])("read() refuses the time %s without asking", async (time) => {
    const { client, sent } = clientOf(answered)
    const error = await rejection(client.read(...series, time, 180_000))
    assert.deepInclude(error, { tag: "InvalidRequest", code: 400 })
    assert.strictEqual(error.fields["field"], "start")
    assert.deepStrictEqual(sent, [])
  })
})

const available: AvailabilityResult = {
  available: true,
  coverageRanges: [[60_000, 180_000]],
  missingRanges: [],
  jobs: [{ windowStart: 0, run: 1, state: "SUCCEEDED" }],
  sourceOutcomes: {},
  slaReport: meta.slaReport,
  coverageVersion: 2,
  requestId: "r",
  notes: []
}

const report: CoverageReport = {
  nodeId: series[0],
  interval: "1m",
  coverageRanges: [[60_000, 180_000]],
  missingRanges: [],
  watermarks: { eventTimeLow: 180_000, eventTimeHigh: 120_000 },
  coverageVersion: 2,
  windowBars: 1440
}

describe("the other verbs", () => {
  it("ensureAvailable() asks for JSON within its patience and gives what was done", async () => {
    const { client, sent } = clientOf(jsonAnswer(available))
    assert.deepStrictEqual(await client.ensureAvailable(...range), available)
    assert.strictEqual(sent[0]!.subject, "seamless.v1.ensure")
    assert.strictEqual(sent[0]!.headers.get("Accept"), "application/json")
    assert.strictEqual(sent[0]!.headers.get("Seamless-Budget-Ms"), "30000")
  })

  it("ensureAvailable() rejects with what there is where that was refused", async () => {
    const body = { error: { tag: "SlaViolated", message: "too late" }, result: available }
    const error = await rejection(clientOf(refusal(504, body)).client.ensureAvailable(...range))
    assert.deepStrictEqual(error.result, available)
  })

  it("coverage() gives the report of a series", async () => {
    const { client, sent } = clientOf(jsonAnswer(report))
    assert.deepStrictEqual(await client.coverage(...series), report)
    assert.deepStrictEqual(sent[0]!.body, { nodeId: series[0], interval: "1m" })
    assert.strictEqual(sent[0]!.timeoutMs, 5000)
  })

  it("health() gives the host's state", async () => {
    assert.deepStrictEqual(await clientOf(jsonAnswer({ status: "ok" })).client.health(), { status: "ok" })
    const ill = { status: "suspended", reason: "no touch", hostId: "a" }
    assert.deepStrictEqual(await clientOf(jsonAnswer(ill)).client.health(), ill)
  })
})

describe("signals", () => {
  const silent = () => {
    const sent: Array<Sent> = []
    const mesh = answeringMesh((request) => {
      sent.push(request)
      return Effect.never
    })
    return { client: makeClient({ mesh, servers, timeoutMs: 5000 }, () => Promise.resolve()), sent }
  }
  const reason = new Error("enough")

  it("a signal that was given before has nothing asked", async () => {
    const { client, sent } = silent()
    const error = await rejection(client.read(...range, { signal: AbortSignal.abort(reason) }))
    assert.deepInclude(error, { tag: "Cancelled", code: 499 })
    assert.strictEqual(error.cause, reason)
    assert.deepStrictEqual(sent, [])
  })

  it.each([
    ["read", (client: SeamlessClient, signal: AbortSignal) => client.read(...range, { signal })],
    ["ensureAvailable", (client: SeamlessClient, signal: AbortSignal) => client.ensureAvailable(...range, { signal })],
    ["coverage", (client: SeamlessClient, signal: AbortSignal) => client.coverage(...series, { signal })],
    ["health", (client: SeamlessClient, signal: AbortSignal) => client.health({ signal })]
  ])("%s() rejects at once when its signal is given, which is no field", async (_, call) => {
    const { client, sent } = silent()
    const controller = new AbortController()
    const rejected = rejection(call(client, controller.signal))
    controller.abort(reason)
    assert.strictEqual((await rejected).cause, reason)
    assert.notInclude(Object.keys(Object(sent[0]?.body)), "signal")
  })

  it("a signal that is never given changes nothing, and is left alone", async () => {
    const { signal } = new AbortController()
    const { client } = clientOf(answered)
    assert.strictEqual((await client.read(...range, { signal })).df.length, 2)
  })
})
